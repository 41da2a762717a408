import { readFileSync } from "node:fs";
import { text as readAll } from "node:stream/consumers";
import { Command, Option } from "commander";
import { z } from "zod";
import { AtlasError } from "../domain/errors.ts";
import { addListOptions, listCases } from "./case-list.ts";
import { type CaseOptions, casePath, printJson, request } from "./case-request.ts";
import { dataOption, urlOption } from "./where.ts";

interface DecideOptions extends CaseOptions {
  readonly reason?: string;
  readonly arguments?: string;
}

const shownSchema = z.looseObject({ case: z.looseObject({ digest: z.string() }) });
const answerSchema = z.looseObject({
  case: z.looseObject({
    state: z.string(),
    taken_by: z.string().nullable(),
    taken_until: z.string().nullable(),
  }),
});
const suggestionsSchema = z.looseObject({
  suggestions: z.array(z.looseObject({ yaml: z.string() })),
});

export function casesCommand(): Command {
  const cases = new Command("cases").description("look at cases and decide them, as the reviewer");
  const sub = (name: string, description: string) =>
    cases
      .command(name)
      .description(description)
      .addOption(urlOption())
      .addOption(dataOption())
      .option(
        "--reviewer-token <token>",
        "the reviewer's token (default: ATLAS_REVIEWER_TOKEN, else the first start's)",
      )
      .option("--json", "print the gateway's answer as JSON");
  addListOptions(sub("list", "cases, newest first")).action(listCases);
  sub("show <ref>", "one case with its exact arguments, as JSON").action(show);
  sub("events <ref>", "what the ledger has of one case, oldest first").action(events);
  addDecisions(sub);
  sub("take <ref>", "say that you work on the case; others must take it over before they decide")
    .option("--over", "take it from the reviewer who has it")
    .action((ref: string, options: CaseOptions & { readonly over?: boolean }) =>
      act(ref, "take", options, { take_over: options.over ?? false }),
    );
  sub("release <ref>", "give a case back that you took; an admin does so for others").action(
    (ref: string, options: CaseOptions) => act(ref, "release", options),
  );
  sub("undo <ref>", "take your approval back before the call is sent").action(
    (ref: string, options: CaseOptions) => act(ref, "undo", options),
  );
  sub("withdraw <ref>", "end a case that has not begun to run, without a decision").action(
    (ref: string, options: CaseOptions) => act(ref, "withdraw", options),
  );
  sub("suggest", "policy rules to paste for what people keep approving").action(suggest);
  return cases;
}

function addDecisions(sub: (name: string, description: string) => Command): void {
  sub("approve <ref>", "approve the case as it is shown now")
    .option("--reason <text>", "what the record should say")
    .option("--arguments <file>", "run these arguments instead, as the file has them; - reads standard input")
    .action((ref: string, options: DecideOptions) => decide("APPROVED", ref, options));
  sub("reject <ref>", "reject the case")
    .option("--reason <text>", "what the agent will read")
    .action((ref: string, options: DecideOptions) => decide("REJECTED", ref, options));
  sub("resolve <ref>", "say what became of a case whose outcome is unknown")
    .addOption(
      new Option("--as <outcome>", "what happened")
        .choices(["succeeded", "failed", "run-again"])
        .makeOptionMandatory(),
    )
    .requiredOption("--evidence <text>", "how you know; the agent reads it")
    .action(resolve);
}

async function show(ref: string, options: CaseOptions): Promise<void> {
  printJson(await request(options, casePath(ref)));
}

const eventsSchema = z.looseObject({
  events: z.array(
    z.looseObject({
      at: z.string(),
      type: z.string(),
      actor: z.object({ kind: z.string(), id: z.string() }),
      reason_id: z.string().nullable(),
    }),
  ),
});

async function events(ref: string, options: CaseOptions): Promise<void> {
  const body = await request(options, `${casePath(ref)}/events?limit=500`);
  if (options.json === true) return printJson(body);
  for (const { at, type, actor, reason_id: reasonId } of eventsSchema.parse(body).events)
    console.log([at, type.padEnd(21), `${actor.kind} ${actor.id}`, reasonId ?? ""].join("  ").trimEnd());
}

async function decide(decision: "APPROVED" | "REJECTED", ref: string, options: DecideOptions): Promise<void> {
  const edited = options.arguments === undefined ? null : await readArguments(options.arguments);
  const shown = shownSchema.parse(await request(options, casePath(ref)));
  const reason = options.reason === undefined ? {} : { reason: options.reason };
  const said = JSON.stringify({ decision, digest: shown.case.digest, ...reason });
  // Numbers and escapes are to run as the file has them, so they are not read and written anew.
  const body = edited === null ? said : `${said.slice(0, -1)},"arguments":${edited}}`;
  const answer = await request(options, `${casePath(ref)}/decision`, body);
  if (options.json === true) return printJson(answer);
  console.log(`${ref}: ${decision}`);
}

/** @throws AtlasError `config.invalid` when there is no such file, or it is not JSON */
async function readArguments(file: string): Promise<string> {
  const from = file === "-" ? "Standard input" : file;
  let text: string;
  try {
    text = file === "-" ? await readAll(process.stdin) : readFileSync(file, "utf8");
  } catch (error) {
    throw new AtlasError("config.invalid", `${from} cannot be read.`, { cause: error });
  }
  try {
    JSON.parse(text);
  } catch (error) {
    throw new AtlasError("config.invalid", `${from} holds no JSON; nothing was decided.`, { cause: error });
  }
  return text.trim();
}

async function resolve(
  ref: string,
  options: CaseOptions & { readonly as: string; readonly evidence: string },
): Promise<void> {
  const shown = shownSchema.parse(await request(options, casePath(ref)));
  const resolution = options.as.toUpperCase().replace("-", "_");
  const body = { resolution, evidence: options.evidence, digest: shown.case.digest };
  const answer = await request(options, `${casePath(ref)}/resolution`, body);
  if (options.json === true) return printJson(answer);
  console.log(`${ref}: ${answerSchema.parse(answer).case.state}`);
}

async function act(ref: string, action: string, options: CaseOptions, body: object = {}): Promise<void> {
  const answer = await request(options, `${casePath(ref)}/${action}`, body);
  if (options.json === true) return printJson(answer);
  const { state, taken_by: by, taken_until: until } = answerSchema.parse(answer).case;
  console.log(`${ref}: ${state}${by === null ? "" : `, taken by ${by} until ${until}`}`);
}

async function suggest(options: CaseOptions): Promise<void> {
  const body = await request(options, "/api/v1/rule-suggestions");
  if (options.json === true) return printJson(body);
  const { suggestions } = suggestionsSchema.parse(body);
  if (suggestions.length === 0) {
    console.log("Nothing was approved ten times without ever being rejected, edited or taken back.");
    return;
  }
  console.log(
    "# Nothing here is in force. Put a rule under `policy:`, before the rule that holds the calls.\n",
  );
  for (const { yaml } of suggestions) console.log(yaml);
}
