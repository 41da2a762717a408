import { type Command, Option } from "commander";
import { z } from "zod";
import { CASE_ORDERS } from "../domain/case-order.ts";
import { type CaseOptions, printJson, request } from "./case-request.ts";

const caseSchema = z.looseObject({
  ref: z.string(),
  state: z.string(),
  tool: z.string(),
  upstream: z.string(),
  agent: z.string(),
  risk_score: z.number().nullable(),
  taken_by: z.string().nullable(),
});

const listSchema = z.looseObject({ cases: z.array(caseSchema), next: z.string().nullable() });

/** Options of `atlas cases list`, by the name of the query they become. */
const FILTERS: readonly (readonly [flags: string, description: string, parameter: string])[] = [
  ["--state <states>", "only those in these states, e.g. AWAITING_REVIEW,UNKNOWN", "state"],
  ["--agent <id>", "only those of this agent", "agent"],
  ["--upstream <name>", "only those at this upstream", "upstream"],
  ["--tool <name>", "only those of this tool, by its name at the upstream", "tool"],
  ["--rule <id>", "only those that this policy rule ruled on", "rule"],
  ["--reason-id <id>", "only those that are where they are for this reason", "reason_id"],
  ["--min-score <score>", "only those with this risk score or a higher one", "min_score"],
  ["--opened-after <time>", "only later ones, e.g. 2026-11-21T12:00:00Z", "opened_after"],
  ["--opened-before <time>", "only earlier ones", "opened_before"],
  ["--taken-by <person>", "only those that this reviewer has taken", "taken_by"],
  ["--ref <beginning>", "only those whose reference begins so, evt_…", "ref"],
  ["--limit <count>", "so many at most (default: 100)", "limit"],
  ["--after <next>", "go on where an earlier list stopped", "after"],
];

export function addListOptions(command: Command): Command {
  for (const [flags, description] of FILTERS) command.option(flags, description);
  return command.addOption(
    new Option("--order <order>", "what comes first (default: newest)").choices([...CASE_ORDERS]),
  );
}

export async function listCases(options: CaseOptions & Readonly<Record<string, unknown>>): Promise<void> {
  const query = new URLSearchParams();
  for (const [flags, , parameter] of [...FILTERS, ["--order <order>", "", "order"] as const]) {
    const value = options[optionName(flags)];
    if (typeof value === "string") query.set(parameter, value);
  }
  const body = await request(options, `/api/v1/cases?${query.toString()}`);
  if (options.json === true) return printJson(body);
  const { cases, next } = listSchema.parse(body);
  for (const one of cases) {
    const parts = [
      one.ref,
      one.state.padEnd(15),
      String(one.risk_score ?? "-").padStart(3),
      `${one.upstream}/${one.tool}`,
      one.agent,
      ...(one.taken_by === null ? [] : [`taken by ${one.taken_by}`]),
    ];
    console.log(parts.join("  "));
  }
  if (cases.length === 0) console.log("No cases.");
  if (next !== null) console.log(`There are more; go on with --after ${next}`);
}

/** The name under which commander gives an option: `--min-score <score>` as `minScore`. */
function optionName(flags: string): string {
  const name = /^--([a-z-]+)/.exec(flags)?.[1] ?? "";
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
