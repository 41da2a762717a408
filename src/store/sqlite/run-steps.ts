import type { DatabaseSync } from "node:sqlite";
import type { Request, Response, Steps } from "../commands/statement.ts";

/** Carries steps out on a connection, without ever letting go of the thread. */
export type RunSteps = <Answer>(steps: Steps<Answer>) => Answer;

export function createRunSteps(db: DatabaseSync): RunSteps {
  const respond = createResponder(db);
  return (steps) => {
    let step = steps.next();
    while (step.done !== true) step = stepWith(steps, step.value, respond);
    return step.value;
  };
}

/** A statement that fails fails inside the command, where it was asked for. */
function stepWith<Answer>(steps: Steps<Answer>, request: Request, respond: (request: Request) => Response) {
  let response: Response;
  try {
    response = respond(request);
  } catch (error) {
    return steps.throw(error);
  }
  return steps.next(response);
}

/** Prepares each statement once. */
function createResponder(db: DatabaseSync): (request: Request) => Response {
  const prepared = new Map<string, (parameters: Request["parameters"]) => Response>();

  function prepare(sql: string) {
    const statement = db.prepare(sql);
    if (statement.columns().length > 0) {
      return (parameters: Request["parameters"]) => ({ rows: statement.all(parameters), changed: 0 });
    }
    return (parameters: Request["parameters"]) => ({
      rows: [],
      changed: Number(statement.run(parameters).changes),
    });
  }

  return ({ sql, parameters }) => {
    let respond = prepared.get(sql);
    if (respond === undefined) {
      respond = prepare(sql);
      prepared.set(sql, respond);
    }
    return respond(parameters);
  };
}
