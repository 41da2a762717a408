/** An entry of an older audit log. It is evidence and nothing else: no case, and nothing that could ever run. */
export interface ImportedEntry {
  /** The same for the same entry, and telling nobody without the signing key what the entry says. */
  readonly id: string;
  /** When it happened by the old log; null when that does not say. */
  readonly atMs: number | null;
  /** The whole line, as it stood there. */
  readonly text: string;
}

export interface ImportStore {
  /**
   * Keeps entries that are not there yet, with one event that commits to all of them.
   *
   * @param sourceSha256 of the file they come from
   * @returns how many were new
   */
  importEntries(params: {
    readonly sourceSha256: string;
    readonly entries: readonly ImportedEntry[];
  }): Promise<number>;
  /**
   * Erases texts of entries that happened (or, where the log did not say when, were imported) before a time, on the record.
   *
   * @returns how many; fewer than the limit when none is left
   */
  eraseImported(params: { readonly beforeMs: number; readonly limit: number }): Promise<number>;
}
