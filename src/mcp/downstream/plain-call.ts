import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from "@modelcontextprotocol/server";
import { type JsonMember, objectMembers, readStrictJson } from "../../domain/strict-json.ts";
import { forwardedMeta } from "./message-texts.ts";

/** One `tools/call` that asks for nothing but the call, as texts. */
export interface PlainCall {
  readonly id: string | number;
  readonly name: string;
  /** `params.arguments` as received, without insignificant white space; `{}` when absent. */
  readonly argumentsText: string;
  /** `params._meta` without what belongs to the connection between agent and gateway; null when nothing is left. */
  readonly metaText: string | null;
  readonly progressToken: string | number | undefined;
  /** What a client of protocol 2026-07-28 says of itself with every request; null in the older revisions. */
  readonly envelope: PlainEnvelope | null;
}

export interface PlainEnvelope {
  readonly version: string;
  readonly capabilities: { readonly [key: string]: unknown };
}

/** Trace context has a form of its own that the protocol library checks. */
const TRACE_KEYS: ReadonlySet<string> = new Set(["traceparent", "tracestate", "baggage"]);

const PROTOCOL_KEY = "io.modelcontextprotocol/";

/**
 * Reads a body that is one plain `tools/call`. Whatever is not, or is written in a way that leaves a question, is nobody's
 * loss here: it goes to the protocol library, which knows all forms and refuses what is wrong.
 *
 * @returns null for anything else, of which nothing is said
 */
export function readPlainCall(text: string): PlainCall | null {
  const read = readStrictJson(text);
  if (!read.ok) return null;
  const message = membersNamed(read.value.text, ["jsonrpc", "id", "method", "params"]);
  if (message === null || message.get("jsonrpc") !== '"2.0"' || message.get("method") !== '"tools/call"')
    return null;
  const params = membersNamed(message.get("params"), ["name", "arguments", "_meta"]);
  const id = idOf(message.get("id"));
  const name = stringOf(params?.get("name"));
  if (params === null || id === undefined || name === undefined) return null;
  const argumentsText = params.get("arguments") ?? "{}";
  const meta = metaOf(params.get("_meta"));
  if (!argumentsText.startsWith("{") || meta === null) return null;
  return { id, name, argumentsText, ...meta };
}

/** The members by name; null when the text is no object or has a member that is none of these. */
function membersNamed(
  text: string | undefined,
  names: readonly string[],
): ReadonlyMap<string, string> | null {
  if (text?.startsWith("{") !== true) return null;
  const members = objectMembers(text);
  return members.every(({ key }) => names.includes(key)) ? textsOf(members) : null;
}

function textsOf(members: readonly JsonMember[]): ReadonlyMap<string, string> {
  return new Map(members.map(({ key, text }) => [key, text]));
}

function metaOf(text: string | undefined): Pick<PlainCall, "metaText" | "progressToken" | "envelope"> | null {
  if (text === undefined) return { metaText: null, progressToken: undefined, envelope: null };
  if (!text.startsWith("{")) return null;
  const members = objectMembers(text);
  if (members.some(({ key }) => TRACE_KEYS.has(key))) return null;
  const texts = textsOf(members.filter(({ key }) => key === "progressToken" || key.startsWith(PROTOCOL_KEY)));
  const progressToken = idOf(texts.get("progressToken"));
  if (texts.has("progressToken") && progressToken === undefined) return null;
  const envelope = envelopeOf(texts);
  if (envelope === undefined) return null;
  return { metaText: forwardedMeta(members), progressToken, envelope };
}

/** null: there is none. undefined: there is one that others must look at. */
function envelopeOf(own: ReadonlyMap<string, string>): PlainEnvelope | null | undefined {
  const keys = [...own.keys()].filter((key) => key !== "progressToken");
  if (keys.length === 0) return null;
  if (!keys.every((key) => ENVELOPE_KEYS.has(key))) return undefined;
  const version = stringOf(own.get(PROTOCOL_VERSION_META_KEY));
  const capabilities = plainCapabilities(own.get(CLIENT_CAPABILITIES_META_KEY));
  if (version === undefined || capabilities === undefined || !isPlainInfo(own.get(CLIENT_INFO_META_KEY)))
    return undefined;
  return { version, capabilities };
}

const ENVELOPE_KEYS: ReadonlySet<string> = new Set([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
]);

/** Name and version are all that is asked of it. */
function isPlainInfo(text: string | undefined): boolean {
  if (text === undefined) return true;
  const info = membersNamed(text, ["name", "version", "title"]);
  if (info === null || !info.has("name") || !info.has("version")) return false;
  return [...info.values()].every((value) => value.startsWith('"'));
}

/** What each capability may say of itself here. Extensions change what a call means, so they are not plain. */
const PLAIN_CAPABILITIES: ReadonlyMap<string, readonly string[]> = new Map([
  ["roots", []],
  ["sampling", ["context", "tools"]],
  ["elicitation", ["form", "url"]],
]);

function plainCapabilities(text: string | undefined): PlainEnvelope["capabilities"] | undefined {
  const declared = membersNamed(text, [...PLAIN_CAPABILITIES.keys()]);
  if (text === undefined || declared === null) return undefined;
  for (const [capability, value] of declared) {
    const said = membersNamed(value, PLAIN_CAPABILITIES.get(capability) ?? []);
    if (said === null || ![...said.values()].every((detail) => detail === "{}")) return undefined;
  }
  const capabilities: PlainEnvelope["capabilities"] = JSON.parse(text);
  return capabilities;
}

function stringOf(text: string | undefined): string | undefined {
  return text?.startsWith('"') === true ? String(JSON.parse(text)) : undefined;
}

/** A JSON-RPC id or a progress token: a text or a whole number. */
function idOf(text: string | undefined): string | number | undefined {
  if (text === undefined) return undefined;
  if (text.startsWith('"')) return stringOf(text);
  const number = /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
  return Object.is(number, -0) ? undefined : number;
}
