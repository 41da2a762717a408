import type { Parameters, Request, SqlValue } from "../commands/statement.ts";

/** A statement as Postgres takes it: numbered parameters, and a name under which a connection prepares it once. */
export interface NumberedStatement {
  readonly name: string;
  readonly text: string;
  readonly values: SqlValue[];
}

/** Each text of a statement is translated once; there are as many as commands have, and a case has columns to change. */
const translated = new Map<
  string,
  { readonly name: string; readonly text: string; readonly order: readonly string[] }
>();

export function numbered({ sql, parameters }: Pick<Request, "sql" | "parameters">): NumberedStatement {
  let found = translated.get(sql);
  if (found === undefined) {
    found = { name: `atlas_${translated.size + 1}`, ...translate(sql) };
    translated.set(sql, found);
  }
  const values = found.order.map((name) => valueOf(parameters, name));
  return { name: found.name, text: found.text, values };
}

function translate(sql: string): { readonly text: string; readonly order: readonly string[] } {
  const order: string[] = [];
  const text = sql.replaceAll(/(?<!:):([a-z_]\w*)/gu, (_all, name: string) => {
    if (!order.includes(name)) order.push(name);
    return `$${order.indexOf(name) + 1}`;
  });
  return { text, order };
}

function valueOf(parameters: Parameters, name: string): SqlValue {
  const value = parameters[name];
  if (value === undefined) throw new TypeError(`a statement lacks the parameter ${name}`);
  return value;
}
