import { sha256 } from "../domain/digest.ts";
import { type AgentId, type RandomBytes, randomHex } from "../domain/ids.ts";
import type { ReadKind, ReadMethod } from "../domain/offer.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { LiveClient } from "./live-client.ts";
import type { DispatchOutcome, RawResult, RawRpcError, Upstreams } from "./ports.ts";
import type { ReadDispatchParams, ReadStore, UpstreamOffers } from "./read-ports.ts";
import { type RuleReadDeps, ruleRead } from "./rule-read.ts";
import type { ReadRuling } from "./transitions/read.ts";

/** Longer than any URI or name that a server in use lists; anything longer is no honest question. */
export const MAX_SUBJECT_LENGTH = 2_048;

/** What an agent asks to read, named as the agent sees it. */
export type ReadTarget =
  | { readonly kind: "resource"; readonly uri: string }
  | { readonly kind: "template"; readonly uriTemplate: string }
  | { readonly kind: "prompt"; readonly exposedName: string };

export interface RawRead {
  /** From the credential, never from the request. */
  readonly agentId: AgentId;
  readonly method: ReadMethod;
  readonly target: ReadTarget;
  /** The upstream's own name for the target, once it is known, gives the members of `params`. */
  readonly params: (nameAtUpstream: string) => ReadDispatchParams["params"];
  readonly metaText: string | null;
  /** Absent or null: nobody whom an upstream could know. */
  readonly client?: LiveClient | null;
  readonly signal?: AbortSignal;
}

/** What the agent hears of one read. */
export type ReadAnswer =
  | { readonly kind: "result"; readonly result: RawResult }
  | { readonly kind: "rpc_error"; readonly error: RawRpcError }
  /** The upstream tells of changes from now on, until the function is called. */
  | { readonly kind: "watching"; readonly upstream: string; readonly end: () => void }
  | { readonly kind: "refused"; readonly reasonId: ReasonId };

export interface GovernReadDeps extends RuleReadDeps {
  readonly store: ReadStore;
  readonly upstreams: UpstreamOffers & Pick<Upstreams, "endSession">;
  readonly random: RandomBytes;
  readonly maxResultBytes: number;
}

/** How often a read is ruled anew because the policy changed under it, before it is refused. */
const MAX_RULINGS = 3;

interface Found {
  readonly upstream: string;
  /** Name that policy and upstream know it by. */
  readonly name: string;
}

/**
 * The one way of a read through the gateway: find whose it is, ask policy, record, read, record what came, answer.
 * Both records are durable before the agent hears anything.
 *
 * @throws AtlasError `store.failed` when a record could not be written
 */
export async function governRead(read: RawRead, deps: GovernReadDeps): Promise<ReadAnswer> {
  const subject = subjectOf(read.target);
  const trace = {
    readId: randomHex(16, deps.random),
    agentId: read.agentId,
    method: read.method,
    kind: kindOf(read.target),
    subjectSha256: sha256(subject),
  };
  const found = subject.length > MAX_SUBJECT_LENGTH ? "arguments.invalid" : find(read.target, deps.upstreams);
  if (typeof found === "string") {
    const result = await deps.store.recordRead({ ...trace, ruled: null, ruling: refusal(found) });
    return { kind: "refused", reasonId: result.kind === "refused" ? result.reasonId : found };
  }
  for (let ruling = 0; ruling < MAX_RULINGS; ruling++) {
    // One copy for each ruling: a reload between two awaits must not mix two configurations.
    const rules = { ...deps };
    const ruled = ruleRead({ agentId: read.agentId, kind: trace.kind, ...found }, rules);
    const recorded = await deps.store.recordRead({
      ...trace,
      ruled: { upstream: found.upstream, policy: ruled.policy },
      ruling: ruled.ruling,
    });
    if (recorded.kind === "policy_outdated") continue;
    if (recorded.kind === "refused") return recorded;
    return carryOut(read, found, trace.readId, deps);
  }
  const unsettled = refusal("policy.error");
  await deps.store.recordRead({ ...trace, ruled: null, ruling: unsettled });
  return { kind: "refused", reasonId: unsettled.reasonId };
}

async function carryOut(
  read: RawRead,
  found: Found,
  readId: string,
  deps: GovernReadDeps,
): Promise<ReadAnswer> {
  const { method } = read;
  const reached =
    method === "resources/subscribe" ? await watch(found, deps) : await ask({ ...read, method }, found, deps);
  await deps.store.recordReadAnswer({
    readId,
    agentId: read.agentId,
    upstream: found.upstream,
    reasonId: reached.reasonId,
    resultSha256: reached.text === null ? null : sha256(reached.text),
  });
  return reached.answer;
}

interface Reached {
  readonly answer: ReadAnswer;
  readonly reasonId: ReasonId;
  /** What the upstream answered; null when nothing of it is passed on. */
  readonly text: string | null;
}

async function watch(found: Found, deps: GovernReadDeps): Promise<Reached> {
  const end = await deps.upstreams.watchResource({ upstream: found.upstream, uri: found.name });
  if (end === null) return refused("subscription.unsupported");
  return {
    answer: { kind: "watching", upstream: found.upstream, end },
    reasonId: "upstream.answered",
    text: null,
  };
}

async function ask(
  read: RawRead & Pick<ReadDispatchParams, "method">,
  found: Found,
  deps: GovernReadDeps,
): Promise<Reached> {
  const { agentId, client = null } = read;
  const session = client?.session ?? randomHex(16, deps.random);
  try {
    const outcome = await deps.upstreams.read({
      upstream: found.upstream,
      agentId,
      session,
      client,
      method: read.method,
      params: read.params(found.name),
      metaText: read.metaText,
      ...(read.signal && { signal: read.signal }),
    });
    return judgeAnswer(outcome, found.upstream, deps);
  } finally {
    if (session !== client?.session) deps.upstreams.endSession({ agentId, session });
  }
}

/** An answer is passed on whole or not at all. */
function judgeAnswer(outcome: DispatchOutcome, upstream: string, deps: GovernReadDeps): Reached {
  switch (outcome.kind) {
    case "not_sent":
      return refused("upstream.unreachable");
    case "no_answer":
      return refused(outcome.cause === "timeout" ? "upstream.timeout" : "upstream.disconnected");
    case "protocol_error": {
      const text = JSON.stringify(outcome.error);
      if (Buffer.byteLength(text) > deps.maxResultBytes) return refused("upstream.result_too_large");
      return {
        answer: { kind: "rpc_error", error: outcome.error },
        reasonId: "upstream.protocol_error",
        text,
      };
    }
    case "answered": {
      const { result } = outcome;
      const resultType = result["resultType"] ?? "complete";
      if (resultType !== "complete") return refused("upstream.input_required");
      const text = JSON.stringify(result);
      if (Buffer.byteLength(text) > deps.maxResultBytes) return refused("upstream.result_too_large");
      if (namesAnothersResource(result, upstream, deps.upstreams)) return refused("upstream.foreign_uri");
      return { answer: { kind: "result", result }, reasonId: "upstream.answered", text };
    }
    case "asked":
      return refused("upstream.input_required");
    case "too_large":
      return refused("upstream.result_too_large");
    default:
      return outcome satisfies never;
  }
}

function refused(reasonId: ReasonId): Reached {
  return { answer: { kind: "refused", reasonId }, reasonId, text: null };
}

/** A reader takes the URI in an answer for where the text is from, so an upstream may not speak for another's. */
function namesAnothersResource(
  result: RawResult,
  upstream: string,
  offers: Pick<UpstreamOffers, "routeResource">,
): boolean {
  const { contents } = result;
  if (!Array.isArray(contents)) return false;
  return contents.some((content: unknown) => {
    if (typeof content !== "object" || content === null || !("uri" in content)) return false;
    const { uri } = content;
    if (typeof uri !== "string" || uri.length > MAX_SUBJECT_LENGTH) return true;
    const route = offers.routeResource(uri);
    return route.kind === "found" && route.upstream !== upstream;
  });
}

function find(target: ReadTarget, upstreams: UpstreamOffers): Found | ReasonId {
  switch (target.kind) {
    case "resource": {
      const route = upstreams.routeResource(target.uri);
      if (route.kind === "found") return { upstream: route.upstream, name: target.uri };
      if (route.kind === "ambiguous") return "arguments.ambiguous";
      return route.kind === "quarantined" ? "resource.quarantined" : "resource.unknown";
    }
    case "template": {
      const template = upstreams.findTemplate(target.uriTemplate);
      return template === undefined
        ? "resource.unknown"
        : { upstream: template.upstream, name: target.uriTemplate };
    }
    case "prompt": {
      const prompt = upstreams.findPrompt(target.exposedName);
      if (prompt === undefined) return "prompt.unknown";
      return prompt === "quarantined"
        ? "prompt.quarantined"
        : { upstream: prompt.upstream, name: prompt.name };
    }
    default:
      return target satisfies never;
  }
}

function refusal(reasonId: ReasonId): ReadRuling {
  return { allowed: false, reasonId, observedReasonId: null };
}

function subjectOf(target: ReadTarget): string {
  if (target.kind === "resource") return target.uri;
  return target.kind === "template" ? target.uriTemplate : target.exposedName;
}

function kindOf(target: ReadTarget): ReadKind {
  return target.kind === "prompt" ? "prompt" : "resource";
}
