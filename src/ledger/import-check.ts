import { z } from "zod";
import { commitment } from "../domain/digest.ts";
import type { ReadEvent } from "./chain.ts";

/** A row of `imported_entries`; salt and text are null when they were erased. */
export interface StoredImport {
  readonly salt: string | null;
  readonly text: string | null;
}

const importedSchema = z.object({ commitments: z.array(z.string()) });
const erasedSchema = z.object({ entries: z.int().min(0) });

/** Holds imported entries against the events that commit to them. */
export interface ImportCheck {
  event(event: ReadEvent): void;
  row(row: StoredImport): void;
  /** Sentences on what is wrong, after every row was shown; none when nothing is. */
  problems(): readonly string[];
}

export function createImportCheck(): ImportCheck {
  const committed = new Set<string>();
  let imported = 0;
  let erasedOnRecord = 0;
  let present = 0;
  let erased = 0;
  let strange = 0;
  return {
    event(event) {
      if (event.type === "audit.imported") {
        const { commitments } = importedSchema.catch({ commitments: [] }).parse(event.details);
        imported += commitments.length;
        for (const one of commitments) committed.add(one);
      }
      if (event.type === "audit.erased")
        erasedOnRecord += erasedSchema.catch({ entries: 0 }).parse(event.details).entries;
    },
    row({ salt, text }) {
      if (salt === null || text === null) erased += 1;
      else if (committed.has(commitment(salt, text))) present += 1;
      else strange += 1;
    },
    problems() {
      const missing = imported - present - erased;
      return [
        ...(strange > 0 ? [`${strange} imported entries are not what was committed to.`] : []),
        ...(erased !== erasedOnRecord
          ? [`${erased} imported entries are erased, but the record says ${erasedOnRecord}.`]
          : []),
        ...(strange === 0 && missing !== 0 ? [`${missing} imported entries are missing.`] : []),
      ];
    },
  };
}
