import type { Case } from "../domain/case.ts";
import type { CaseRef } from "../domain/ids.ts";

/** What a database keeps of a case for an engine that is another process: what it has to be told, and whether it listens. */
export interface EngineRun {
  readonly ref: CaseRef;
  /** Counts the runs that were started for the case; the next one starts when nobody hears from this one any more. */
  readonly generation: number;
  /** The run of this generation has shown that it is there. */
  readonly begun: boolean;
  /** How often it was told something since it last showed itself. */
  readonly tellings: number;
  /** Revision of the case that it has to hear of. */
  readonly revision: number;
  /** When it is to be told next; null: it knows. */
  readonly dueAtMs: number | null;
}

/** Something to tell the engine, and the case as it is. */
export interface Telling {
  readonly run: EngineRun;
  readonly case: Case;
}

/**
 * The outbox to an engine that is another process. A row a case says what the engine has to hear of, until it has shown that it
 * did; so an event that is lost on any way is sent again.
 */
export interface EngineRunStore {
  /**
   * Notes that the engine has to hear of the case as it is now, unless it was noted already. Safe to repeat.
   *
   * @param params.overdue nothing has changed, but the engine should have acted by now
   */
  noteForEngine(params: { readonly ref: CaseRef; readonly overdue: boolean }): Promise<void>;
  /** Notes what no gateway noted because it stopped between a commit and that, up to a limit. */
  noteMissed(): Promise<void>;
  /** Takes what is due, so that no other gateway tells it too; it is due again after a while unless the run shows itself. */
  takeTellings(limit: number): Promise<readonly Telling[]>;
  /** Puts off what could not be sent; that was no telling. */
  putOffTellings(params: { readonly refs: readonly CaseRef[]; readonly untilMs: number }): Promise<void>;
  /**
   * A run shows that it is there and knows the case at that revision.
   *
   * @returns false when a later generation has taken its place
   */
  runSeen(params: {
    readonly ref: CaseRef;
    readonly generation: number;
    readonly revision: number;
  }): Promise<boolean>;
  /** A run is over, or the engine gave it up; with a time, another one is started after that. */
  runEnded(params: {
    readonly ref: CaseRef;
    readonly generation: number;
    readonly restartAfterMs: number | null;
  }): Promise<void>;
  /** When the next telling is due; null when none is. */
  nextTellingAtMs(): Promise<number | null>;
}
