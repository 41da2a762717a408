import type { Signal } from "../signal.ts";

/** Factors of one field of work, switched on by name. They only ever add. */
export interface Pack {
  readonly id: string;
  readonly describe: string;
  readonly signals: readonly Signal[];
}
