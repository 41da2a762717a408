import { beforeEach, describe, expect, test } from "vitest";
import { createTestClock, type TestClock } from "../gateway.testing.ts";
import {
  ACCOUNT_FAILURES,
  ACCOUNT_WINDOW_MS,
  ADDRESS_FAILURES,
  ADDRESS_WINDOW_MS,
  createSignInThrottle,
  type SignInThrottle,
} from "./sign-in-throttle.ts";

let clock: TestClock;
let throttle: SignInThrottle;
beforeEach(() => {
  clock = createTestClock(1_000_000);
  throttle = createSignInThrottle({ clock });
});

const guess = (address: string, account = "sarah") => throttle.tryPassword({ address, account });

/** Guesses from one address after the other, so that only the account's limit counts. */
function guessFromEverywhere(): void {
  for (let i = 0; i < ACCOUNT_FAILURES; i += 1) expect(guess(`203.0.113.${i}`).kind).toBe("try");
}

describe("createSignInThrottle", () => {
  test("holds up an address that fails too often, with whatever it fails, until its time has passed", () => {
    for (let i = 0; i < ADDRESS_FAILURES / 2; i += 1) {
      expect(throttle.tokenFailed("198.51.100.7")).toBe(0);
      expect(guess("198.51.100.7", `person-${i}`).kind).toBe("try");
    }
    clock.advance(1_000);
    expect(guess("198.51.100.7", "somebody-else")).toEqual({
      kind: "wait",
      waitMs: ADDRESS_WINDOW_MS - 1_000,
    });
    expect(throttle.tokenFailed("198.51.100.7")).toBe(ADDRESS_WINDOW_MS - 1_000);
    expect(guess("198.51.100.8", "somebody-else").kind).toBe("try");
    clock.advance(ADDRESS_WINDOW_MS - 1_000);
    expect(guess("198.51.100.7", "somebody-else").kind).toBe("try");
  });

  test.each([
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1"],
    ["2001:db8::1", "2001:0db8:0:0:9::", "2001:db8:0:1::1"],
    ["fe80::1%eth0", "fe80::2", "fe80:0:0:1::1"],
    ["::ffff:198.51.100.7", "198.51.100.7", "198.51.100.8"],
    ["::1", "::2", "1::1"],
  ])("takes %s and %s for one, and %s for another", (address, same, other) => {
    for (let i = 0; i < ADDRESS_FAILURES; i += 1) throttle.tokenFailed(address);
    expect(throttle.tokenFailed(same)).toBeGreaterThan(0);
    expect(throttle.tokenFailed(other)).toBe(0);
  });

  test("holds up an account that is guessed at from everywhere, for a while and never for good", () => {
    guessFromEverywhere();
    expect(guess("192.0.2.1")).toEqual({ kind: "wait", waitMs: ACCOUNT_WINDOW_MS });
    expect(guess("192.0.2.1", "rita").kind).toBe("try");
    clock.advance(ACCOUNT_WINDOW_MS);
    expect(guess("192.0.2.1").kind).toBe("try");
  });

  test("lets a person sign in from where they did before, whatever strangers do elsewhere", () => {
    const own = guess("192.0.2.1");
    if (own.kind === "try") own.succeeded();
    guessFromEverywhere();
    expect(guess("192.0.2.2").kind).toBe("wait");
    expect(guess("192.0.2.1").kind).toBe("try");
    for (let i = 0; i < ADDRESS_FAILURES; i += 1) guess("192.0.2.1");
    expect(guess("192.0.2.1").kind).toBe("wait");
  });

  test("counts tries that are still being checked, and not those that were right or never checked", () => {
    for (let round = 0; round < 3 * ADDRESS_FAILURES; round += 1) {
      const one = guess("192.0.2.1");
      if (one.kind !== "try") throw new Error("held up");
      if (round % 2 === 0) one.succeeded();
      else one.dropped();
    }
    const open = Array.from({ length: ADDRESS_FAILURES + 5 }, () => guess("192.0.2.1"));
    expect(open.filter(({ kind }) => kind === "wait")).toHaveLength(5);
  });
});
