import { Command, Option } from "commander";
import { z } from "zod";
import { callApi } from "./api-client.ts";
import { dataOption, gatewayUrl, reviewerToken, urlOption, type WhereOptions } from "./where.ts";

interface CasesOptions extends WhereOptions {
  readonly reviewerToken?: string;
  readonly state?: string;
  readonly reason?: string;
}

const caseSchema = z.looseObject({
  ref: z.string(),
  state: z.string(),
  tool: z.string(),
  upstream: z.string(),
  agent: z.string(),
  risk_score: z.number().nullable(),
  digest: z.string(),
});

const shownSchema = z.looseObject({ case: z.looseObject({ digest: z.string() }) });

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
      );
  sub("list", "cases, newest first")
    .option("--state <state>", "only those in this state, e.g. AWAITING_REVIEW")
    .action(list);
  sub("show <ref>", "one case with its exact arguments, as JSON").action(show);
  sub("approve <ref>", "approve the case as it is shown now")
    .option("--reason <text>", "what the record should say")
    .action((ref: string, options: CasesOptions) => decide("APPROVED", ref, options));
  sub("reject <ref>", "reject the case")
    .option("--reason <text>", "what the agent will read")
    .action((ref: string, options: CasesOptions) => decide("REJECTED", ref, options));
  sub("resolve <ref>", "say what became of a case whose outcome is unknown")
    .addOption(
      new Option("--as <outcome>", "what happened")
        .choices(["succeeded", "failed", "run-again"])
        .makeOptionMandatory(),
    )
    .requiredOption("--evidence <text>", "how you know; the agent reads it")
    .action(resolve);
  return cases;
}

async function list(options: CasesOptions): Promise<void> {
  const query = options.state === undefined ? "" : `?state=${encodeURIComponent(options.state)}`;
  const body = await request(options, `/api/v1/cases${query}`);
  const { cases } = z.object({ cases: z.array(caseSchema) }).parse(body);
  for (const c of cases) {
    console.log(
      [
        c.ref,
        c.state.padEnd(15),
        String(c.risk_score ?? "-").padStart(3),
        `${c.upstream}/${c.tool}`,
        c.agent,
      ].join("  "),
    );
  }
  if (cases.length === 0) console.log("No cases.");
}

async function show(ref: string, options: CasesOptions): Promise<void> {
  console.log(JSON.stringify(await request(options, casePath(ref)), null, 2));
}

async function decide(decision: "APPROVED" | "REJECTED", ref: string, options: CasesOptions): Promise<void> {
  const shown = shownSchema.parse(await request(options, casePath(ref)));
  const reason = options.reason === undefined ? {} : { reason: options.reason };
  await request(options, `${casePath(ref)}/decision`, { decision, digest: shown.case.digest, ...reason });
  console.log(`${ref}: ${decision}`);
}

async function resolve(
  ref: string,
  options: CasesOptions & { readonly as: string; readonly evidence: string },
): Promise<void> {
  const shown = shownSchema.parse(await request(options, casePath(ref)));
  const resolution = options.as.toUpperCase().replace("-", "_");
  const body = { resolution, evidence: options.evidence, digest: shown.case.digest };
  const answer = z
    .object({ case: caseSchema })
    .parse(await request(options, `${casePath(ref)}/resolution`, body));
  console.log(`${ref}: ${answer.case.state}`);
}

function casePath(ref: string): string {
  return `/api/v1/cases/${encodeURIComponent(ref)}`;
}

function request(options: CasesOptions, path: string, body?: object): Promise<unknown> {
  return callApi({ url: gatewayUrl(options), path, token: reviewerToken(options), ...(body && { body }) });
}
