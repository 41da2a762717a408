import type { DatabaseSync } from "node:sqlite";
import type { Agent, Person } from "../../domain/principal.ts";
import type { AgentRow, PersonRow } from "../database.ts";
import { rowToAgent, rowToPerson } from "../principal-codec.ts";
import { prepare } from "./connection.ts";

/** Principals as their rows are now; also read by guards inside their transactions. */
export interface PrincipalRows {
  agent(id: string): Agent | null;
  person(id: string): Person | null;
  agents(): readonly Agent[];
  people(): readonly Person[];
}

export function createPrincipalRows(db: DatabaseSync): PrincipalRows {
  const agent = prepare<AgentRow>(db, "select * from agents where id = :id");
  const person = prepare<PersonRow>(db, "select * from people where id = :id");
  const agents = prepare<AgentRow>(db, "select * from agents order by id");
  const people = prepare<PersonRow>(db, "select * from people order by id");
  return {
    agent(id) {
      const row = agent.get({ id });
      return row === undefined ? null : rowToAgent(row);
    },
    person(id) {
      const row = person.get({ id });
      return row === undefined ? null : rowToPerson(row);
    },
    agents: () => agents.all().map(rowToAgent),
    people: () => people.all().map(rowToPerson),
  };
}
