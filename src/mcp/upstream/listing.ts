import { randomUUID } from "node:crypto";
import type { ServerCapabilities } from "@modelcontextprotocol/client";
import { AtlasError } from "../../domain/errors.ts";
import type { RawOffers } from "./listed-offers.ts";
import { mergeMeta, requestText } from "./raw-json.ts";
import { RAW_ID_PREFIX, type RawRequest, type RawTransport } from "./raw-transport.ts";

/** More pages than this is a server that never ends its list. */
const MAX_PAGES = 1_000;

const METHOD_NOT_FOUND = -32601;

export interface RequestOn {
  readonly transport: RawTransport;
  /** `_meta` that the protocol needs in each request. */
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly deadlineMs: number;
}

/**
 * Resources, templates and prompts, of the kinds that the upstream declares.
 *
 * @throws AtlasError `upstream.unreachable` when one of them cannot be listed
 */
export async function listOffers(
  on: RequestOn,
  capabilities: ServerCapabilities | undefined,
): Promise<RawOffers> {
  const declared = async (has: boolean, method: string, member: string): Promise<readonly unknown[]> =>
    has ? await listAll(on, method, member) : [];
  const hasResources = capabilities?.resources !== undefined;
  return {
    resources: await declared(hasResources, "resources/list", "resources"),
    templates: await declared(hasResources, "resources/templates/list", "resourceTemplates"),
    prompts: await declared(capabilities?.prompts !== undefined, "prompts/list", "prompts"),
  };
}

/**
 * All entries of a list, raw, from every page; none when the upstream does not know the method.
 *
 * @param member of the answer that holds the entries
 * @throws AtlasError `upstream.unreachable` when the list does not come, or does not end
 */
export async function listAll(on: RequestOn, method: string, member: string): Promise<readonly unknown[]> {
  const deadline = AbortSignal.timeout(on.deadlineMs);
  const entries: unknown[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const reply = await on.transport.exchange(listRequest(on, method, cursor, deadline));
    if (reply.kind === "error" && reply.error.code === METHOD_NOT_FOUND) return entries;
    if (reply.kind !== "result") throw notListed(member, reply.kind);
    const listed = reply.result[member];
    if (!Array.isArray(listed)) throw notListed(member, "no list in the answer");
    entries.push(...listed);
    const next = reply.result["nextCursor"];
    if (typeof next !== "string" || next === "") return entries;
    cursor = next;
  }
  throw notListed(member, `more than ${MAX_PAGES} pages`);
}

function notListed(member: string, why: string): AtlasError {
  return new AtlasError("upstream.unreachable", `${member} could not be listed (${why})`);
}

function listRequest(
  on: RequestOn,
  method: string,
  cursor: string | undefined,
  signal: AbortSignal,
): RawRequest {
  const id = `${RAW_ID_PREFIX}${randomUUID()}`;
  const text = requestText({
    id,
    method,
    params: {
      cursor: cursor === undefined ? null : JSON.stringify(cursor),
      _meta: mergeMeta(null, on.envelope),
    },
  });
  return {
    id,
    method,
    text,
    routing: { meta: on.envelope },
    headers: {},
    mayWrite: () => true,
    onProgress: undefined,
    signal,
  };
}
