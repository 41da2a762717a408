import { isIP } from "node:net";
import type { Clock } from "../../domain/clock.ts";

/** Failures an address may make within {@link ADDRESS_WINDOW_MS}, with any account and with tokens. */
export const ADDRESS_FAILURES = 10;
export const ADDRESS_WINDOW_MS = 60_000;

/**
 * Wrong passwords for one account within {@link ACCOUNT_WINDOW_MS}, from all addresses it was never signed in from.
 * NIST SP 800-63B-4, section 3.2.2, would disable an account after 100 in a row, which lets a stranger lock anybody out; at this
 * rate a guesser has a thousand tries a day against fifteen characters, and the person still has their token.
 */
export const ACCOUNT_FAILURES = 10;
export const ACCOUNT_WINDOW_MS = 15 * 60_000;

/** Addresses remembered for an account: desk, home, phone, and some to spare. */
const KNOWN_ADDRESSES = 5;
const MAX_REMEMBERED = 10_000;

/** A try with a password. Counts as failed from the start, so that many at once do not all get through. */
export type PasswordTry =
  | { readonly kind: "wait"; readonly waitMs: number }
  | {
      readonly kind: "try";
      /** It was right: it does not count, and the address is known for the account from now on. */
      succeeded(): void;
      /** It was not checked after all: it does not count. */
      dropped(): void;
    };

/**
 * Slows down guessing, in memory and without ever locking an account: every limit passes by itself, an account's own
 * addresses are not held up by strangers elsewhere, and a right token is never counted nor held up.
 */
export interface SignInThrottle {
  /** A token opened nothing. @returns how long this address must wait; 0 when it may try on */
  tokenFailed(address: string): number;
  tryPassword(params: { readonly address: string; readonly account: string }): PasswordTry;
}

export function createSignInThrottle(deps: { readonly clock: Clock }): SignInThrottle {
  const addresses = createCounter(deps.clock, ADDRESS_FAILURES, ADDRESS_WINDOW_MS);
  const accounts = createCounter(deps.clock, ACCOUNT_FAILURES, ACCOUNT_WINDOW_MS);
  const known = new Map<string, readonly string[]>();

  return {
    tokenFailed(address) {
      const key = networkOf(address);
      const waitMs = addresses.waitMs(key);
      if (waitMs === 0) addresses.add(key);
      return waitMs;
    },
    tryPassword({ address, account }) {
      const from = networkOf(address);
      const isKnown = known.get(account)?.includes(from) === true;
      const waitMs = Math.max(addresses.waitMs(from), isKnown ? 0 : accounts.waitMs(account));
      if (waitMs > 0) return { kind: "wait", waitMs };
      const undo = [addresses.add(from), ...(isKnown ? [] : [accounts.add(account)])];
      const dropped = () => {
        for (const takeBack of undo.splice(0)) takeBack();
      };
      return {
        kind: "try",
        dropped,
        succeeded() {
          dropped();
          const others = known.get(account)?.filter((other) => other !== from) ?? [];
          remember(known, account, [from, ...others].slice(0, KNOWN_ADDRESSES));
        },
      };
    },
  };
}

/** Who pays for an address: an IPv6 client has at least the /64 around it to itself. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (isIP(plain) !== 6) return plain;
  const [head = "", tail] = (plain.split("%")[0] ?? "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const full =
    tail === undefined ? groups : [...groups, ...Array(8 - groups.length - after.length).fill("0"), ...after];
  return full
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

interface Count {
  failures: number;
  readonly sinceMs: number;
}

function createCounter(clock: Clock, limit: number, windowMs: number) {
  const counts = new Map<string, Count>();

  function current(key: string): Count | undefined {
    const count = counts.get(key);
    if (count === undefined || clock.nowMs() - count.sinceMs < windowMs) return count;
    counts.delete(key);
    return undefined;
  }

  return {
    waitMs(key: string): number {
      const count = current(key);
      return count === undefined || count.failures < limit ? 0 : count.sinceMs + windowMs - clock.nowMs();
    },
    /** @returns takes it back */
    add(key: string): () => void {
      const count = current(key) ?? { failures: 0, sinceMs: clock.nowMs() };
      count.failures += 1;
      remember(counts, key, count);
      return () => {
        count.failures -= 1;
      };
    },
  };
}

/** Keeps the newest; what was remembered longest ago goes when there is too much. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  const oldest = map.size >= MAX_REMEMBERED ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}
