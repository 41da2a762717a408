import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../src/domain/clock.ts";
import { newCaseRef, newWriterId, randomHex, secureRandomBytes } from "../src/domain/ids.ts";
import { payload } from "../src/governance/transitions/plan.ts";
import { AGENT, AGENT_KEY, autoApproved, OWNER, POLICY, TOOL } from "../src/store/fixture.testsuite.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";

const CALLS = 4_000;
const IN_FLIGHT = 64;

/** Automatic approvals a second, each on disk before it is answered, beside the bare database committing as many rows in groups of that size. */
export async function measureApprovals(): Promise<{
  readonly perSecond: number;
  readonly barePerSecond: number;
}> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-bench-"));
  try {
    const barePerSecond = bare(join(folder, "bare.db"));
    const perSecond = await approvals(join(folder, "atlas.db"));
    return { perSecond, barePerSecond };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function approvals(path: string): Promise<number> {
  const random = secureRandomBytes;
  const writer = newWriterId(random);
  const signingKey = generateKeyPairSync("ed25519").privateKey;
  const store = await openSqliteStore({ path, writer, clock: systemClock, random, signingKey });
  await store.addPerson({ id: OWNER, roles: [], tokenSha256: null, by: null });
  await store.addAgent({ id: AGENT, ownerId: OWNER, keySha256: AGENT_KEY, by: null });
  await store.recordUpstream({ name: TOOL.upstream, fingerprint: TOOL.upstreamFingerprint });
  await store.recordTools({ upstream: TOOL.upstream, tools: [TOOL] });
  await store.activatePolicy(POLICY);
  const open = (n: number) =>
    store.openCase({
      ref: newCaseRef(random),
      nonce: randomHex(16, random),
      agentId: AGENT,
      tool: TOOL,
      arguments: payload("arguments", `{"n":${n}}`, random),
      meta: null,
      assessment: null,
      policy: { verdict: "assess", ruleId: null, version: POLICY },
      threshold: 70,
      ruling: autoApproved,
      safeToRepeat: false,
      acceptanceRevision: null,
      observe: false,
      writer,
      settleWithinMs: 60_000,
      reviewForMs: 60_000,
      runWithinMs: 60_000,
    });
  let next = 0;
  const from = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (next < CALLS) {
        next += 1;
        const { kind } = await open(next);
        if (kind !== "opened") throw new Error(`not opened: ${kind}`);
      }
    }),
  );
  const perSecond = (CALLS * 1000) / (performance.now() - from);
  await store.close();
  return perSecond;
}

/** A case, its payload and three events a call; every group synced. */
function bare(path: string): number {
  const db = new DatabaseSync(path);
  db.exec("pragma journal_mode = wal; pragma synchronous = full");
  db.exec("create table rows (id integer primary key, kind text, bytes text)");
  const insert = db.prepare("insert into rows (kind, bytes) values (?, ?)");
  const bytes = "x".repeat(500);
  const from = performance.now();
  for (let call = 0; call < CALLS; call += IN_FLIGHT) {
    db.exec("begin immediate");
    for (let member = 0; member < IN_FLIGHT; member += 1)
      for (const kind of ["case", "payload", "opened", "authorized", "claimed"]) insert.run(kind, bytes);
    db.exec("commit");
  }
  const perSecond = (CALLS * 1000) / (performance.now() - from);
  db.close();
  return perSecond;
}
