import { fail, ok, type Result } from "../../domain/errors.ts";
import {
  arrayElements,
  type JsonMember,
  type JsonProblem,
  memberText,
  objectMembers,
  readStrictJson,
} from "../../domain/strict-json.ts";
import type { CallRetry } from "../../governance/ports.ts";

/** Texts of `tools/call` requests by their JSON-RPC id, which is told from others by its value, not its spelling. */
export type CallTexts = ReadonlyMap<string | number, string>;

/** A POST body from an agent: the value for the SDK, and the text of each tool call for governance. */
export interface ReadBody {
  readonly value: unknown;
  readonly calls: CallTexts;
}

/**
 * Reads a body strictly. The SDK parses messages for itself and hands over values; what is governed are
 * the texts, so both must come from one reading that leaves no doubt.
 */
export function readBody(text: string): Result<ReadBody, JsonProblem> {
  const read = readStrictJson(text);
  if (!read.ok) return read;
  const isBatch = read.value.text.startsWith("[");
  const messages = isBatch ? arrayElements(read.value.text) : [read.value.text];
  const ids = new Set<unknown>();
  const calls = new Map<string | number, string>();
  for (const [index, message] of messages.entries()) {
    const id = memberValue(message, ["id"]);
    const method = memberValue(message, ["method"]);
    if (method === undefined || (typeof id !== "string" && typeof id !== "number")) continue;
    if (ids.has(id))
      return fail({ message: "Two requests of the batch have the same id.", place: `/${index}/id` });
    ids.add(id);
    if (method === "tools/call") calls.set(id, message);
  }
  return ok({ value: read.value.value, calls });
}

/** `params.name` of a request's text; undefined when it is not a text. */
export function toolNameOf(message: string): string | undefined {
  const name = memberValue(message, ["params", "name"]);
  return typeof name === "string" ? name : undefined;
}

function memberValue(message: string, path: readonly string[]): unknown {
  const text = memberText(message, path);
  return text === undefined ? undefined : JSON.parse(text);
}

/** `params.arguments` of a request's text; `{}` when there are none. */
export function argumentsTextOf(message: string): string {
  return memberText(message, ["params", "arguments"]) ?? "{}";
}

/**
 * `params._meta` of a request's text without what concerns only the connection between agent and gateway:
 * the progress token and the protocol's own envelope. null when nothing is left to forward.
 */
export function forwardedMetaOf(message: string): string | null {
  const meta = memberText(message, ["params", "_meta"]);
  return meta === undefined ? null : forwardedMeta(objectMembers(meta));
}

/** The same of its members. */
export function forwardedMeta(members: readonly JsonMember[]): string | null {
  const kept = members.filter(
    (m) => m.key !== "progressToken" && !m.key.startsWith("io.modelcontextprotocol/"),
  );
  return kept.length === 0 ? null : `{${kept.map((m) => m.source).join(",")}}`;
}

/** What a call brings that was sent again with answers (protocol 2026-07-28); undefined when it brings none. */
export function retryOf(message: string): CallRetry | undefined {
  const inputResponsesText = memberText(message, ["params", "inputResponses"]);
  const requestState = memberValue(message, ["params", "requestState"]);
  if (inputResponsesText === undefined && requestState === undefined) return undefined;
  return {
    inputResponsesText: inputResponsesText ?? null,
    requestState: typeof requestState === "string" ? requestState : null,
  };
}
