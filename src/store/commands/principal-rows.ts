import type { Agent, Person } from "../../domain/principal.ts";
import type { AgentRow, PersonRow } from "../database.ts";
import { rowToAgent, rowToPerson } from "../principal-codec.ts";
import { type Steps, statement } from "./statement.ts";

/** Principals as their rows are now; also read by guards inside their transactions. */
export interface PrincipalRows {
  agent(id: string): Steps<Agent | null>;
  person(id: string): Steps<Person | null>;
  agents(): Steps<readonly Agent[]>;
  people(): Steps<readonly Person[]>;
}

export function createPrincipalRows(): PrincipalRows {
  const agent = statement<AgentRow>("select * from agents where id = :id");
  const person = statement<PersonRow>("select * from people where id = :id");
  const agents = statement<AgentRow>("select * from agents order by id");
  const people = statement<PersonRow>("select * from people order by id");
  return {
    *agent(id) {
      const row = yield* agent.get({ id });
      return row === undefined ? null : rowToAgent(row);
    },
    *person(id) {
      const row = yield* person.get({ id });
      return row === undefined ? null : rowToPerson(row);
    },
    *agents() {
      return (yield* agents.all()).map(rowToAgent);
    },
    *people() {
      return (yield* people.all()).map(rowToPerson);
    },
  };
}
