/**
 * What the test tells the gateway's preload to do. It is written to the file that the environment variable names;
 * while there is no such file the preload only looks on.
 */
export interface CrashOrder {
  /** Steps are counted from one for each new id. */
  readonly id: string;
  readonly signal: "SIGKILL" | "SIGSTOP";
  /** Right before the step is taken or right after it returned, with nothing of the gateway in between. */
  readonly when: "before" | "after";
  /** The step meant, counted among those that match. */
  readonly step: number;
  /** Counts only steps of exactly this name; every step without it. */
  readonly match?: string;
  /** SIGSTOP: how much later it is when the process goes on. */
  readonly sleptMs?: number;
}

export const ORDER_VARIABLE = "ATLAS_TEST_CRASH_ORDER";

/** Where the preload writes the name of each step it counted, one a line. */
export function traceFile(orderFile: string): string {
  return `${orderFile}.trace`;
}
