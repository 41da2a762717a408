import type { Kysely } from "kysely";
import type { CaseRef, Sha256Hex } from "../../domain/ids.ts";
import type { CaseChanged, ToolChanged } from "../../governance/ports.ts";
import type { Durability } from "../../governance/transitions/plan.ts";
import type { Database } from "../database.ts";
import type { Steps } from "./statement.ts";

/** What listeners are told once its commit is durable. */
export type Change = { readonly case: CaseChanged } | { readonly tool: ToolChanged };

/** What a command may use while its transaction is open. */
export interface Transaction {
  /** Database time: read once, after the locks were taken. */
  readonly nowMs: number;
  changed(change: Change): void;
  /** Nobody may hear of this commit before it outlives the power, whatever its members were thought to need. */
  needsFull(): void;
}

/**
 * What a command must not share with a command of another process until its commit. SQLite needs none of it: there a
 * transaction has the whole database to itself.
 */
export interface Locks {
  /**
   * Guards are what claims and decisions are checked against: kill switches, tools, policy, principals. Who only reads them
   * shares them, so that every change of a guard comes before or after a whole command, never in the midst of it.
   */
  readonly guards: "shared" | "exclusive" | "none";
  /** Names of single things: references of cases, join keys, ids of messages. */
  readonly keys: readonly string[];
}

/** A command that touches this case, or these, and reads guards. */
export function ofCases(...refs: readonly CaseRef[]): Locks {
  return { guards: "shared", keys: refs };
}

/** A command that may find or make the case of this call. */
export function ofCall(joinKey: Sha256Hex): Locks {
  return { guards: "shared", keys: [joinKey] };
}

/** A command that changes rows by one key and looks at nothing else. */
export function ofRow(key: string): Locks {
  return { guards: "none", keys: [key] };
}

/** A command that changes guards, or many cases at once. */
export const OF_GUARDS: Locks = { guards: "exclusive", keys: [] };
/** A command that reads guards and changes no case. */
export const UNDER_GUARDS: Locks = { guards: "shared", keys: [] };
/** A command that only appends to this writer's chain. */
export const OF_NOTHING: Locks = { guards: "none", keys: [] };

export interface Commits {
  /**
   * Carries out a command in the next transaction. It resolves after the COMMIT returned, and not before. A command may be
   * carried out more than once, of which one is committed.
   *
   * @param durability what the commit needs as far as is known; one command that needs `full` makes the whole transaction so
   * @throws AtlasError `store.failed` when the commit is not known to have happened; what the command itself throws otherwise.
   */
  run<Answer>(
    locks: Locks,
    command: (tx: Transaction) => Steps<Answer>,
    durability?: Durability,
  ): Promise<Answer>;
}

/** Carries out a query outside any transaction of ours, so that it sees committed rows only. @throws AtlasError `store.failed` */
export type Reads = <Answer>(query: Steps<Answer>) => Promise<Answer>;

/** The same for a query that Kysely builds. */
export type Lists = <Answer>(query: (db: Kysely<Database>) => Promise<Answer>) => Promise<Answer>;
