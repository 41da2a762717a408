import { ProtocolError, ProtocolErrorCode, type ServerContext } from "@modelcontextprotocol/server";
import type { AgentId } from "../../domain/ids.ts";
import { REASONS, type ReasonId } from "../../domain/reasons.ts";
import {
  type GovernReadDeps,
  governRead,
  type RawRead,
  type ReadAnswer,
  type ReadTarget,
} from "../../governance/govern-read.ts";
import type { LiveClient } from "../../governance/live-client.ts";
import type { RawResult } from "../../governance/ports.ts";
import { offersShownTo } from "./offer-view.ts";
import { GOVERNANCE_PROTOCOL, PROMPT } from "./protocol-texts.ts";

/** Whom a read is for. */
export interface Reader {
  readonly agentId: AgentId;
  readonly client?: LiveClient | null;
  /** Where this connection is told of changes; null when it does not stay open. */
  readonly hearing: Hearing | null;
}

/** A connection that stays open, as far as it is told of changes of resources. */
export interface Hearing {
  /** Keeps a watch for as long as the connection lasts. Ends it at once when it is one too many. @returns whether it is kept */
  keep(watch: { readonly uri: string; readonly upstream: string; readonly end: () => void }): boolean;
  forget(uri: string): void;
}

export interface ReadDeps {
  readonly governance: GovernReadDeps;
  readonly onError: (error: unknown) => void;
}

interface Request {
  readonly params?: { readonly [key: string]: unknown } | undefined;
}

type ReadHandler = (
  request: Request,
  ctx: ServerContext,
  reader: Reader,
  deps: ReadDeps,
) => Promise<RawResult>;

/** Everything an agent may ask beside tools. */
export const READ_METHODS: ReadonlyMap<string, ReadHandler> = new Map<string, ReadHandler>([
  ["resources/list", listResources],
  ["resources/templates/list", listTemplates],
  ["resources/read", readResource],
  ["resources/subscribe", subscribe],
  ["resources/unsubscribe", unsubscribe],
  ["prompts/list", listPrompts],
  ["prompts/get", getPrompt],
  ["completion/complete", complete],
]);

async function listResources(
  _r: Request,
  _c: ServerContext,
  reader: Reader,
  deps: ReadDeps,
): Promise<RawResult> {
  return { resources: offersShownTo(reader.agentId, deps.governance).resources() };
}

async function listTemplates(
  _r: Request,
  _c: ServerContext,
  reader: Reader,
  deps: ReadDeps,
): Promise<RawResult> {
  return { resourceTemplates: offersShownTo(reader.agentId, deps.governance).templates() };
}

async function listPrompts(
  _r: Request,
  _c: ServerContext,
  reader: Reader,
  deps: ReadDeps,
): Promise<RawResult> {
  return { prompts: offersShownTo(reader.agentId, deps.governance).prompts() };
}

async function readResource(
  request: Request,
  ctx: ServerContext,
  reader: Reader,
  deps: ReadDeps,
): Promise<RawResult> {
  const uri = textMember(request, "uri");
  const target = { kind: "resource", uri } as const;
  const params = () => membersOf(request);
  return toResult(await read({ method: "resources/read", target, params }, request, ctx, reader, deps));
}

async function getPrompt(
  request: Request,
  ctx: ServerContext,
  reader: Reader,
  deps: ReadDeps,
): Promise<RawResult> {
  const exposedName = textMember(request, "name");
  if (exposedName === PROMPT.name) {
    return {
      description: PROMPT.description,
      messages: [{ role: "user", content: { type: "text", text: GOVERNANCE_PROTOCOL } }],
    };
  }
  const params = (name: string) => ({ ...membersOf(request), name: JSON.stringify(name) });
  const target = { kind: "prompt", exposedName } as const;
  return toResult(await read({ method: "prompts/get", target, params }, request, ctx, reader, deps));
}

async function complete(
  request: Request,
  ctx: ServerContext,
  reader: Reader,
  deps: ReadDeps,
): Promise<RawResult> {
  const { ref, target } = completionTarget(request, deps);
  if (target.kind === "prompt" && target.exposedName === PROMPT.name) {
    return { completion: { values: [], total: 0, hasMore: false } };
  }
  const params = (name: string) => {
    const named = target.kind === "prompt" ? { ...ref, name } : ref;
    return { ...membersOf(request), ref: JSON.stringify(named) };
  };
  return toResult(await read({ method: "completion/complete", target, params }, request, ctx, reader, deps));
}

function completionTarget(
  request: Request,
  deps: ReadDeps,
): { readonly ref: object; readonly target: ReadTarget } {
  const ref = request.params?.["ref"];
  if (typeof ref === "object" && ref !== null && "type" in ref) {
    if (ref.type === "ref/prompt" && "name" in ref && typeof ref.name === "string") {
      return { ref, target: { kind: "prompt", exposedName: ref.name } };
    }
    if (ref.type === "ref/resource" && "uri" in ref && typeof ref.uri === "string") {
      const isTemplate = deps.governance.upstreams.findTemplate(ref.uri) !== undefined;
      const target: ReadTarget = isTemplate
        ? { kind: "template", uriTemplate: ref.uri }
        : { kind: "resource", uri: ref.uri };
      return { ref, target };
    }
  }
  throw invalid("params.ref must be a ref/prompt with a name, or a ref/resource with a uri");
}

async function subscribe(
  request: Request,
  ctx: ServerContext,
  reader: Reader,
  deps: ReadDeps,
): Promise<RawResult> {
  const uri = textMember(request, "uri");
  if (reader.hearing === null) throw refusalError("subscription.no_stream");
  const answer = await read(
    { method: "resources/subscribe", target: { kind: "resource", uri }, params: () => ({}) },
    request,
    ctx,
    reader,
    deps,
  );
  if (answer.kind !== "watching") return toResult(answer);
  if (!reader.hearing.keep({ uri, upstream: answer.upstream, end: answer.end })) {
    throw invalid("this connection watches as many resources as it may; unsubscribe from some");
  }
  return {};
}

async function unsubscribe(request: Request, _ctx: ServerContext, reader: Reader): Promise<RawResult> {
  const uri = textMember(request, "uri");
  if (reader.hearing === null) throw refusalError("subscription.no_stream");
  reader.hearing.forget(uri);
  return {};
}

/** Whatever breaks in us, the read is refused in words the agent can use; nothing of the cause leaves. */
async function read(
  asked: Pick<RawRead, "method" | "target" | "params">,
  request: Request,
  ctx: ServerContext,
  { agentId, client = null }: Reader,
  deps: ReadDeps,
): Promise<ReadAnswer> {
  const { signal } = ctx.mcpReq;
  try {
    return await governRead(
      { ...asked, agentId, client, signal, metaText: forwardedMeta(request) },
      deps.governance,
    );
  } catch (error) {
    deps.onError(error);
    return { kind: "refused", reasonId: "ledger.unavailable" };
  }
}

/** @throws ProtocolError for a refusal, and for the upstream's own JSON-RPC errors */
function toResult(answer: ReadAnswer): RawResult {
  switch (answer.kind) {
    case "result":
      return uncached(answer.result);
    case "rpc_error":
      throw new ProtocolError(answer.error.code, answer.error.message, answer.error.data);
    case "refused":
      throw refusalError(answer.reasonId);
    case "watching":
      answer.end();
      return {};
    default:
      return answer satisfies never;
  }
}

/** An answer that others, or the same agent tomorrow, could take from a cache would be a read that nobody governs. */
function uncached(result: RawResult): RawResult {
  return {
    ...result,
    ...(result["ttlMs"] === undefined ? {} : { ttlMs: 0 }),
    ...(result["cacheScope"] === undefined ? {} : { cacheScope: "private" }),
  };
}

function refusalError(reasonId: ReasonId): ProtocolError {
  const message = `${REASONS[reasonId]} [${reasonId}]`;
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message, { code: reasonId });
}

function invalid(sentence: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, sentence);
}

function textMember(request: Request, member: string): string {
  const value = request.params?.[member];
  if (typeof value === "string" && value !== "") return value;
  throw invalid(`params.${member} must be a text that is not empty`);
}

/** Members of the request's `params` as JSON texts, without `_meta`. */
function membersOf(request: Request): Record<string, string> {
  const members = Object.entries(request.params ?? {}).filter(
    ([member, value]) => member !== "_meta" && value !== undefined,
  );
  return Object.fromEntries(members.map(([member, value]) => [member, JSON.stringify(value)]));
}

/** `_meta` without what concerns only the connection between agent and gateway. */
function forwardedMeta(request: Request): string | null {
  const meta = request.params?.["_meta"];
  if (typeof meta !== "object" || meta === null) return null;
  const kept = Object.entries(meta).filter(
    ([member]) => member !== "progressToken" && !member.startsWith("io.modelcontextprotocol/"),
  );
  return kept.length === 0 ? null : JSON.stringify(Object.fromEntries(kept));
}
