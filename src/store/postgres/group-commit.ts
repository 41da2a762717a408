import { setTimeout as sleep } from "node:timers/promises";
import { AtlasError } from "../../domain/errors.ts";
import type { Change, Commits, Locks, Transaction } from "../commands/commits.ts";
import type { Response, Steps } from "../commands/statement.ts";
import { lockStatement } from "./locks.ts";
import { isConnectionLost, isContention, publicError } from "./problems.ts";
import type { Session } from "./session.ts";

/** Longest group: bounds how long one transaction holds what others wait for. */
const MAX_GROUP = 64;
/** How often a transaction that another one stood in the way of is tried again. */
const TRIES = 3;
/** How long the fate of a COMMIT without an answer is asked for. */
const SETTLE_MS = 20_000;
const SETTLE_EVERY_MS = 200;

export interface GroupCommitDeps {
  /** The writing connection as it lives now, or a new one. @throws AtlasError when there is none to be had */
  readonly session: () => Promise<Session>;
  /** Of the tables; part of the locks' names. */
  readonly schema: string;
  /** null: the database's own. */
  readonly clock: { readonly nowMs: () => number } | null;
  /** Something was rolled back, or may have been: forget what was remembered of the database. Never throws. */
  readonly onRollback: () => void;
  /** Tells other processes of the changes when they are committed. */
  readonly announce: (changes: readonly Change[]) => Steps<void>;
  /** After the commit, in the order of the commands. */
  readonly onCommitted: (changes: readonly Change[]) => void;
}

export interface GroupCommit extends Commits {
  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void>;
}

interface Member {
  readonly locks: Locks;
  /** Carries the command out; returns what to do once it is committed. */
  readonly run: (tx: Transaction, carryOut: CarryOut) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

type CarryOut = <Answer>(steps: Steps<Answer>) => Promise<Answer>;

/**
 * Commits commands of concurrent callers one transaction after another on one connection, those that wait as one group, so that
 * one flush of the server serves them all and this process's chain of the ledger never branches.
 *
 * 1. A transaction takes all its locks before it reads anything, in one order for all processes: every statement after
 *    that sees what was committed before, and no two transactions wait for each other.
 * 2. A command that throws rolls its group back, and each member is then carried out alone: only its caller hears of it.
 * 3. Nobody is answered before COMMIT returned. When its answer is lost, the server is asked what became of the transaction.
 */
export function createGroupCommit(deps: GroupCommitDeps): GroupCommit {
  let queue: Member[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    // What callers of this turn of the event loop bring goes into the first group.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) {
      const group = queue.slice(0, MAX_GROUP);
      queue = queue.slice(MAX_GROUP);
      await commitGroup(group);
    }
    working = undefined;
  }

  async function commitGroup(group: readonly Member[]): Promise<void> {
    try {
      await commitTogether(group, deps);
    } catch (error) {
      if (group.length === 1 || error instanceof NoConnection) {
        for (const member of group) member.reject(reasonOf(error));
        return;
      }
      for (const member of group) await commitGroup([member]);
    }
  }

  return {
    run<Answer>(locks: Locks, command: (tx: Transaction) => Steps<Answer>): Promise<Answer> {
      return new Promise((resolve, reject) => {
        queue.push({
          locks,
          async run(tx, carryOut) {
            const answer = await carryOut(command(tx));
            return () => resolve(answer);
          },
          reject,
        });
        working ??= work();
      });
    },
    async idle() {
      await working;
    },
  };
}

/** Nothing of the group was committed, or nobody can say: trying its members one by one would only take longer. */
class NoConnection extends Error {}

function reasonOf(error: unknown): unknown {
  return publicError(error instanceof NoConnection ? error.cause : error);
}

async function commitTogether(group: readonly Member[], deps: GroupCommitDeps): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const session = await deps.session().catch((cause: unknown) => {
      throw new NoConnection("no connection", { cause });
    });
    const attempt = createAttempt(session, deps);
    try {
      const { answers, changes } = await attempt.carryOut(group);
      for (const answer of answers) answer();
      deps.onCommitted(changes);
      return;
    } catch (error) {
      deps.onRollback();
      if (session.isLost() || isConnectionLost(error)) {
        await session.close().catch(() => undefined);
        throw new NoConnection("connection lost", { cause: error });
      }
      await session.exec("rollback");
      if (!isContention(error) || tries === TRIES) throw error;
    }
  }
}

interface Begun {
  readonly now: number;
  readonly xid: string;
}

/** One try to carry a group out in one transaction. */
function createAttempt(session: Session, deps: GroupCommitDeps) {
  const sent: Promise<unknown>[] = [];
  let firstFailure: { readonly error: unknown } | undefined;

  function send(request: Parameters<Session["ask"]>[0]): void {
    const answer = session.ask(request);
    sent.push(answer);
    answer.catch((error: unknown) => {
      firstFailure ??= { error };
    });
  }

  async function carryOutSteps<Answer>(steps: Steps<Answer>): Promise<Answer> {
    let step = steps.next();
    while (step.done !== true) {
      const { value: request } = step;
      if (request.awaited) {
        const answered = await session.ask(request).then(
          (response) => ({ response }),
          (error: unknown) => ({ error }),
        );
        step = "response" in answered ? steps.next(answered.response) : steps.throw(answered.error);
      } else {
        send(request);
        step = steps.next(NOTHING);
      }
    }
    return step.value;
  }

  async function carryOut(group: readonly Member[]) {
    const { now, xid } = await begin(
      session,
      lockStatement(
        deps.schema,
        group.map(({ locks }) => locks),
      ),
    );
    const nowMs = deps.clock?.nowMs() ?? now;
    const changes: Change[] = [];
    const answers: (() => void)[] = [];
    // Postgres is refused where it would commit with less.
    const needsFull = (): void => undefined;
    const tx = { nowMs, needsFull, changed: (change: Change) => void changes.push(change) };
    try {
      for (const member of group) answers.push(await member.run(tx, carryOutSteps));
      await carryOutSteps(deps.announce(changes));
      // Had one of the statements before failed, there would be no commit.
      await commit(session, xid, deps);
    } catch (error) {
      // What was sent before may be why what came after it failed.
      await Promise.allSettled(sent);
      throw firstFailure?.error ?? error;
    }
    return { answers, changes };
  }

  return { carryOut };
}

const NOTHING: Response = { rows: [], changed: 0 };

async function begin(session: Session, locks: string): Promise<Begun> {
  const { rows } = await session.exec(
    `begin;${locks}select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now, pg_current_xact_id()::text as xid`,
  );
  const [begun] = rows as readonly Begun[];
  if (begun === undefined) throw new Error("a select without a condition gave no row");
  return begun;
}

/** @throws when the transaction is not committed, or nobody can say */
async function commit(session: Session, xid: string, deps: Pick<GroupCommitDeps, "session">): Promise<void> {
  let answer: { readonly command: string };
  try {
    answer = await session.exec("commit");
  } catch (error) {
    if (!session.isLost() && !isConnectionLost(error)) throw error;
    await session.close().catch(() => undefined);
    if (await wasCommitted(xid, deps)) return;
    throw error;
  }
  // A transaction in which a statement failed is rolled back by its COMMIT, which says so and nothing else.
  if (answer.command !== "COMMIT") {
    throw new AtlasError("store.failed", "The database did not commit the change.");
  }
}

/** Asks the server what became of a transaction whose COMMIT had no answer. False also when it will not say in time. */
async function wasCommitted(xid: string, deps: Pick<GroupCommitDeps, "session">): Promise<boolean> {
  const giveUpAt = performance.now() + SETTLE_MS;
  while (performance.now() < giveUpAt) {
    const status = await statusOf(xid, deps).catch(() => "unreachable");
    if (status === "committed") return true;
    if (status === "aborted" || status === null) return false;
    await sleep(SETTLE_EVERY_MS);
  }
  return false;
}

async function statusOf(xid: string, { session }: Pick<GroupCommitDeps, "session">): Promise<string | null> {
  const { rows } = await (await session()).exec(`select pg_xact_status('${xid}'::xid8) as status`);
  return (rows as readonly { readonly status: string | null }[])[0]?.status ?? null;
}
