import { expect } from "vitest";
import type { Scenario } from "./gateway.ts";

/** One JSON-RPC message as it was on the wire. */
export interface WireMessage {
  readonly text: string;
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly [key: string]: unknown };
  readonly result?: ToolResult;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export interface ToolResult {
  readonly content?: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: { readonly [key: string]: unknown };
  readonly isError?: boolean;
  readonly [key: string]: unknown;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly messages: readonly WireMessage[];
}

/** An agent without an SDK: what it sends and what it gets are bytes. */
export interface WireAgent {
  post(
    body: string | Uint8Array<ArrayBuffer>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<WireAnswer>;
  /** `tools/call` with the arguments as JSON text. */
  call(tool: string, argumentsText?: string): Promise<ToolResult>;
  checkStatus(ref: string, waitSeconds?: number): Promise<ToolResult>;
}

export function wireAgent(gateway: Scenario, key: string = gateway.agentKey): WireAgent {
  const post: WireAgent["post"] = async (body, headers = {}) => {
    const response = await fetch(`${gateway.url}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body,
    });
    return readAnswer(response);
  };
  const call: WireAgent["call"] = async (tool, argumentsText = "{}") => {
    const answer = await post(callText({ tool, argumentsText }));
    const { result } = onlyMessage(answer);
    if (result === undefined) throw new Error(`no result: ${answer.status} ${answer.text}`);
    return result;
  };
  return {
    post,
    call,
    checkStatus: (ref, waitSeconds = 0) =>
      call("check_status", JSON.stringify({ ref, wait_seconds: waitSeconds })),
  };
}

export async function readAnswer(response: Response): Promise<WireAnswer> {
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.includes("text/event-stream") === true;
  const frames = isStream ? [...text.matchAll(/^data: (.*)$/gm)].map((match) => match[1] ?? "") : [text];
  const messages = frames.flatMap(readMessages);
  return { status: response.status, headers: response.headers, text, messages };
}

function readMessages(text: string): readonly WireMessage[] {
  try {
    const value: unknown = JSON.parse(text);
    const list: readonly object[] = Array.isArray(value) ? value : [Object(value)];
    return list.map((message) => ({ ...message, text }));
  } catch {
    // A refusal in plain words has no messages.
    return [];
  }
}

export function onlyMessage(answer: WireAnswer): WireMessage {
  expect(answer.messages, answer.text).toHaveLength(1);
  const [message] = answer.messages;
  if (message === undefined) throw new Error("unreachable");
  return message;
}

/** Text of a `tools/call`; whatever is given as text goes out as it is. */
export function callText(params: {
  readonly tool: string;
  readonly argumentsText?: string;
  readonly metaText?: string;
  readonly idText?: string;
}): string {
  const meta = params.metaText === undefined ? "" : `,"_meta":${params.metaText}`;
  const { tool, argumentsText = "{}", idText = "1" } = params;
  return `{"jsonrpc":"2.0","id":${idText},"method":"tools/call","params":{"name":${JSON.stringify(tool)},"arguments":${argumentsText}${meta}}}`;
}

/** All the words of a result. */
export function words(result: ToolResult): string {
  return (result.content ?? []).map((block) => block.text ?? "").join("\n");
}

/** The reference in a `PENDING REVIEW` answer. */
export function refIn(result: ToolResult): string {
  const text = words(result);
  const ref = /^PENDING REVIEW \(Ref: (evt_[a-z2-7]{32})\)\./.exec(text)?.[1];
  expect(ref, text).toBeDefined();
  return ref ?? "";
}

export interface DecisionText {
  readonly decision: string;
  readonly event_id: string;
  readonly reason?: string;
  readonly digest?: string;
}

/** `POST /webhook/approval` as the reviewer, or with another credential. */
export async function sendDecision(
  gateway: Scenario,
  body: DecisionText,
  token: string = gateway.reviewerToken,
): Promise<WireAnswer> {
  const response = await fetch(`${gateway.url}/webhook/approval`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return readAnswer(response);
}

export async function approve(gateway: Scenario, ref: string): Promise<void> {
  const answer = await sendDecision(gateway, { decision: "APPROVED", event_id: ref });
  expect(JSON.parse(answer.text)).toEqual({ status: "Signal Sent", decision: "APPROVED" });
}

export async function reject(gateway: Scenario, ref: string, reason: string): Promise<void> {
  const answer = await sendDecision(gateway, { decision: "REJECTED", event_id: ref, reason });
  expect(JSON.parse(answer.text)).toEqual({ status: "Signal Sent", decision: "REJECTED" });
}

/** `GET /api/v1/…` as the reviewer. */
export async function readApi(gateway: Scenario, path: string): Promise<unknown> {
  const response = await fetch(`${gateway.url}${path}`, {
    headers: { authorization: `Bearer ${gateway.reviewerToken}` },
  });
  expect(response.status).toBe(200);
  return response.json();
}
