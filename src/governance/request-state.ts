import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import { sha256 } from "../domain/digest.ts";
import type { AgentId, RandomBytes, Sha256Hex } from "../domain/ids.ts";
import type { CallRetry } from "./ports.ts";
import type { RawCall } from "./raw-call.ts";

/** How long a client may take to answer; a person may have to be asked. */
const VALID_MS = 60 * 60_000;

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The call that a state belongs to. It opens for no other. */
export interface StateBinding {
  readonly agentId: AgentId;
  readonly upstream: string;
  readonly tool: string;
  readonly argumentsSha256: Sha256Hex;
}

/**
 * What an upstream wants back with the answer to its question (`requestState` of protocol 2026-07-28), in an envelope of
 * ours: the client cannot read it, change it, or send it with another call, tool, agent or after its time.
 */
export interface RequestStates {
  /** @param state the upstream's own; null when it gave none */
  seal(binding: StateBinding, state: string | null): string;
  /** @returns undefined when the envelope is not ours, not of this call, or too old */
  open(binding: StateBinding, sealed: string): { readonly state: string | null } | undefined;
}

/** @param key 32 bytes; AES-256-GCM with a random IV for each envelope */
export function createRequestStates(key: Uint8Array, clock: Clock, random: RandomBytes): RequestStates {
  return {
    seal: (binding, state) => {
      const iv = random(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(bound(binding));
      const text = JSON.stringify({ state, until: clock.nowMs() + VALID_MS });
      const sealed = Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return sealed.toString("base64url");
    },
    open: (binding, sealed) => {
      const bytes = Buffer.from(sealed, "base64url");
      if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
      const iv = bytes.subarray(0, IV_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES })
        .setAAD(bound(binding))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const text =
          decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
        const { state, until }: { state: string | null; until: number } = JSON.parse(text);
        return clock.nowMs() <= until ? { state } : undefined;
      } catch {
        // The tag does not fit: tampered with, or sealed for another call.
        return undefined;
      }
    },
  };
}

/** The call that an agent's envelope would have to belong to. */
export function bindingOf(
  call: Pick<RawCall, "agentId" | "argumentsText">,
  at: { readonly upstream: string; readonly tool: string },
): StateBinding {
  const { agentId, argumentsText } = call;
  return { agentId, upstream: at.upstream, tool: at.tool, argumentsSha256: sha256(argumentsText) };
}

/**
 * What a call that brings answers hands on to its upstream.
 *
 * @returns null for a call that brings none; undefined when it brings answers that nobody asked for, which refuses it
 */
export function readRetry(
  call: RawCall,
  binding: StateBinding,
  states: RequestStates,
): CallRetry | null | undefined {
  const { retry } = call;
  if (retry === undefined) return null;
  if (retry.requestState === null || call.client?.asked !== "by_result") return undefined;
  const opened = states.open(binding, retry.requestState);
  return opened && { inputResponsesText: retry.inputResponsesText, requestState: opened.state };
}

function bound({ agentId, upstream, tool, argumentsSha256 }: StateBinding): Buffer {
  return Buffer.from(JSON.stringify([agentId, upstream, tool, argumentsSha256]));
}
