import { hash } from "node:crypto";
import type { AgentId, Sha256Hex } from "./ids.ts";
import { canonicalJson, type JsonValue } from "./jcs.ts";

export function sha256(data: string | Uint8Array): Sha256Hex {
  return hash("sha256", data) as Sha256Hex;
}

/** What an approval is bound to. Everything here is fixed by the call but pin and fingerprint, which may change while it waits. */
export interface ActionDigestParams {
  /** 128 random bits of the case: makes digests of equal calls differ and hides the arguments behind the digest. */
  readonly nonce: string;
  readonly upstream: string;
  readonly upstreamFingerprint: Sha256Hex;
  /** Tool's name at the upstream. */
  readonly tool: string;
  readonly toolPin: Sha256Hex;
  readonly argumentsSha256: Sha256Hex;
  /** Hash of the forwarded `_meta`, null when nothing is forwarded. */
  readonly metaSha256: Sha256Hex | null;
  readonly agentId: AgentId;
}

/** SHA-256 over the canonical JSON of everything an approval is bound to. */
export function actionDigest(params: ActionDigestParams): Sha256Hex {
  return sha256(
    canonicalJson({
      v: 1,
      agent: params.agentId,
      arguments_sha256: params.argumentsSha256,
      meta_sha256: params.metaSha256,
      nonce: params.nonce,
      tool: params.tool,
      tool_pin: params.toolPin,
      upstream: params.upstream,
      upstream_fingerprint: params.upstreamFingerprint,
    }),
  );
}

/** Hash of a tool's whole definition, unknown members included, so that no change of it goes unseen. */
export function toolPin(definition: object): Sha256Hex {
  return sha256(canonicalJson(definition as JsonValue));
}

/** Commitment to bytes that may be erased later: without the salt nobody can test a guess against it. */
export function commitment(saltHex: string, bytes: string): Sha256Hex {
  return sha256(Buffer.concat([Buffer.from(saltHex, "hex"), Buffer.from(bytes)]));
}

/** Equal for the same call of the same agent; how a repeated call finds its open case. */
export function joinKey(
  params: Pick<ActionDigestParams, "agentId" | "upstream" | "tool" | "argumentsSha256">,
): Sha256Hex {
  return sha256(canonicalJson([params.agentId, params.upstream, params.tool, params.argumentsSha256]));
}
