import { expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import { type AgentId, secureRandomBytes } from "../domain/ids.ts";
import { createRequestStates, type StateBinding } from "./request-state.ts";
import { createTestClock } from "./rig.testing.ts";

const BINDING: StateBinding = {
  agentId: "teller" as AgentId,
  upstream: "bank",
  tool: "send_money",
  argumentsSha256: sha256("{}"),
};
const clock = createTestClock();
const states = createRequestStates(new Uint8Array(32), clock, secureRandomBytes);

test.each(["", "state", null])("what was sealed opens for its call: %j", (state) => {
  const sealed = states.seal(BINDING, state);
  expect(sealed).toMatch(/^[\w-]+$/);
  expect(states.open(BINDING, sealed)).toEqual({ state });
});

test("the client cannot read it", () => {
  const sealed = states.seal(BINDING, "state-of-upstream");
  expect(Buffer.from(sealed, "base64url").toString("latin1")).not.toContain("state-of-upstream");
});

test.each([
  { agentId: "other" as AgentId },
  { upstream: "other" },
  { tool: "other" },
  { argumentsSha256: sha256('{"amount":1}') },
])("it opens for no other call: %j", (change) => {
  expect(states.open({ ...BINDING, ...change }, states.seal(BINDING, "s"))).toBeUndefined();
});

test("it does not open changed, cut, made up, or by another gateway", () => {
  const sealed = states.seal(BINDING, "s");
  const bytes = Buffer.from(sealed, "base64url");
  for (const at of [0, 12, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(states.open(BINDING, changed.toString("base64url"))).toBeUndefined();
  }
  for (const other of ["", "x", "state", sealed.slice(0, -4), "A".repeat(200)])
    expect(states.open(BINDING, other)).toBeUndefined();
  const elsewhere = createRequestStates(new Uint8Array(32).fill(1), clock, secureRandomBytes);
  expect(elsewhere.open(BINDING, sealed)).toBeUndefined();
});

test("it opens for an hour", () => {
  const sealed = states.seal(BINDING, "s");
  clock.advance(60 * 60_000);
  expect(states.open(BINDING, sealed)).toEqual({ state: "s" });
  clock.advance(1);
  expect(states.open(BINDING, sealed)).toBeUndefined();
});
