import type { Kysely } from "kysely";
import type { Pool } from "pg";
import type { Lists, Reads } from "../commands/commits.ts";
import type { Steps } from "../commands/statement.ts";
import type { Database } from "../database.ts";
import { isConnectionLost, publicError } from "./problems.ts";
import { numbered } from "./statements.ts";

/** Queries on connections of their own, beside the one that writes. */
export function createReads(pool: Pool, kysely: Kysely<Database>): { reads: Reads; lists: Lists } {
  return {
    // Steps run once; they are asked again from where they are.
    reads: (query) => carryOut(query, pool).catch(rethrowPublic),
    lists: (query) => twice(() => query(kysely)).catch(rethrowPublic),
  };
}

function rethrowPublic(error: unknown): never {
  throw publicError(error);
}

/** A pooled connection may have been lost since it was last used; a query can be asked again. */
async function twice<Answer>(query: () => Promise<Answer>): Promise<Answer> {
  try {
    return await query();
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    return query();
  }
}

async function carryOut<Answer>(steps: Steps<Answer>, pool: Pool): Promise<Answer> {
  let step = steps.next();
  while (step.done !== true) {
    const request = numbered(step.value);
    const answered = await twice(() => pool.query(request)).then(
      ({ rows, rowCount }) => ({ response: { rows, changed: rowCount ?? 0 } }),
      (error: unknown) => ({ error }),
    );
    step = "response" in answered ? steps.next(answered.response) : steps.throw(answered.error);
  }
  return step.value;
}
