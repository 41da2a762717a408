import { randomUUID } from "node:crypto";
import type { RequestOn } from "./listing.ts";
import { mergeMeta, requestText } from "./raw-json.ts";
import { RAW_ID_PREFIX, type RawReply } from "./raw-transport.ts";

/** One request that asks an upstream for something to read. */
export interface ReadRequest {
  readonly method: string;
  /** Members of `params` as JSON texts, without `_meta`. */
  readonly params: Readonly<Record<string, string>>;
  readonly metaText: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** Sends a request and waits for its answer, at most for the deadline. Never throws for what the upstream does. */
export async function exchangeRead(
  read: ReadRequest,
  on: RequestOn,
): Promise<[reply: RawReply, cause: "timeout" | "disconnected"]> {
  const id = `${RAW_ID_PREFIX}${randomUUID()}`;
  const late = AbortSignal.timeout(on.deadlineMs);
  const signal = read.signal === undefined ? late : AbortSignal.any([late, read.signal]);
  const { method, params, metaText } = read;
  const reply = await on.transport.exchange({
    id,
    method,
    text: requestText({ id, method, params: { ...params, _meta: mergeMeta(metaText, on.envelope) } }),
    routing: {
      ...(params["name"] !== undefined && { name: String(JSON.parse(params["name"])) }),
      ...(params["uri"] !== undefined && { uri: String(JSON.parse(params["uri"])) }),
      meta: on.envelope,
    },
    headers: {},
    mayWrite: () => true,
    onProgress: undefined,
    signal,
  });
  return [reply, late.aborted ? "timeout" : "disconnected"];
}
