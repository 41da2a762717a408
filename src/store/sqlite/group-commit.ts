import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../domain/clock.ts";
import { AtlasError } from "../../domain/errors.ts";
import type { Durability } from "../../governance/transitions/plan.ts";
import type { Change, Transaction } from "../commands/commits.ts";
import { isSqliteError } from "./connection.ts";

/** Longest group: bounds how long one flush keeps other work from the thread. */
const MAX_GROUP = 256;

export interface GroupCommitDeps {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  /** Something was rolled back: forget what was remembered of the database. Never throws. */
  readonly onRollback: () => void;
  /** After the commit, in the order of the commands. */
  readonly onCommitted: (changes: readonly Change[]) => void;
}

export interface GroupCommit {
  /**
   * Runs a command in the next group. It resolves after the group's COMMIT returned, and not before.
   *
   * @throws AtlasError `store.failed` when the commit is not known to have happened; what the command itself throws otherwise.
   */
  run<Answer>(command: (tx: Transaction) => Answer, durability?: Durability): Promise<Answer>;
}

interface Member {
  /** Runs in the group's transaction; returns what to do once the group is committed. */
  readonly run: (tx: Transaction) => () => void;
  /** What its commit needs, before it ran. */
  readonly durability: Durability;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits commands of concurrent callers as one transaction, so that one sync of the disk serves them all.
 *
 * 1. Each command has its own savepoint: one that throws is undone alone, and only its caller hears of it.
 * 2. Nobody is answered before COMMIT returned. When BEGIN or COMMIT fails, every member is rejected,
 *    even where the commit may have reached the disk: a claim that stands but was not acknowledged is
 *    never dispatched, and the reconciler settles it.
 * 3. SQLite may end the whole transaction inside a statement (disk full, I/O error). Members that came
 *    before are then lost too, and no later one may run, for it would run outside any transaction.
 * 4. The disk is synced for a group as soon as one member needs it. A group that was thought to need none is carried
 *    out once more when a member finds that it does; SQLite does not change its mind within a transaction.
 */
export function createGroupCommit(deps: GroupCommitDeps): GroupCommit {
  const statements = prepareTransaction(deps.db);
  const within = { deps, statements };
  let queue: Member[] = [];
  let scheduled = false;

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      commitGroup();
      if (queue.length > 0) schedule();
    });
  }

  function commitGroup(): void {
    const group = queue.slice(0, MAX_GROUP);
    queue = queue.slice(MAX_GROUP);
    if (group.length === 0) return;
    const isLight = group.every((member) => member.durability === "normal");
    carryOut(group, isLight ? "normal" : "full");
  }

  function carryOut(group: readonly Member[], durability: Durability): void {
    const changes: Change[] = [];
    const answers: (() => void)[] = [];
    let needed = durability;
    const needsFull = (): void => {
      needed = "full";
    };
    try {
      statements.begin(durability);
      const nowMs = deps.clock.nowMs();
      for (const member of group) runMember(member, within, { nowMs, needsFull }, answers, changes);
      if (needed === durability) statements.commit();
    } catch (cause) {
      statements.abandon();
      deps.onRollback();
      const error = new AtlasError(
        "store.failed",
        "The database could not commit; nothing of this request is certain.",
        {
          cause,
        },
      );
      // A member that was rejected before ignores this.
      for (const member of group) member.reject(error);
      return;
    }
    if (needed !== durability) {
      statements.abandon();
      deps.onRollback();
      carryOut(group, "full");
      return;
    }
    for (const answer of answers) answer();
    deps.onCommitted(changes);
  }

  return {
    run<Answer>(command: (tx: Transaction) => Answer, durability: Durability = "full"): Promise<Answer> {
      return new Promise((resolve, reject) => {
        queue.push({
          run(tx) {
            const answer = command(tx);
            return () => resolve(answer);
          },
          durability,
          reject,
        });
        schedule();
      });
    },
  };
}

/** Runs one member in its own savepoint. @throws what ended the whole transaction */
function runMember(
  member: Member,
  { deps, statements }: { readonly deps: GroupCommitDeps; readonly statements: Statements },
  within: Pick<Transaction, "nowMs" | "needsFull">,
  answers: (() => void)[],
  changes: Change[],
): void {
  const own: Change[] = [];
  statements.savepoint();
  try {
    answers.push(member.run({ ...within, changed: (change) => own.push(change) }));
    statements.release();
    changes.push(...own);
  } catch (error) {
    if (!deps.db.isTransaction) throw error;
    statements.rollbackMember();
    deps.onRollback();
    member.reject(publicError(error));
  }
}

type Statements = ReturnType<typeof prepareTransaction>;

function prepareTransaction(db: DatabaseSync) {
  const begin = db.prepare("begin immediate");
  let inForce: Durability | null = null;
  const commit = db.prepare("commit");
  const savepoint = db.prepare("savepoint member");
  const release = db.prepare("release member");
  const rollbackTo = db.prepare("rollback to member");
  const abandon = () => {
    if (db.isTransaction) db.exec("rollback");
  };
  return {
    begin(durability: Durability) {
      // What an earlier failed rollback left open must not become part of this group.
      abandon();
      if (durability !== inForce) db.exec(`pragma synchronous = ${durability}`);
      inForce = durability;
      begin.run();
    },
    commit: () => commit.run(),
    savepoint: () => savepoint.run(),
    release: () => release.run(),
    rollbackMember() {
      rollbackTo.run();
      release.run();
    },
    abandon() {
      try {
        abandon();
      } catch {
        // The next group tries again before it begins, and fails if it still cannot.
      }
    },
  };
}

/** SQLite's own words may hold data; callers get a sentence, and the cause stays private. */
export function publicError(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  return new AtlasError("store.failed", "The database refused the change.", { cause: error });
}
