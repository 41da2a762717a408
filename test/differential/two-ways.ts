import { request as httpRequest } from "node:http";
import { openScenario, type Scenario } from "../scenario/gateway.ts";
import { type ScriptedUpstream, type SeenRequest, startScriptedUpstream } from "./scripted-upstream.ts";

/** One request of an agent, as bytes. */
export interface SentRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Everything that can be told of one request afterwards, with what is random taken out. */
export interface Trace {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** The answer came in one piece, as only the short way gives one. */
  readonly whole: boolean;
  readonly upstream: readonly SeenRequest[];
  readonly ledger: readonly string[];
}

/**
 * Two gateways of one configuration in front of one upstream. What the second is sent says that a page of this machine sends
 * it, which is allowed, and which only the front door of the long way looks into; and its upstream has a header that only the
 * long way knows.
 */
export interface TwoWays {
  readonly short: Way;
  readonly long: Way;
  readonly upstream: ScriptedUpstream;
  close(): Promise<void>;
}

export interface Way {
  readonly scenario: Scenario;
  send(request: SentRequest): Promise<Trace>;
  /** Begins a session of revision 2025-11-25. @returns its id */
  begin(): Promise<string>;
  /** Sends without waiting for the end. */
  open(request: SentRequest): Promise<OpenAnswer>;
}

export interface OpenAnswer {
  /** What came so far. */
  readonly text: () => string;
  readonly ended: Promise<void>;
  abort(): void;
}

export async function openTwoWays(): Promise<TwoWays> {
  const upstream = await startScriptedUpstream();
  const short = await openWay("short", upstream, { headers: {}, upstream: "" });
  // What the operator says of `accept` only the protocol library knows to join with what it says itself.
  const long = await openWay("long", upstream, {
    headers: { origin: "http://127.0.0.1" },
    upstream: ", accept: application/json",
  });
  return {
    short,
    long,
    upstream,
    close: async () => {
      await Promise.all([short.scenario.close(), long.scenario.close()]);
      await upstream.close();
    },
  };
}

const config = (name: string, url: string, more: string) => `
upstreams:
  scripted:
    url: ${url}
    prefix: ""
    call_deadline: 5s
    headers: { x-gateway: ${name}${more} }
    safe_to_repeat: [echo, streamed, progressing, failing, faulty, odd_result, structured, broken_page, wait]
policy:
  - { upstream: scripted, tool: reviewed, verdict: review }
  - { upstream: scripted, tool: denied, verdict: deny }
  - { upstream: scripted, tool: "*", verdict: allow }
`;

async function openWay(
  name: string,
  upstream: ScriptedUpstream,
  more: { readonly headers: Readonly<Record<string, string>>; readonly upstream: string },
): Promise<Way> {
  const scenario = await openScenario({ yaml: () => config(name, upstream.url, more.upstream) });
  let ledgerLines = scenario.ledgerText().split("\n").length;
  const full = ({ headers, body }: SentRequest): SentRequest => ({
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${scenario.agentKey}`,
      ...more.headers,
      ...headers,
    },
    body,
  });
  const send = async (request: SentRequest): Promise<Trace> => {
    const answer = await exchange(scenario.url, full(request));
    const lines = scenario.ledgerText().split("\n");
    const ledger = lines.slice(ledgerLines).map(plainEvent);
    ledgerLines = lines.length;
    return { ...answer, upstream: upstream.take(name).map(plainRequest), ledger };
  };
  return {
    scenario,
    send,
    begin: async () => {
      const params = {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "t", version: "1" },
      };
      const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
      const { headers } = await exchange(scenario.url, full({ headers: {}, body }));
      return String(headers["mcp-session-id"]);
    },
    open: (request) => openAnswer(scenario.url, full(request)),
  };
}

function openAnswer(url: string, { headers, body }: SentRequest): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/mcp`, { method: "POST", headers, agent: false });
    let text = "";
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    request.once("error", (error) => {
      end();
      reject(error);
    });
    request.once("response", (response) => {
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.on("error", () => undefined);
      response.once("close", end);
    });
    request.end(body, () => resolve({ text: () => text, ended, abort: () => void request.destroy() }));
  });
}

function exchange(
  url: string,
  { headers, body }: SentRequest,
): Promise<Pick<Trace, "status" | "headers" | "body" | "whole">> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/mcp`, { method: "POST", headers, agent: false });
    request.once("error", reject);
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: plainHeaders(response.headers),
          whole: response.headers["content-length"] !== undefined,
          body: plainText(Buffer.concat(chunks).toString()),
        }),
      );
    });
    request.end(body);
  });
}

/** Headers that say how the bytes travel, and when, are each way's own. */
function plainHeaders(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return without(headers, ["date", "connection", "keep-alive", "transfer-encoding", "content-length"]);
}

function without(
  members: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

function plainText(text: string): string {
  return text
    .replace(/evt_[a-z2-7]{32}/g, "evt_…")
    .replace(/atlas-[0-9a-f]{8}-[0-9a-f-]{27}/g, "atlas-…")
    .replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"time"');
}

function plainRequest({ method, headers, body }: SeenRequest): SeenRequest {
  const told = without(headers, ["content-length", "connection", "host", "x-gateway"]);
  return { method, headers: told, body: plainText(body) };
}

/** What is random in every case, or hangs on the configuration's text. */
const OWN_DETAILS = [
  "commitments",
  "digest",
  "token",
  "note",
  "review_by",
  "upstream_fingerprint",
  "policy_version",
];

function plainEvent(line: string): string {
  const { type, actor, details } = JSON.parse(line) as {
    type: string;
    actor: { kind: string };
    details: Record<string, unknown>;
  };
  return plainText(JSON.stringify({ type, actor: actor.kind, said: without(details, OWN_DETAILS) }));
}
