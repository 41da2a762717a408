export type SqlValue = string | number | null;
export type Parameters = { readonly [name: string]: SqlValue };

/** One statement that a command asks its database to carry out; parameters stand in the text as `:name`. */
export interface Request {
  readonly sql: string;
  readonly parameters: Parameters;
  /** False: the command does not need the answer, only that the statement succeeds. */
  readonly awaited: boolean;
}

export interface Response {
  readonly rows: readonly unknown[];
  /** How many rows were changed. */
  readonly changed: number;
}

/**
 * What a command does, statement by statement, without saying how a statement reaches its database. SQLite carries the steps
 * out without ever letting go of the thread; Postgres waits for each. So there is one text of each command, and both
 * databases obey it.
 */
export type Steps<Answer> = Generator<Request, Answer, Response>;

/** A statement whose rows have the shape that its author claims; nothing checks the claim at run time. */
export interface Statement<Row> {
  get(parameters?: Parameters): Steps<Row | undefined>;
  all(parameters?: Parameters): Steps<Row[]>;
  /** @returns how many rows were changed. */
  run(parameters?: Parameters): Steps<number>;
  /** Writes without waiting for the answer; the commit fails when the statement did. */
  send(parameters?: Parameters): Steps<void>;
}

export function statement<Row = never>(sql: string): Statement<Row> {
  function* ask(parameters: Parameters): Steps<Response> {
    return yield { sql, parameters, awaited: true };
  }
  return {
    *get(parameters = {}) {
      const { rows } = yield* ask(parameters);
      return rows[0] as Row | undefined;
    },
    *all(parameters = {}) {
      const { rows } = yield* ask(parameters);
      return rows as Row[];
    },
    *run(parameters = {}) {
      const { changed } = yield* ask(parameters);
      return changed;
    },
    *send(parameters = {}) {
      yield { sql, parameters, awaited: false };
    },
  };
}
