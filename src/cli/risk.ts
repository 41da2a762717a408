import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { type Assessment, DEFAULT_RISK_THRESHOLD } from "../domain/assessment.ts";
import { AtlasError } from "../domain/errors.ts";
import { attack } from "../risk/bench/attack.ts";
import { withGullibleModel } from "../risk/bench/gullible.ts";
import { type BenchReport, type Figures, reportOf, scoreRows } from "../risk/bench/report.ts";
import { callOfRow, parseRows } from "../risk/bench/rows.ts";
import { benchSvg } from "../risk/bench/svg.ts";
import { createEmbeddedAssessor } from "../risk/embedded.ts";
import { DEFAULT_PACKS, PACK_IDS } from "../risk/packs.ts";
import { explainWithModel } from "./risk-model.ts";
import { configOption } from "./where.ts";

interface CommonOptions {
  readonly threshold: number;
  readonly pack?: readonly string[];
  readonly json?: boolean;
}

interface ExplainOptions extends CommonOptions {
  readonly tool?: string;
  readonly description?: string;
  readonly arguments?: string;
  readonly schema?: string;
  readonly annotations?: string;
  readonly trusted?: boolean;
  readonly model?: boolean;
  readonly config?: string;
}

interface BenchOptions extends CommonOptions {
  readonly data: string;
  readonly source?: readonly string[];
  readonly withoutSource?: readonly string[];
  readonly leaveOneSourceOut?: boolean;
  readonly svg?: string;
}

export function riskCommand(setExitCode: (code: number) => void): Command {
  const risk = new Command("risk").description(
    "the embedded risk assessor: why a score, how good, how hard to fool",
  );
  common(risk.command("explain"))
    .description("assess one call and tell every factor; the call as JSON on standard input, or by options")
    .option("--tool <name>", "name of the tool")
    .option("--description <text>", "its description")
    .option("--arguments <json>", "arguments of the call")
    .option("--schema <json>", "its input schema (default: one that declares the arguments given)")
    .option("--annotations <json>", "its annotations")
    .option("--trusted", "the operator trusts the annotations of its upstream")
    .option(
      "--model",
      "ask the model of the configuration too, with the configuration's own threshold and packs",
    )
    .addOption(configOption())
    .action(explain);
  common(risk.command("bench"))
    .description(
      "score labelled calls: one JSON object a line with tool, arguments and label (escalate or approve)",
    )
    .requiredOption("--data <file>", "the labelled calls")
    .option("--source <names...>", "only rows of these sources")
    .option("--without-source <names...>", "no rows of these sources")
    .option("--leave-one-source-out", "score each source by weights trained on the others")
    .option("--svg <file>", "draw the ROC and reliability curves")
    .action(bench);
  common(risk.command("attack"))
    .description(
      "play payloads on high-risk calls, without a model and with one that finds all harmless; fails when one lowers a score",
    )
    .action((options: CommonOptions) => setExitCode(playAttack(options) ? 0 : 1));
  return risk;
}

function common(command: Command): Command {
  return command
    .addOption(
      new Option("--threshold <score>", "score from which a call pauses")
        .default(DEFAULT_RISK_THRESHOLD)
        .argParser(score),
    )
    .addOption(new Option("--pack <names...>", "domain packs").choices(PACK_IDS))
    .option("--json", "print JSON");
}

function score(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100)
    throw new InvalidArgumentError("It is a whole number from 1 to 100.");
  return value;
}

const packsOf = (options: CommonOptions) => options.pack ?? DEFAULT_PACKS;

const jsonObject = z.record(z.string(), z.unknown());
const callSchema = z.looseObject({
  tool: z.string().optional(),
  name: z.string().optional(),
  description: z.string().nullish(),
  arguments: jsonObject.nullish(),
  inputSchema: jsonObject.nullish(),
  annotations: jsonObject.nullish(),
  trusted: z.boolean().optional(),
});

async function explain(options: ExplainOptions): Promise<void> {
  const given = callSchema.safeParse(
    options.tool === undefined ? readJson(readFileSync(0, "utf8"), "standard input") : fromOptions(options),
  );
  const tool = given.data?.tool ?? given.data?.name;
  if (!given.success || tool === undefined)
    throw new AtlasError("request.invalid", "The call needs a tool, and arguments as an object.");
  const base = callOfRow({
    tool,
    description: given.data.description ?? "",
    arguments: given.data.arguments ?? {},
  });
  const { inputSchema, annotations, trusted } = given.data;
  const call = {
    ...base,
    trusted: options.trusted ?? trusted ?? false,
    definition: {
      ...base.definition,
      ...(inputSchema && { inputSchema }),
      ...(annotations && { annotations }),
    },
  };
  const explained =
    options.model === true
      ? await explainWithModel(call, options)
      : {
          assessment: createEmbeddedAssessor({
            threshold: options.threshold,
            packs: packsOf(options),
          }).assess(call),
        };
  if (options.json === true) {
    const { assessment, ...rest } = { passes: undefined, ...explained };
    console.log(JSON.stringify({ ...assessment, ...rest }, null, 2));
  } else printAssessment(explained.assessment);
}

function fromOptions(options: ExplainOptions): object {
  return {
    tool: options.tool,
    description: options.description,
    arguments: readJson(options.arguments ?? "{}", "--arguments"),
    ...(options.schema !== undefined && { inputSchema: readJson(options.schema, "--schema") }),
    ...(options.annotations !== undefined && { annotations: readJson(options.annotations, "--annotations") }),
  };
}

function readJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AtlasError("request.invalid", `What ${where} gave is no JSON.`, { cause });
  }
}

function printAssessment(assessment: Assessment): void {
  console.log(
    `${assessment.risk_score}  ${assessment.classification}  ${assessment.action}  (${assessment.assessor})`,
  );
  console.log(assessment.rationale);
  for (const factor of assessment.factors) {
    const tag = factor.tag === undefined ? "" : `  [${factor.tag}]`;
    console.log(
      `${String(factor.weight).padStart(4)}  ${factor.id.padEnd(30)} ${factor.evidence || "(the whole call)"}${tag}`,
    );
  }
}

function bench(options: BenchOptions): void {
  const bytes = readBytes(options.data);
  const rows = labelled(bytes).filter(
    (row) =>
      (options.source === undefined || options.source.includes(row.source)) &&
      options.withoutSource?.includes(row.source) !== true,
  );
  const { threshold } = options;
  const scored = scoreRows(rows, {
    threshold,
    packs: packsOf(options),
    leaveOneSourceOut: options.leaveOneSourceOut === true,
  });
  const report = reportOf(scored, threshold);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (options.svg !== undefined) writeFileSync(options.svg, benchSvg(scored, report));
  if (options.json === true)
    console.log(
      JSON.stringify({ data: { sha256, rows: rows.length }, packs: packsOf(options), ...report }, null, 2),
    );
  else printBench(report, sha256);
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new AtlasError("request.invalid", `${file} cannot be read.`, { cause });
  }
}

function labelled(bytes: Buffer): ReturnType<typeof parseRows> {
  try {
    return parseRows(bytes.toString("utf8"));
  } catch (cause) {
    throw new AtlasError(
      "request.invalid",
      cause instanceof Error ? cause.message : "The data cannot be read.",
      { cause },
    );
  }
}

const figure = (value: number | null) => (value === null ? "    –" : value.toFixed(3));

function printBench(report: BenchReport, sha256: string): void {
  const line = (name: string, f: Figures) =>
    console.log(
      `${name.padEnd(20)} ${String(f.calls).padStart(6)}  ${figure(f.auc)}  ${figure(f.recallAt10)}   ${figure(f.ece)}   ${f.atThreshold.recall.toFixed(3)} / ${f.atThreshold.falseEscalation.toFixed(3)}   ${f.atThreshold.costPerCall.toFixed(3)}`,
    );
  console.log(`data SHA-256 ${sha256}`);
  console.log("                      calls    AUC   R@10 %     ECE   escalated: harmful / harmless   cost");
  line("all", report);
  line("without borderline", report.withoutBorderline);
  for (const [source, figures] of Object.entries(report.perSource)) line(source, figures);
  for (const [family, { calls, paused }] of Object.entries(report.perFamily))
    console.log(
      `family ${family.padEnd(3)} ${String(calls).padStart(6)} calls, ${(100 * paused).toFixed(0)} % paused`,
    );
}

function playAttack(options: CommonOptions): boolean {
  const { threshold } = options;
  const embedded = createEmbeddedAssessor({ threshold, packs: packsOf(options) });
  const withModel = attack(withGullibleModel(embedded, threshold));
  const named = withModel.map((result) => ({ ...result, payload: `${result.payload}, model at 0` }));
  const results = [...attack(embedded), ...named];
  const lowered = results.filter((result) => result.lowered);
  const tried = results.reduce((sum, result) => sum + result.tried, 0);
  if (options.json === true) console.log(JSON.stringify({ tried, lowered, results }, null, 2));
  else {
    for (const id of new Set(results.map((result) => result.payload))) {
      const own = results.filter((result) => result.payload === id);
      const worked = own.filter((result) => result.lowered).length;
      console.log(
        `${id.padEnd(36)} ${own.reduce((sum, result) => sum + result.tried, 0)} calls, ${worked} of ${own.length} targets lowered`,
      );
    }
    for (const { target, payload, clean, lowest } of lowered)
      console.log(`LOWERED ${target}: ${payload}, ${clean} -> ${lowest}`);
    console.log(
      `${tried} calls: ${lowered.length === 0 ? "no score went down" : `${lowered.length} went down`}`,
    );
  }
  return lowered.length === 0;
}
