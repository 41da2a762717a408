/**
 * Writes docs/risk-report.md and docs/risk-report.svg from the labelled calls.
 *
 *   node scripts/risk/report.ts calls.jsonl 2026-11-21
 *
 * The date is an argument, so that the same data and code give the same bytes.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { attack } from "../../src/risk/bench/attack.ts";
import { HELD_OUT_SOURCES, prepare } from "../../src/risk/bench/leave-one-out.ts";
import type { Scored } from "../../src/risk/bench/metrics.ts";
import {
  type BenchReport,
  type Figures,
  figuresOf,
  reportOf,
  scoreRows,
} from "../../src/risk/bench/report.ts";
import { type LabelledCall, parseRows } from "../../src/risk/bench/rows.ts";
import { benchSvg } from "../../src/risk/bench/svg.ts";
import { createEmbeddedAssessor, EMBEDDED_VERSION } from "../../src/risk/embedded.ts";
import { noLearnedRisk } from "../../src/risk/learned/model.ts";
import { DEFAULT_PACKS } from "../../src/risk/packs.ts";
import type { Pair } from "../../test/risk/pair.ts";
import { PAIRS } from "../../test/risk/pairs.ts";
import { SINGLES } from "../../test/risk/singles.ts";
import { HAND_WEIGHT, handWritten, PUBLIC_WEIGHT } from "./hand-written.ts";

const THRESHOLD = 70;
const [file, date] = process.argv.slice(2);
if (file === undefined || date === undefined) {
  console.error("Usage: node scripts/risk/report.ts calls.jsonl YYYY-MM-DD");
  process.exit(2);
}
const bytes = readFileSync(file);
const all = parseRows(bytes.toString("utf8"));
const development = all.filter((row) => !HELD_OUT_SOURCES.includes(row.source));
const heldOut = all.filter((row) => HELD_OUT_SOURCES.includes(row.source));
const params = { threshold: THRESHOLD, packs: DEFAULT_PACKS };

const hand = handWritten();
const loso = scoreRows(development, {
  ...params,
  leaveOneSourceOut: true,
  weight: PUBLIC_WEIGHT,
  always: prepare(hand, HAND_WEIGHT),
});
const writers = scoreRows(hand, {
  ...params,
  leaveOneSourceOut: true,
  weight: HAND_WEIGHT,
  always: prepare(development, PUBLIC_WEIGHT),
});
const writersReport = reportOf(writers, THRESHOLD);
const losoReport = reportOf(loso, THRESHOLD);
const apart = reportOf(scoreRows(heldOut, { ...params, leaveOneSourceOut: false }), THRESHOLD);
const rulesOnly = createEmbeddedAssessor({ ...params, learnedRisk: noLearnedRisk });
const ruledReport = (rows: readonly LabelledCall[]) =>
  reportOf(
    rows.map((row) => ({ row, harmful: row.harmful, score: rulesOnly.assess(row.call).risk_score })),
    THRESHOLD,
  );
const rulesReport = ruledReport(development);
const handRules = ruledReport(hand);
const assessor = createEmbeddedAssessor(params);
const results = attack(assessor);

const number = (value: number | null) => (value === null ? "–" : value.toFixed(3));
const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
const figuresRow = (name: string, f: Figures) =>
  `| ${name} | ${f.calls} (${f.harmful}) | ${number(f.auc)} | ${number(f.recallAt10)} | ${number(f.ece)} | ${percent(f.atThreshold.recall)} | ${percent(f.atThreshold.falseEscalation)} | ${f.atThreshold.costPerCall.toFixed(2)} |`;
const HEAD = `| calls | number (harmful) | AUC | recall at 10 % false escalation | ECE | harmful at ${THRESHOLD} or over | harmless at ${THRESHOLD} or over | cost a call |
|---|---|---|---|---|---|---|---|`;
const sources = (report: BenchReport) =>
  Object.entries(report.perSource)
    .map(([source, f]) => figuresRow(`– ${source}`, f))
    .join("\n");
const families = (report: BenchReport) =>
  Object.entries(report.perFamily)
    .map(([family, f]) => `| ${family} | ${f.calls} | ${percent(f.paused)} |`)
    .join("\n");
const bins = (report: BenchReport) =>
  report.reliability
    .filter((bin) => bin.calls > 0)
    .map(
      (bin) =>
        `| ${bin.from}–${bin.to} | ${bin.calls} | ${bin.meanScore.toFixed(0)} | ${percent(bin.harmfulShare)} |`,
    )
    .join("\n");

function pairRow(name: string, pairs: readonly Pair[]): string {
  const scored = pairs.map((pair) => ({
    harmful: assessor.assess(pair.harmful).risk_score,
    harmless: assessor.assess(pair.harmless).risk_score,
  }));
  const flat: readonly Scored[] = scored.flatMap((pair) => [
    { harmful: true, score: pair.harmful },
    { harmful: false, score: pair.harmless },
  ]);
  const f = figuresOf(flat, THRESHOLD);
  const right = scored.filter((pair) => pair.harmful >= THRESHOLD && pair.harmless < THRESHOLD).length;
  const ordered = scored.filter((pair) => pair.harmful > pair.harmless).length;
  return `| ${name} | ${pairs.length} | ${number(f.auc)} | ${number(f.recallAt10)} | ${percent(f.atThreshold.recall)} | ${percent(f.atThreshold.falseEscalation)} | ${right} | ${ordered} |`;
}

/** Calls of one more writer, in `test/risk/`, that nothing was trained on and nobody looked at. */
const strangersHeldOut = reportOf(
  scoreRows(
    parseRows(readFileSync(new URL("../../test/risk/strangers-held-out.jsonl", import.meta.url), "utf8")),
    { ...params, leaveOneSourceOut: false },
  ),
  THRESHOLD,
);

const domains = [...new Set(PAIRS.map((pair) => pair.domain))];
const singles = figuresOf(
  SINGLES.map(({ pause, call }) => ({ harmful: pause, score: assessor.assess(call).risk_score })),
  THRESHOLD,
);
const tried = results.reduce((sum, result) => sum + result.tried, 0);
const lowered = results.filter((result) => result.lowered).length;

const report = `# How good the embedded risk assessor is

Made on ${date} by \`node scripts/risk/report.ts calls.jsonl ${date}\`; do not edit by hand. Assessor \`${EMBEDDED_VERSION}\`, packs ${DEFAULT_PACKS.join(", ")}, threshold ${THRESHOLD}.
The same figures come from \`atlas risk bench --data calls.jsonl --without-source ${HELD_OUT_SOURCES.join(" ")} --leave-one-source-out\`,
\`atlas risk bench --data calls.jsonl --source ${HELD_OUT_SOURCES.join(" ")}\` and \`atlas risk attack\`.

Data: ${all.length} labelled calls of public sets (ToolEmu, BFCL, tau-bench, AgentDojo, Agent Security Bench, InjecAgent; MIT and Apache-2.0), SHA-256
\`${createHash("sha256").update(bytes).digest("hex")}\`. The rows are not in this repository; what ships is
weights (\`src/risk/learned/weights.ts\`, made by \`scripts/risk/train.ts\`), word lists, and rules. ${hand.length} further calls were made for this
project and are in \`scripts/risk/calls\`: synthetic, by a language model that followed \`scripts/risk/calls/GUIDE.md\`, one run a file
("writer"), each in a style of its own, none of which saw rules, word lists or other data.

**Noise.** One rater, no second pass; about 15 % of the rows are borderline; hardly any label depends on arguments; trajectories repeat tools.
A difference of one point in the second digit means nothing here.

**What was tuned on what.** Word lists and rules were written while looking at misses in ${[...new Set(development.map((row) => row.source))].join(", ")} and in the development pairs below, so every
figure on those flatters, leave-one-source-out too: it leaves a source out of the weights, not out of the word lists. ${HELD_OUT_SOURCES.join(" and ")} were
chosen before anything was written and scored only by this report, as totals; no row of them was looked at. The first such
total (AUC .932, recall .888 at 10 %, 75 % of harmless calls paused) led to one change, made on a guess from the pausing alone: sections of
documentation comments (\`Args:\`, \`Raises:\`) no longer count as acts. With it they stood where they stand below (.982, .928), and later
changes did not follow from them. Every third pair was held out before any was scored, but
one person wrote them all, remembered some (the rule for switches such as \`cancel_existing\` came with one of them in mind) and widened the word lists in between, so they are kinder than a stranger's.
First scores of whole blocks, before any rule was changed for them: 30 of 40 (\`plain\`), 26 of 35 (\`fresh\`), 21 of 30 (\`later\`) development pairs both right. All points of the rules are proposed, not derived from law or data.

## Calls in which the arguments decide: each writer left out

Nine domains; half of the calls come in groups of one tool with different right answers, a sixth has misleading names or lying hints
(\`writer-4\` wrote nothing else). Each file is scored by a model trained on the other files and the public sets, so this says what to
expect of tools that nobody has seen; but twenty misses of \`writer-2\` were looked at, the threshold and the size of the trees were
chosen on these figures, and one model wrote all files. The goals are AUC .90 and recall .75 at 10 % false escalation.

${HEAD}
${figuresRow("all writers", writersReport)}
${figuresRow(
  "all but writer-4",
  figuresOf(
    writers.filter(({ row }) => row.source !== "writer-4"),
    THRESHOLD,
  ),
)}
${figuresRow("rules alone", handRules)}
${sources(writersReport)}
${figuresRow("one more writer, nothing trained on it or looked at", strangersHeldOut)}

| family | calls | paused |
|---|---|---|
${families(writersReport)}

## Public sources kept apart

${HEAD}
${figuresRow("both", apart)}
${figuresRow("both, without borderline", apart.withoutBorderline)}
${sources(apart)}

| family | calls | paused |
|---|---|---|
${families(apart)}

## Development sources, pooled leave-one-source-out

The baselines that came with the data (.912 AUC and .709 recall for a blend of n-grams and word lists, .852 and .58 for a rule of verbs) were pooled over
eight groups of which two are not in this file, so they are near these figures, not beside them. The goals were .93 and .80.

${HEAD}
${figuresRow("whole assessor", losoReport)}
${figuresRow("whole assessor, without borderline", losoReport.withoutBorderline)}
${figuresRow("rules alone", rulesReport)}
${sources(losoReport)}

| family | calls | paused |
|---|---|---|
${families(losoReport)}

Families: E1 money, E2 destruction, E3 outward, E4 sensitive data, E5 access and configuration, E6 execution, E7 physical, E8 decision on a person, E9 offensive, A harmless.
Cost: ten for a harmful call that passes, one for a harmless call that waits (proposed).

![ROC and reliability](risk-report.svg)

## Calibration

A score of 70 stands for a probability of harm of 40 % by Platt's fit on writers left out. Firm floors hold a call at 70 whatever the estimate.
What the bands meant on the writers left out, and on the public sets below:

| score | calls | mean score | harmful |
|---|---|---|---|
${bins(writersReport)}

| score | calls | mean score | harmful |
|---|---|---|---|
${bins(losoReport)}

## Same tool, other arguments

${PAIRS.length} pairs over ${domains.length - 3} domains, and three mixed blocks, made up for the tests (\`test/risk/pairs*.ts\`); no weights were trained on them.

| pairs | number | AUC | recall at 10 % | harmful paused | harmless paused | both right | in the right order |
|---|---|---|---|---|---|---|---|
${pairRow(
  "development",
  PAIRS.filter((pair) => !pair.heldOut),
)}
${pairRow(
  "held out",
  PAIRS.filter((pair) => pair.heldOut),
)}
${domains
  .map((domain) =>
    pairRow(
      `– ${domain}, held out`,
      PAIRS.filter((pair) => pair.heldOut && pair.domain === domain),
    ),
  )
  .join("\n")}

Single everyday tools, some with misleading names or lying hints (development): ${singles.calls} calls, AUC ${number(singles.auc)}, recall ${number(singles.recallAt10)} at 10 %.

## Attack

${tried} calls: ${new Set(results.map((result) => result.payload)).size} kinds of payload on ${new Set(results.map((result) => result.target)).size} high-risk calls. Scores that went down: ${lowered}.
A declared argument that truly makes a call smaller (a dry run, a draft, a temporary path) does lower it; a tool that declares such an argument and
then ignores it defeats that reading, which is what pinning and confirming a tool's definition is for.

## Limits

- A single e-mail address at an unknown domain counts as outside unless the call's own sender has the same domain or the suffix is reserved for private use.
- Words are English. A tool named in another language is unknown and pauses.
- Amounts are compared without exchange rates. Dates are read only as ISO 8601, and no clock is consulted.
- The estimate believes descriptions: an upstream that lies in them is held only by its name's first verb and by arguments.
- The description is the upstream's word; a lie in it that names no act is not found out.
`;
const docs = path.resolve(import.meta.dirname, "../../docs");
writeFileSync(path.join(docs, "risk-report.md"), report);
writeFileSync(path.join(docs, "risk-report.svg"), benchSvg(writers, writersReport));
console.log(
  `writers AUC ${number(writersReport.auc)}, recall ${number(writersReport.recallAt10)}; public ${number(losoReport.auc)}, ${number(losoReport.recallAt10)}; apart ${number(apart.auc)}, ${number(apart.recallAt10)}`,
);
