import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type { Reply } from "./model-reply.ts";

/**
 * Modal's control plane as far as its client needs it to call a function: gRPC over plaintext HTTP/2, the messages with
 * Modal's field numbers (modal_proto/api.proto), the values as CBOR. The client's own packages encode and decode.
 */
const ownRequire = createRequire(import.meta.resolve("modal-labs"));
const protobuf = ownRequire("protobufjs") as {
  parse(source: string): { root: { lookupType(name: string): MessageType } };
};
const cbor = ownRequire("cbor-x") as { encode(value: unknown): Buffer; decode(bytes: Uint8Array): unknown };

interface Message {
  readonly [field: string]: unknown;
}
interface MessageType {
  create(message: Message): Message;
  encode(message: Message): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
  toObject(message: Message, options: object): Message;
}

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Empty {}
  message AuthTokenGetResponse { string token = 1; }
  message FunctionGetRequest { string appName = 1; string objectTag = 2; string environmentName = 4; }
  message FunctionHandleMetadata {
    string functionName = 2; string webUrl = 28; bool isMethod = 39; string useMethodName = 41;
    map<string, FunctionHandleMetadata> methodHandleMetadata = 44;
    repeated int32 supportedInputFormats = 50; repeated int32 supportedOutputFormats = 51;
  }
  message FunctionGetResponse { string functionId = 1; FunctionHandleMetadata handleMetadata = 2; }
  message FunctionInput { bytes args = 1; string argsBlobId = 7; int32 dataFormat = 10; string methodName = 11; }
  message FunctionPutInputsItem { int32 idx = 1; FunctionInput input = 2; }
  message FunctionMapRequest { string functionId = 1; repeated FunctionPutInputsItem pipelinedInputs = 5; }
  message FunctionPutInputsResponseItem { int32 idx = 1; string inputId = 2; string inputJwt = 3; }
  message FunctionMapResponse {
    string functionCallId = 1; repeated FunctionPutInputsResponseItem pipelinedInputs = 2; string functionCallJwt = 4;
  }
  message FunctionGetOutputsRequest { string functionCallId = 1; float timeout = 3; }
  message GenericResult { int32 status = 1; string exception = 2; bytes data = 5; }
  message FunctionGetOutputsItem { GenericResult result = 1; int32 idx = 2; int32 dataFormat = 5; }
  message FunctionGetOutputsResponse { repeated FunctionGetOutputsItem outputs = 4; }
  message FunctionCallCancelRequest { string functionCallId = 1; }
`);

const CBOR = 4;
const PICKLE = 1;
const OK = 0;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const UNAUTHENTICATED = 16;
const SUCCESS = 1;
const FAILURE = 2;
const INTERNAL_FAILURE = 6;

const METADATA = { supportedInputFormats: [PICKLE, CBOR], supportedOutputFormats: [PICKLE, CBOR] };

export interface ModalCall {
  readonly function: string;
  readonly args: unknown;
  readonly kwargs: { readonly [name: string]: unknown };
}

export interface FakeModal {
  /** For `MODAL_SERVER_URL`. */
  readonly url: string;
  /** Inputs that functions were given, in order. */
  readonly calls: ModalCall[];
  /** Calls that the client cancelled. */
  readonly cancelled: string[];
  /** Every RPC, by its name. */
  readonly rpcs: string[];
  reply: (prompt: string) => Reply;
  /** Data format of what functions return: CBOR, or pickle as functions of an old SDK do. */
  outputFormat: "cbor" | "pickle";
  close(): Promise<void>;
}

export interface FakeModalParams {
  readonly tokenId: string;
  readonly tokenSecret: string;
  /** Deployed functions, `App/function` or `App/Class.method`. */
  readonly functions: readonly string[];
  /** Of these, the ones that are web endpoints. */
  readonly webEndpoints?: readonly string[];
  readonly reply: (prompt: string) => Reply;
}

type Answer =
  | { readonly status: number; readonly message?: string }
  | { readonly type: string; readonly value: Message };
type Rpc = (request: Uint8Array, stream: ServerHttp2Stream) => Answer | "hold" | "break";

export async function startFakeModal(params: FakeModalParams): Promise<FakeModal> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const fake: FakeModal = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    cancelled: [],
    rpcs: [],
    reply: params.reply,
    outputFormat: "cbor",
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
  const rpcs = rpcsOf(params, fake);
  server.on("stream", (stream, headers) => void serve(stream, headers, params, fake, rpcs));
  return fake;
}

async function serve(
  stream: ServerHttp2Stream,
  headers: { readonly [name: string]: unknown },
  params: FakeModalParams,
  fake: FakeModal,
  rpcs: ReadonlyMap<string, Rpc>,
): Promise<void> {
  stream.on("error", () => undefined);
  const name = String(headers[":path"]).split("/").at(-1) ?? "";
  fake.rpcs.push(name);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    return; // The client went away while it was asking.
  }
  const known =
    headers["x-modal-token-id"] === params.tokenId && headers["x-modal-token-secret"] === params.tokenSecret;
  const signedIn = name === "AuthTokenGet" || String(headers["x-modal-auth-token"]).split(".").length === 3;
  const rpc = rpcs.get(name);
  if (!known || !signedIn)
    return respond(stream, { status: UNAUTHENTICATED, message: "Token ID is malformed" });
  if (rpc === undefined) return respond(stream, { status: UNIMPLEMENTED });
  const answer = rpc(Buffer.concat(chunks).subarray(5), stream);
  if (answer === "break") stream.session?.destroy();
  else if (answer !== "hold") respond(stream, answer);
}

/** One gRPC answer: a frame with five bytes before the message, then the status as trailers. */
function respond(stream: ServerHttp2Stream, answer: Answer): void {
  if (stream.destroyed) return;
  const headers = { ":status": 200, "content-type": "application/grpc+proto" };
  if ("status" in answer) {
    stream.respond(
      { ...headers, "grpc-status": String(answer.status), "grpc-message": answer.message ?? "no" },
      { endStream: true },
    );
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(OK) }));
  const type = root.lookupType(answer.type);
  const message = type.encode(type.create(answer.value)).finish();
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([frame, message]));
}

function read(type: string, bytes: Uint8Array): Message {
  const found = root.lookupType(type);
  return found.toObject(found.decode(bytes), { defaults: true });
}

function rpcsOf(params: FakeModalParams, fake: FakeModal): ReadonlyMap<string, Rpc> {
  const results = new Map<string, Reply>();
  return new Map<string, Rpc>([
    ["AuthTokenGet", () => ({ type: "AuthTokenGetResponse", value: { token: webToken() } })],
    ["FunctionGet", (bytes) => functionGet(read("FunctionGetRequest", bytes), params)],
    [
      "FunctionMap",
      (bytes) => {
        const call = callOf(read("FunctionMapRequest", bytes));
        if (call === null) return { status: INTERNAL, message: "malformed input" };
        fake.calls.push(call);
        const functionCallId = `fc-${fake.calls.length}`;
        const reply = fake.reply(String(call.kwargs["prompt"]));
        if (reply.kind === "status") return { status: reply.status === 429 ? RESOURCE_EXHAUSTED : INTERNAL };
        results.set(functionCallId, reply);
        const pipelinedInputs = [{ idx: 0, inputId: "in-1", inputJwt: "jwt" }];
        return {
          type: "FunctionMapResponse",
          value: { functionCallId, pipelinedInputs, functionCallJwt: "jwt" },
        };
      },
    ],
    [
      "FunctionGetOutputs",
      (bytes) => {
        const { functionCallId } = read("FunctionGetOutputsRequest", bytes);
        return outputs(results.get(String(functionCallId)), fake.outputFormat);
      },
    ],
    ["FunctionCallFromId", () => ({ type: "Empty", value: {} })],
    [
      "FunctionCallCancel",
      (bytes) => {
        fake.cancelled.push(String(read("FunctionCallCancelRequest", bytes)["functionCallId"]));
        return { type: "Empty", value: {} };
      },
    ],
  ]);
}

/** A JWT that only has to expire later. */
function webToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ exp: 4_102_444_800 })}.${part({})}`;
}

function functionGet(request: Message, { functions, webEndpoints = [] }: FakeModalParams): Answer {
  const { appName, objectTag } = request;
  const wanted = `${String(appName)}/${String(objectTag)}`;
  const missing = { status: NOT_FOUND, message: `no ${wanted}` };
  if (wanted.endsWith(".*")) {
    const methods = functions.filter((name) => name.startsWith(wanted.slice(0, -1)));
    if (methods.length === 0) return missing;
    const method = (name: string) => ({
      ...METADATA,
      functionName: name,
      isMethod: true,
      useMethodName: name,
    });
    const names = methods.map((name) => name.slice(wanted.length - 1));
    const methodHandleMetadata = Object.fromEntries(names.map((name) => [name, method(name)]));
    return {
      type: "FunctionGetResponse",
      value: { functionId: `fu-${wanted}`, handleMetadata: { methodHandleMetadata } },
    };
  }
  if (!functions.includes(wanted)) return missing;
  const webUrl = webEndpoints.includes(wanted) ? "https://x--y.modal.run" : "";
  return {
    type: "FunctionGetResponse",
    value: {
      functionId: `fu-${wanted}`,
      handleMetadata: { ...METADATA, functionName: String(objectTag), webUrl },
    },
  };
}

/** What a function is called with; null unless it is what this gateway must send. */
function callOf(request: Message): ModalCall | null {
  const [item] = request["pipelinedInputs"] as readonly Message[];
  const input = item?.["input"] as Message | undefined;
  if (input?.["dataFormat"] !== CBOR) return null;
  const [args, kwargs] = cbor.decode(input["args"] as Uint8Array) as [unknown, ModalCall["kwargs"]];
  const keys = Object.keys(kwargs).sort().join();
  if (keys !== "max_tokens,prompt,temperature" || typeof kwargs["prompt"] !== "string") return null;
  return {
    function: `${(request["functionId"] as string).slice(3)}${input["methodName"] as string}`,
    args,
    kwargs,
  };
}

function outputs(reply: Reply | undefined, format: FakeModal["outputFormat"]): Answer | "hold" | "break" {
  const item = (result: Message): Answer => ({
    type: "FunctionGetOutputsResponse",
    value: { outputs: [{ idx: 0, dataFormat: format === "cbor" ? CBOR : PICKLE, result }] },
  });
  switch (reply?.kind) {
    case undefined:
      return { status: NOT_FOUND };
    case "text":
      return item({ status: SUCCESS, data: cbor.encode(reply.text) });
    case "value":
      return item({ status: SUCCESS, data: cbor.encode(reply.value) });
    case "html":
      return item({ status: FAILURE, exception: "<html>CUDA out of memory</html>" });
    case "half":
      return "break";
    case "drip":
      // A function that Modal lost, again and again: its client would ask to run it anew.
      return item({ status: INTERNAL_FAILURE, exception: "worker lost" });
    case "status":
      return { status: INTERNAL };
    case "late":
    case "never":
      return "hold";
    default:
      return reply satisfies never;
  }
}
