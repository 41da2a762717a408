import { afterEach, describe, expect, test } from "vitest";
import { type Agent, createAgent, createReviewer, GatewayGone, type Reviewer } from "../crash/people.ts";
import { createPostgresDatabase, type PostgresDatabase } from "../servers/postgres-database.ts";
import { type Fleet, type Member, openFleet } from "./fleet.ts";

const HELD_TOOL = "write_thing";
const ENDED = new Set(["SUCCEEDED", "FAILED", "UNKNOWN", "REJECTED", "EXPIRED", "CANCELLED", "DENIED"]);
/** Only ends a test that would hang: a claim of a dead gateway is settled half a minute after it. */
const GUARD_MS = 120_000;

let fleet: Fleet;
let database: PostgresDatabase | null = null;
afterEach(async () => {
  await fleet.dispose();
  await database?.drop();
  database = null;
});

const agentOf = (member: Member): Agent => createAgent(member.url, fleet.credentials().agent.key);
const reviewerOf = (member: Member): Reviewer =>
  createReviewer(member.url, fleet.credentials().reviewer.token);

async function park(member: Member, id: string): Promise<string> {
  const result = await agentOf(member).call(HELD_TOOL, { id });
  expect(result.content[0]?.text).toContain("PENDING REVIEW (Ref: evt_");
  const ref = result._meta?.["atlas-gateway/case"]?.ref;
  if (ref === null || ref === undefined) throw new Error("no reference");
  return ref;
}

async function caseOf(member: Member, ref: string): Promise<{ readonly state: string }> {
  const { token } = fleet.credentials().reviewer;
  const answer = await fetch(`${member.url}/api/v1/cases/${ref}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const body = (await answer.json()) as { case?: { state: string }; state?: string };
  const state = body.case?.state ?? body.state;
  if (state === undefined) throw new Error(`${ref} is not there: ${JSON.stringify(body)}`);
  return { state };
}

/** The state in which the case has ended. */
async function endOf(member: Member, ref: string): Promise<string> {
  const until = performance.now() + GUARD_MS;
  for (;;) {
    const { state } = await caseOf(member, ref);
    if (ENDED.has(state)) return state;
    if (performance.now() > until) throw new Error(`${ref} is still ${state}\n${fleet.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const callsWith = (id: string) =>
  fleet.calls().filter((call) => call.arguments === JSON.stringify({ id })).length;

/** Decides at whichever gateway answers. */
async function approve(members: readonly Member[], ref: string): Promise<void> {
  for (const member of members) {
    try {
      const { status } = await reviewerOf(member).decide(ref, "APPROVED");
      if (status === 200) return;
    } catch (error) {
      if (!(error instanceof GatewayGone)) throw error;
    }
  }
  throw new Error(`nobody took the decision on ${ref}`);
}

describe("one gateway with Inngest", () => {
  test("an approved call runs once, another case stays, and the agent gets the result", async () => {
    fleet = await openFleet(null);
    const gateway = await fleet.start("one");
    const status = (await (await fetch(`${gateway.url}/`)).json()) as { engine: string };
    expect(status.engine).toBe("inngest");
    const ref = await park(gateway, "wanted");
    const other = await park(gateway, "other");
    const { status: answered, text } = await reviewerOf(gateway).decide(ref, "APPROVED");
    expect([answered, JSON.parse(text)]).toEqual([200, { status: "Signal Sent", decision: "APPROVED" }]);
    expect(await endOf(gateway, ref)).toBe("SUCCEEDED");
    expect([callsWith("wanted"), callsWith("other")]).toEqual([1, 0]);
    expect(await caseOf(gateway, other)).toEqual({ state: "AWAITING_REVIEW" });
    const result = await agentOf(gateway).call("check_status", { ref });
    expect(result.content.map((part) => part.text).join("\n")).toContain("write_thing done");
    expect((await fetch(`${gateway.url}/api/inngest`, { method: "POST" })).status).toBe(401);
    expect(fleet.fake.violations).toEqual([]);
  });
});

describe("two gateways on one Postgres database", () => {
  test("under load, one killed, one standing still: every case ends right, and no call runs twice", async () => {
    database = await createPostgresDatabase();
    fleet = await openFleet(database.url);
    const [one, two] = [await fleet.start("one"), await fleet.start("two")];
    const ids = Array.from({ length: 24 }, (_, i) => `thing-${i}`);
    const refs = await Promise.all(ids.map((id, i) => park(i % 2 === 0 ? one : two, id)));
    const approvals = refs.map((ref, i) => approve(i % 2 === 0 ? [one, two] : [two, one], ref));
    // As soon as calls run, one gateway is stopped in the midst of them, the other killed, and a third one started.
    await expect.poll(() => fleet.calls().length, { timeout: GUARD_MS }).toBeGreaterThan(2);
    await Promise.all(approvals);
    two.signal("SIGSTOP");
    one.signal("SIGKILL");
    const three = await fleet.start("three");
    await Promise.all(refs.map((ref) => endOf(three, ref)));
    two.signal("SIGCONT");
    const late = await park(two, "after the stop");
    await approve([two, three], late);
    expect(await endOf(three, late)).toBe("SUCCEEDED");
    const ends = await Promise.all(refs.map(async (ref) => (await caseOf(two, ref)).state));
    for (const [i, id] of ids.entries()) {
      expect(callsWith(id)).toBeLessThanOrEqual(1);
      expect([`${id} SUCCEEDED 1`, `${id} UNKNOWN 0`, `${id} UNKNOWN 1`]).toContain(
        `${id} ${ends[i]} ${callsWith(id)}`,
      );
    }
    // Most of them are not caught in the midst of a call.
    expect(ends.filter((state) => state === "SUCCEEDED").length).toBeGreaterThan(ids.length / 2);
    expect(fleet.fake.violations).toEqual([]);
  });
});
