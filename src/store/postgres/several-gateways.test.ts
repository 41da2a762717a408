import { createPublicKey } from "node:crypto";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createPostgresDatabase } from "../../../test/servers/postgres-database.ts";
import type { CaseRef } from "../../domain/ids.ts";
import type { CaseChanged, ChangeOrigin, ToolChanged } from "../../governance/ports.ts";
import { verifyStreamedLedger } from "../../ledger/verify.ts";
import {
  ADMIN,
  type Gateway,
  openGateway,
  RITA,
  setUp,
  type TestDatabase,
  TOOL,
  testSigningKey,
} from "../fixture.testsuite.ts";
import { loadDriver } from "./driver.ts";
import { withPostgresLedger } from "./ledger-reader.ts";
import { lockStatement } from "./locks.ts";
import { openPostgresStore } from "./postgres-store.ts";
import { openSession } from "./session.ts";

const database = await createPostgresDatabase();
afterAll(() => database.drop());

/** Gateways that share the database and go by its clock. */
const shared: Pick<TestDatabase, "open"> = {
  open: ({ clock: _its, besideGateway: _not, ...params }) =>
    openPostgresStore({ ...params, url: database.url, hold: "shared" }),
};

let one: Gateway;
let two: Gateway;
beforeEach(async () => {
  one = await openGateway(shared, { name: "one" });
  await setUp(one.store);
  two = await openGateway(shared, { name: "two" });
});
afterEach(async () => {
  await Promise.all([one.store.close(), two.store.close()]);
  const report = await withPostgresLedger(database.url, (rows) =>
    verifyStreamedLedger({ ...rows, publicKey: createPublicKey(testSigningKey) }),
  );
  await database.empty();
  if (!report.ok) throw new Error(report.findings.map(({ sentence }) => sentence).join("\n"));
});

const ROUNDS = 40;
const both = () => [one, two] as const;

let calls = 0;
/** A case of a call that no gateway ever saw. */
const open = (gateway: Gateway) => gateway.opened({ argumentsText: `{"unlike":${calls++}}` });

async function waiting(count: number): Promise<readonly Awaited<ReturnType<Gateway["opened"]>>[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => open(i % 2 === 0 ? one : two)));
}

describe("two gateways on one database", () => {
  test("of two that claim the same case, one has it, and no token is given twice", async () => {
    const approved = await Promise.all(Array.from({ length: ROUNDS }, () => one.approved()));
    const claims = await Promise.all(
      approved.flatMap((found) => both().map((gateway) => gateway.store.claim(gateway.claimParams(found)))),
    );
    const won = claims.filter((claim) => claim.kind === "claimed");
    expect(won).toHaveLength(ROUNDS);
    expect(new Set(won.map((claim) => claim.case.ref)).size).toBe(ROUNDS);
    expect(new Set(won.map((claim) => claim.token)).size).toBe(ROUNDS);
  });

  test("the same call on both is one case", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const argumentsText = `{"round":${round}}`;
      const results = await Promise.all(
        both().map((gateway) => gateway.store.openCase(gateway.openParams({ argumentsText }))),
      );
      expect(results.map((result) => result.kind).toSorted()).toEqual(["joined", "opened"]);
      const refs = results.map((result) => ("case" in result ? result.case.ref : null));
      expect(new Set(refs).size).toBe(1);
    }
  });

  test("of two decisions one is recorded, and a withdrawal comes before or after the claim, never between", async () => {
    const cases = await waiting(ROUNDS);
    await Promise.all(
      cases.map(async ({ case: found }) => {
        const decisions = await Promise.all([
          one.store.recordDecision(one.decision(found)),
          two.store.recordDecision(two.decision(found, { personId: RITA, decision: "REJECTED" })),
        ]);
        expect(decisions.map(({ kind }) => kind).toSorted()).not.toEqual(["recorded", "recorded"]);
        expect(decisions.map(({ kind }) => kind)).toContain("recorded");
      }),
    );
    const approved = await Promise.all(Array.from({ length: ROUNDS }, () => one.approved()));
    await Promise.all(
      approved.map(async (found) => {
        const [claim] = await Promise.all([
          one.store.claim(one.claimParams(found)),
          two.store.withdraw({ ref: found.ref, actor: { kind: "agent", id: found.agentId } }),
        ]);
        const now = await one.store.getCase(found.ref);
        expect(now?.state).toBe(claim.kind === "claimed" ? "EXECUTING" : "CANCELLED");
      }),
    );
  });

  test("no claim misses a kill switch that was engaged on the other one before it", async () => {
    const approved = await Promise.all(Array.from({ length: ROUNDS }, () => one.approved()));
    let engaged = false;
    const claimed: boolean[] = [];
    await Promise.all([
      ...approved.map(async (found) => {
        const late = engaged;
        const result = await one.store.claim(one.claimParams(found));
        if (result.kind === "claimed") claimed.push(late);
      }),
      (async () => {
        await two.store.engageKillSwitch({ scope: "all", target: "*", by: ADMIN, reason: "stop" });
        engaged = true;
      })(),
    ]);
    expect(claimed).not.toContain(true);
    const rest = await Promise.all(approved.map((found) => two.store.claim(two.claimParams(found))));
    expect(rest.map(({ kind }) => kind)).not.toContain("claimed");
  });

  test("each hears of what the other commits, as of elsewhere, and of its own once", async () => {
    const heard: string[] = [];
    const tools: [ToolChanged, ChangeOrigin][] = [];
    two.store.onChange((change: CaseChanged, origin) => heard.push(`${change.ref} ${change.to} ${origin}`));
    two.store.onToolChange((change, origin) => tools.push([change, origin]));
    const { case: theirs } = await open(one);
    await one.store.recordTools({ upstream: TOOL.upstream, tools: [] });
    const { case: own } = await open(two);
    await vi.waitFor(() => expect(heard).toHaveLength(2), 30_000);
    expect(heard.toSorted()).toEqual(
      [`${theirs.ref} AWAITING_REVIEW elsewhere`, `${own.ref} AWAITING_REVIEW here`].toSorted(),
    );
    await vi.waitFor(() =>
      expect(tools).toEqual([[{ upstream: TOOL.upstream, name: TOOL.name }, "elsewhere"]]),
    );
  });

  test("what was committed while a listener was away is told when it is back", async () => {
    const heard = new Set<CaseRef>();
    two.store.onChange((change, origin) => origin === "elsewhere" && heard.add(change.ref));
    const refs: CaseRef[] = [];
    for (let round = 0; round < 3; round += 1) {
      await database.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and (query ilike 'listen%' or query ilike '%max(id), 0) as id%')",
      );
      refs.push((await open(one)).case.ref);
    }
    await vi.waitFor(() => expect([...heard]).toEqual(expect.arrayContaining(refs)), 30_000);
  });

  test("one that stands still in the midst of a transaction loses it, and holds nobody up for long", async () => {
    const { case: found } = await open(one);
    const stalled = await openSession(await loadDriver(), { url: database.url, name: "stands still" });
    await stalled.exec(
      `begin;${lockStatement("public", [{ guards: "exclusive", keys: [found.ref] }])}select 1`,
    );
    const decided = await two.store.recordDecision(two.decision(found));
    expect(decided).toMatchObject({ kind: "recorded" });
    await expect(stalled.exec("select 1")).rejects.toThrow(/terminat|connection/iu);
    await stalled.close().catch(() => undefined);
  });

  test("a gateway that lost its connection writes again, on the same chain, and takes nobody for dead", async () => {
    await database.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'atlas gateway%'",
    );
    const opened = await Promise.allSettled([open(one), open(two)]);
    // The first may have found its connection broken in the midst; then it says so and nothing is written.
    for (const result of opened)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "store.failed" });
    await open(one);
    await open(two);
    const third = await openGateway(shared, { name: "three" });
    await open(two);
    await third.store.close();
    const events = await database.sql("select bytes from ledger_events");
    expect(events.map(({ bytes }) => JSON.parse(String(bytes)).type)).not.toContain("ledger.gap");
  });
});
