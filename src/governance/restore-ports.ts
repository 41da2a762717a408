/**
 * What a copy of the record needs before a gateway may run on it: everything that it says is open may have gone on after
 * the copy was made.
 */
export interface RestoreStore {
  /**
   * Takes every authorization from open cases and gives them to humans; runs that were begun become UNKNOWN, or FAILED
   * where running again does no harm. Safe to repeat.
   *
   * @param limit how many cases in this commit
   * @returns how many were changed; fewer than the limit when none is left
   */
  reviewOpenCases(params: { readonly limit: number; readonly reviewForMs: number }): Promise<number>;
  /** Signs everybody out and writes down that the record was restored, from what. */
  recordRestored(params: RestoredParams): Promise<void>;
}

export interface RestoredParams {
  /** Of the backup's file; null when something else than this gateway made and brought back the copy. */
  readonly backupSha256: string | null;
  /** Time of the newest event in the copy. */
  readonly throughMs: number;
  /** Cases that went back to humans. */
  readonly cases: number;
}
