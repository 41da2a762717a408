import type { KeyObject } from "node:crypto";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { expect } from "vitest";
import type { Case, CaseState } from "../../src/domain/case.ts";
import { sha256 } from "../../src/domain/digest.ts";
import { type AgentId, newWriterId, type PersonId, secureRandomBytes } from "../../src/domain/ids.ts";
import { governCall } from "../../src/governance/govern-call.ts";
import type { Store } from "../../src/governance/ports.ts";
import { type HumanDecision, recordDecision } from "../../src/governance/record-decision.ts";
import { createRig, type Rig } from "../../src/governance/rig.testing.ts";
import type { Finding } from "../../src/ledger/finding.ts";
import { loadOrCreateSigningKey } from "../../src/ledger/signing-key.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { openLedgerReader } from "../../src/store/sqlite/ledger-reader.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";

const DATABASE = "atlas.db";

/** Whole numbers from 0 up to below `sides`; the same seed gives the same ones (mulberry32). */
export type Dice = (sides: number) => number;

export function createDice(seed: string): Dice {
  let state = Number.parseInt(sha256(seed).slice(0, 8), 16);
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

export async function idle(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await setImmediate();
}

/** Another process: it opens the same file beside the gateway and does what it is told, at its own pace. */
const OTHER_PROCESS = `
const { parentPort, workerData } = require("node:worker_threads");
const load = (file) => import(workerData.src + file);
(async () => {
  const { openSqliteStore } = await load("store/sqlite/sqlite-store.ts");
  const { newWriterId, secureRandomBytes } = await load("domain/ids.ts");
  const { loadOrCreateSigningKey } = await load("ledger/signing-key.ts");
  const store = await openSqliteStore({
    path: workerData.path,
    writer: newWriterId(secureRandomBytes),
    clock: { nowMs: () => workerData.time[0], monotonicMs: () => workerData.time[0] },
    random: secureRandomBytes,
    signingKey: loadOrCreateSigningKey(workerData.dir).privateKey,
    besideGateway: true,
  });
  parentPort.on("message", async ({ id, method, args }) => {
    try { parentPort.postMessage({ id, value: await store[method](...args) }); }
    catch (error) { parentPort.postMessage({ id, error: String(error) }); }
  });
  parentPort.postMessage({ id: 0 });
})();`;

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

async function openInThread(workerData: object): Promise<{ store: Store; end(): Promise<unknown> }> {
  const worker = new Worker(OTHER_PROCESS, { eval: true, workerData, execArgv: [] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const expectReply = (id: number) => {
    const reply = Promise.withResolvers<unknown>();
    waiting.set(id, reply);
    return reply.promise;
  };
  worker.on("message", ({ id, value, error }: Reply) => {
    if (error === undefined) waiting.get(id)?.resolve(value);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  worker.on("error", (error) => {
    for (const reply of waiting.values()) reply.reject(error);
  });
  let sent = 0;
  const call = (method: string, args: readonly unknown[]) => {
    sent += 1;
    const reply = expectReply(sent);
    worker.postMessage({ id: sent, method, args }, []);
    return reply;
  };
  await expectReply(0);
  const store = new Proxy({} as Store, {
    get:
      (_, method) =>
      (...args: unknown[]) =>
        call(String(method), args),
  });
  return { store, end: () => worker.terminate() };
}

/** A gateway and two other processes on its database: a second connection in this thread, and one in a thread of its own. */
export interface Track {
  readonly rig: Rig;
  /** A second reviewer. */
  readonly rita: PersonId;
  /** The policy that the gateway has loaded; which one is in force, the database says. */
  loaded: Pick<Rig["deps"]["policy"], "evaluate">;
  /** The other process of this round. */
  otherOf(round: number): Store;
  /** Moves the one clock that all of them read. */
  advance(ms: number): void;
  /** What verifying the ledger finds, as the command line does it. */
  problems(): readonly Finding[];
  /** Closes the other processes and the gateway; the folder stays. */
  finish(): Promise<void>;
}

export async function openTrack(): Promise<Track> {
  const rig = await createRig();
  const { dir, clock } = rig;
  const file = path.join(dir, DATABASE);
  const keys = loadOrCreateSigningKey(dir);
  const random = secureRandomBytes;
  const writer = newWriterId(random);
  const signingKey = keys.privateKey;
  const beside = await openSqliteStore({
    path: file,
    writer,
    clock,
    random,
    signingKey,
    besideGateway: true,
  });
  const time = new Float64Array(new SharedArrayBuffer(8));
  time[0] = clock.nowMs();
  const src = `${pathToFileURL(path.resolve(import.meta.dirname, "../../src")).href}/`;
  const thread = await openInThread({ src, path: file, dir, time });
  const rita = "rita" as PersonId;
  await rig.store.addPerson({ id: rita, roles: ["reviewer"], tokenSha256: sha256("rita"), by: null });
  return {
    rig,
    rita,
    loaded: rig.deps.policy,
    otherOf: (round) => (round % 2 === 0 ? beside : thread.store),
    advance(ms) {
      clock.advance(ms);
      time[0] = clock.nowMs();
    },
    problems: () => problemsOf(file, keys.publicKey),
    async finish() {
      await beside.close();
      await thread.store.close();
      await thread.end();
      await rig.store.close();
    },
  };
}

function problemsOf(file: string, publicKey: KeyObject): readonly Finding[] {
  const reader = openLedgerReader(file);
  try {
    const [events, heads] = [reader.events(), reader.heads()];
    const [cases, payloads] = [reader.cases(), reader.payloads()];
    return verifyLedger({ events, heads, publicKey, cases, payloads }).findings;
  } finally {
    reader.close();
  }
}

/** One call that a race is about; no two have the same arguments, or the same agent. */
export interface Item {
  readonly amount: number;
  readonly agentId: AgentId;
  readonly argumentsText: string;
}

let made = 0;

export async function makeItems({ rig }: Track, count: number): Promise<readonly Item[]> {
  const items = Array.from({ length: count }, () => {
    made += 1;
    return { amount: made, agentId: `agent-${made}` as AgentId, argumentsText: `{"amount":${made}}` };
  });
  await Promise.all(
    items.map(({ agentId: id }) =>
      rig.store.addAgent({ id, ownerId: rig.owner, keySha256: sha256(id), by: null }),
    ),
  );
  return items;
}

/** A call whose case is there already. */
export interface Waiting {
  readonly item: Item;
  readonly case: Case;
}

/** Cases that wait for a review. */
export function openCases(
  { rig }: Track,
  items: readonly Item[],
  reviewForMs: (round: number) => number,
): Promise<readonly Waiting[]> {
  return Promise.all(
    items.map(async (item, round) => {
      const { agentId, argumentsText } = item;
      const call = { agentId, exposedName: "send_money", argumentsText, metaText: null };
      const answer = await governCall(call, { ...rig.deps, reviewForMs: reviewForMs(round) });
      if (answer.kind !== "pending") throw new Error(`The call does not wait: ${answer.kind}`);
      return { item, case: answer.case };
    }),
  );
}

type DecisionDeps = Parameters<typeof recordDecision>[1];

export function decisionDeps({ rig }: Track, store: Store, change: Partial<DecisionDeps> = {}): DecisionDeps {
  return {
    ...rig.deps,
    store,
    engine: { wake: () => undefined },
    singleOperator: false,
    editing: { ...rig.deps, store },
    ...change,
  };
}

export function approval({ rig }: Track, waiting: Case): HumanDecision {
  const { ref, actionDigest: digestShown } = waiting;
  return { ref, personId: rig.reviewer, decision: "APPROVED", digestShown, reason: null };
}

/** Cases that a human approved and that have not run. */
export async function openApproved(
  track: Track,
  items: readonly Item[],
  runWithinMs: (round: number) => number,
): Promise<readonly Waiting[]> {
  const cases = await openCases(track, items, () => 24 * 3_600_000);
  await Promise.all(
    cases.map((waiting, round) =>
      recordDecision(
        approval(track, waiting.case),
        decisionDeps(track, track.rig.store, { runWithinMs: runWithinMs(round) }),
      ),
    ),
  );
  return cases;
}

/** The gateway as it runs, but that it listed its tools before the race began, and takes its time before it claims. */
export function gateway(track: Track, beforeClaim: () => Promise<void>): Rig["deps"] {
  const { rig } = track;
  const store: Store = {
    ...rig.store,
    async claim(params) {
      await beforeClaim();
      return rig.store.claim(params);
    },
    async openCase(params) {
      await beforeClaim();
      return rig.store.openCase(params);
    },
  };
  const policy = { ...rig.deps.policy, evaluate: (of: Subject) => track.loaded.evaluate(of) };
  return { ...rig.deps, store, policy, upstreams: withoutListing(rig) };
}

type Subject = Parameters<Rig["deps"]["policy"]["evaluate"]>[0];

function withoutListing({ upstreams, agentId }: Rig): Rig["upstreams"] {
  return {
    ...upstreams,
    openSession: async (upstream) => ({
      upstreamFingerprint: sha256("bank"),
      tools: upstreams.listTools(),
      dispatch: (call) =>
        upstreams.dispatchLive({
          ...call,
          upstream,
          upstreamFingerprint: sha256("bank"),
          agentId,
          session: "race",
          client: null,
        }),
      close: async () => undefined,
    }),
  };
}

/** How often the upstream was sent this call. */
export function runsOf({ rig }: Track, argumentsText: string): number {
  return rig.upstreams.received.filter((call) => call.argumentsText === argumentsText).length;
}

export async function stateOf({ rig }: Track, waiting: Case): Promise<CaseState | undefined> {
  return (await rig.store.getCase(waiting.ref))?.state;
}

/** Runs both, the one or the other first, or the second only when the first is through. */
export async function interleave(
  dice: Dice,
  other: () => Promise<unknown>,
  ours: () => Promise<unknown>,
): Promise<void> {
  const late = (run: () => Promise<unknown>) => async () => {
    await idle(dice(10));
    await run();
  };
  const sides = [late(other), late(ours)];
  if (dice(5) === 0) sides.reverse();
  const [first = ours, second = other] = sides;
  if (dice(4) === 0) {
    await first();
    await second();
  } else {
    await Promise.all([first(), second()]);
  }
}

/** How the rounds of one race went; a race that only ever goes one way shows nothing. */
export interface Tally {
  otherFirst: number;
  oursFirst: number;
}

export function expectBothWays({ otherFirst, oursFirst }: Tally): void {
  expect(otherFirst, "rounds in which the other was first").toBeGreaterThan(5);
  expect(oursFirst, "rounds in which the gateway was first").toBeGreaterThan(5);
}
