import { publicError } from "./group-commit.ts";

/** Runs a query outside any transaction of ours, so that it sees committed rows only. @throws AtlasError `store.failed` */
export type Reads = <Answer>(query: () => Answer | Promise<Answer>) => Promise<Answer>;

export const readCommitted: Reads = async (query) => {
  try {
    return await query();
  } catch (error) {
    throw publicError(error);
  }
};
