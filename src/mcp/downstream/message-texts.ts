import { fail, ok, type Result } from "../../domain/errors.ts";
import {
  arrayElements,
  type JsonProblem,
  memberText,
  objectMembers,
  readStrictJson,
} from "../../domain/strict-json.ts";

/** A POST body from an agent: the value for the SDK, and the text of each request for governance. */
export interface ReadBody {
  readonly value: unknown;
  /** Text of each request in the body by its JSON-RPC id (as JSON text); a batch has several. */
  readonly requests: ReadonlyMap<string, string>;
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
  const requests = new Map<string, string>();
  for (const [index, message] of messages.entries()) {
    const id = memberText(message, ["id"]);
    if (id === undefined || memberText(message, ["method"]) === undefined) continue;
    if (requests.has(id))
      return fail({ message: "Two requests of the batch have the same id.", place: `/${index}/id` });
    requests.set(id, message);
  }
  return ok({ value: read.value.value, requests });
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
  if (meta === undefined) return null;
  const kept = objectMembers(meta).filter(
    (m) => m.key !== "progressToken" && !m.key.startsWith("io.modelcontextprotocol/"),
  );
  return kept.length === 0 ? null : `{${kept.map((m) => m.source).join(",")}}`;
}
