import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../../domain/clock.ts";

/** Largest key set that is read; those of big issuers have about 10 KiB. */
const MAX_JWKS_BYTES = 256 * 1024;
const ANSWER_WITHIN_MS = 5_000;
/** A key that an issuer withdraws is believed no longer than this. */
const KEYS_LAST_MS = 10 * 60_000;
/** Tokens with unknown key ids can be made up, so they make us ask no more often than this. */
const ASK_AGAIN_AFTER_MS = 30_000;
/** How long an issuer that did not give its keys is left alone. */
const RECOVER_MS = 5_000;

/** The issuer's keys cannot be had, so nothing is known of the token. */
export class KeysUnavailable extends Error {}

export interface IssuerKeysParams {
  readonly jwksUrl: string;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Called once for every time the keys could not be had. */
  readonly onUnavailable: (error: unknown) => void;
}

/**
 * Public keys of an issuer, fetched when they are first needed, kept for ten minutes and fetched again when a token names
 * one that is not among them. Redirects are not followed. Rejects with {@link KeysUnavailable} when they cannot be had.
 */
export function createIssuerKeys(params: IssuerKeysParams): JWTVerifyGetKey {
  const { clock } = params;
  let leaveAloneUntilMs = Number.NEGATIVE_INFINITY;
  const keys = createRemoteJWKSet(new URL(params.jwksUrl), {
    timeoutDuration: ANSWER_WITHIN_MS,
    cacheMaxAge: KEYS_LAST_MS,
    cooldownDuration: ASK_AGAIN_AFTER_MS,
    [customFetch]: async (url, init) => {
      if (clock.monotonicMs() < leaveAloneUntilMs) throw new KeysUnavailable("asked a moment ago");
      return readLimited(await fetch(url, init));
    },
  });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isFaultOfToken(error)) throw error;
      if (error instanceof KeysUnavailable) throw error;
      leaveAloneUntilMs = clock.monotonicMs() + RECOVER_MS;
      params.onUnavailable(error);
      throw new KeysUnavailable("the issuer did not give its keys", { cause: error });
    }
  };
}

function isFaultOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** The answer with its whole body, which is read under the same time limit. */
async function readLimited(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_JWKS_BYTES) throw new Error("the key set is too large");
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: response.status });
}
