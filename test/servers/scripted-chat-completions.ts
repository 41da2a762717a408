import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

/** What a framework tells the model, as far as scripts look at it. */
const requestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  messages: z.array(
    z.looseObject({
      role: z.string(),
      content: z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]).nullish(),
    }),
  ),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).optional(),
});

export type ChatRequest = z.output<typeof requestSchema>;

/** What the model does next: it speaks, or it calls one tool. */
export type ModelMove =
  | { readonly say: string }
  | { readonly call: string; readonly with: Readonly<Record<string, unknown>> };

export interface ScriptedModel {
  /** Up to and with `/v1`. */
  readonly baseUrl: string;
  readonly requests: readonly ChatRequest[];
  /** `authorization` of every request, in order. */
  readonly keys: readonly (string | undefined)[];
  close(): Promise<void>;
}

/** A server of `POST /v1/chat/completions`, whole or streamed, whose model does what the script says of each request. */
export async function startScriptedModel(
  script: (request: ChatRequest) => ModelMove,
): Promise<ScriptedModel> {
  const requests: ChatRequest[] = [];
  const keys: (string | undefined)[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parsed = requestSchema.parse(JSON.parse(await readBody(request)));
    requests.push(parsed);
    keys.push(request.headers.authorization);
    const move = script(parsed);
    if (parsed.stream === true) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const chunk of chunksOf(parsed.model, move)) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      response.end("data: [DONE]\n\n");
    } else {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(completionOf(parsed.model, move)));
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    keys,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The last thing that was said in the conversation, and by whom. */
export function lastMessage(request: ChatRequest): { readonly role: string; readonly text: string } {
  const message = request.messages.at(-1);
  const content = message?.content ?? "";
  const text = typeof content === "string" ? content : content.map((part) => part.text ?? "").join("\n");
  return { role: message?.role ?? "", text };
}

let calls = 0;

function messageOf(move: ModelMove): { readonly message: object; readonly finish: string } {
  if ("say" in move) return { message: { role: "assistant", content: move.say }, finish: "stop" };
  const call = { name: move.call, arguments: JSON.stringify(move.with) };
  const tool_calls = [{ index: 0, id: `call_${++calls}`, type: "function", function: call }];
  return { message: { role: "assistant", content: null, tool_calls }, finish: "tool_calls" };
}

const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

function completionOf(model: string, move: ModelMove): object {
  const { message, finish } = messageOf(move);
  const choices = [{ index: 0, message, finish_reason: finish }];
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_700_000_000,
    model,
    choices,
    usage: USAGE,
  };
}

function chunksOf(model: string, move: ModelMove): readonly object[] {
  const { message, finish } = messageOf(move);
  const chunk = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000, model };
  return [
    { ...chunk, choices: [{ index: 0, delta: message, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: finish }], usage: USAGE },
  ];
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
