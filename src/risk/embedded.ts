import {
  type Assessment,
  classificationOf,
  failedAssessment,
  type RiskFactor,
} from "../domain/assessment.ts";
import type { AssessedCall, Assessor } from "./assessed-call.ts";
import { type CallView, viewCall } from "./call-view.ts";
import { confirmedFindings } from "./confirmed-class.ts";
import type { LearnedRisk } from "./learned/model.ts";
import { shippedRisk } from "./learned/shipped.ts";
import { DEFAULT_PACKS, signalsOf } from "./packs.ts";
import { AMOUNT_RELIEFS } from "./reliefs/amounts.ts";
import { anonymous } from "./reliefs/disclosures.ts";
import type { Relief } from "./reliefs/relief.ts";
import { RELIEFS } from "./reliefs.ts";
import type { Finding, Signal } from "./signal.ts";
import { isBelow, MONEY_SIGNALS, reaches } from "./signals/money.ts";
import { readsOnly } from "./signals/plain-act.ts";

export const EMBEDDED_VERSION = "embedded@2";

/** What an unknown tool scores. Proposed, not derived from law or data. */
const UNKNOWN = 70;
/** Modifiers count on top of what already is more than a read. */
const MODIFIABLE_FROM = 40;
/** What a trusted `readOnlyHint` makes of a call without a floor. */
const TRUSTED_READ = 15;

export interface EmbeddedAssessorParams {
  /** Score from which a call pauses, 0–100. */
  readonly threshold: number;
  /** Domain packs whose factors count beside the general ones. */
  readonly packs?: readonly string[];
  /**
   * Amount of money from which a payment is a hard floor. Without one, that is every payment but the small ones
   * that the reliefs for amounts know.
   */
  readonly moneyFloor?: number;
  /** Domains of e-mail and web addresses that count as inside, with what is below them. */
  readonly insideDomains?: readonly string[];
  /** In place of the shipped model; for tests and for benchmarks that leave sources out. */
  readonly learnedRisk?: LearnedRisk;
}

/** What the learned probability may add: this share of what is missing to 100. Chosen by leave-one-source-out. */
const LEARNED_SHARE = 0.1;
/** From here on the rules are sure, and the model adds nothing. */
const SURE = 85;
/** Probability from which the model does not let an unknown tool's description speak for it. */
const DOUBT = 0.5;

/**
 * The assessor that needs no model, network or time: rules over the call's own words.
 * Score = highest floor or base + modifiers, at most 100. All weights are proposals, not derived from law or data.
 */
export function createEmbeddedAssessor(params: EmbeddedAssessorParams): Assessor {
  const signals = signalsOf(params.packs ?? DEFAULT_PACKS);
  return {
    assess(call) {
      try {
        return assess(call, params, signals);
      } catch {
        // Fails closed, and without the cause: an exception's text may hold arguments.
        return failedAssessment("The embedded assessor could not read this call, so a human decides.");
      }
    },
  };
}

function scoreOf(findings: readonly Found[]): number {
  const top = Math.max(0, ...findings.filter((f) => f.role !== "modifier").map((f) => f.points));
  const added = findings.filter((f) => f.role === "modifier").reduce((sum, f) => sum + f.points, 0);
  return Math.min(100, top + added);
}

const MODEL = { id: "model.learned", describe: "calls with such words were often harmful" };

/** What the model adds; null when it gave no probability. */
function learnedFindings(findings: readonly Found[], ruled: number, risk: number): readonly Found[] | null {
  if (!(risk >= 0 && risk <= 1)) return null;
  const unknown = findings.find((f) => f.signal.id === "tool.unclassified");
  const doubted = unknown !== undefined && risk >= DOUBT ? Math.max(0, UNKNOWN - ruled) : 0;
  const raised = ruled + doubted;
  const points = doubted + Math.round(LEARNED_SHARE * (100 - raised) * risk);
  return points === 0
    ? []
    : [{ points: Math.min(points, SURE - ruled), role: "modifier", evidence: "", signal: MODEL }];
}

interface Found extends Finding {
  readonly signal: Pick<Signal, "id" | "describe" | "tag">;
}

function assess(
  call: AssessedCall,
  { threshold, learnedRisk = shippedRisk, moneyFloor, insideDomains }: EmbeddedAssessorParams,
  signals: readonly Signal[],
): Assessment {
  const view = viewCall(call, insideDomains);
  const found = signals.flatMap((signal) =>
    signal.evaluate(view).map(({ points, role, evidence }): Found => ({ points, role, evidence, signal })),
  );
  const confirmed = confirmedFindings(call.manifest).filter(
    (word) => !found.some((f) => f.signal.id === word.signal.id && f.points >= word.points),
  );
  const believed = believedRead(view) || call.manifest?.class === "read";
  const counting = countedFindings(call, view, [...found, ...confirmed]);
  const relieved = relieve(view, counting, moneyFloor ?? Number.POSITIVE_INFINITY);
  const ruled = scoreOf(relieved.findings);
  const asked = !believed && ruled < SURE;
  const learned = asked ? learnedFindings(relieved.findings, ruled, learnedRisk(view)) : [];
  if (learned === null) return failedAssessment("The embedded assessor gave no number, so a human decides.");
  const counted = [...relieved.findings, ...learned];
  const score = scoreOf(counted);
  const readOnly =
    score < MODIFIABLE_FROM &&
    (readsOnly(view) || believed || relieved.reliefs.some((r) => r.reads === true));
  return {
    risk_score: score,
    classification: classificationOf(score),
    action: score >= threshold ? "PAUSE" : "AUTO_APPROVE",
    factors: counted.map(factorOf).sort((a, b) => b.weight - a.weight),
    rationale: rationaleOf(counted, score >= threshold),
    assessor: EMBEDDED_VERSION,
    read_only: readOnly,
    hard_floor: hardFloor(relieved.findings, view, moneyFloor),
  };
}

/** What is known rather than estimated: the floors, but not those of money below the operator's limit, and what adds to them. */
function hardFloor(findings: readonly Found[], view: CallView, moneyFloor: number | undefined): number {
  const small = moneyFloor !== undefined && isBelow(moneyFloor, view);
  const floors = findings.filter((f) => f.role === "floor" && !(small && MONEY_SIGNALS.has(f.signal.id)));
  return floors.length === 0 ? 0 : scoreOf([...floors, ...findings.filter((f) => f.role === "modifier")]);
}

/** No word, hint or argument answers these. */
const UNANSWERABLE: ReadonlySet<string> = new Set([
  "call.over_limit",
  "text.injection",
  "text.disguised",
  "act.offensive",
  "person.profiling",
]);

/** Lowers each finding to the least of the reliefs that answer it, and tells which did. */
function relieve(
  view: CallView,
  found: readonly Found[],
  moneyFloor: number,
): { readonly findings: readonly Found[]; readonly reliefs: readonly Relief[] } {
  const offered = RELIEFS.flatMap((relief) => {
    const leaf = relief.find(view);
    return leaf === undefined ? [] : [{ relief, evidence: leaf.pointer }];
  });
  const used = new Map<Relief, string>();
  const kept = found.flatMap((finding) => {
    if (UNANSWERABLE.has(finding.signal.id)) return [finding];
    if (finding.role === "modifier")
      return offered.some(({ relief }) => answers(relief, finding, view)) ? [] : [finding];
    const best = offered
      .filter(({ relief }) => relief.points < finding.points && answers(relief, finding, view))
      .filter(({ relief }) => !(AMOUNT_RELIEFS.has(relief) && reaches(moneyFloor, view)))
      .toSorted((a, b) => a.relief.points - b.relief.points)[0];
    if (best === undefined) return [finding];
    used.set(best.relief, best.evidence);
    return [];
  });
  const told = [...used].map(
    ([relief, evidence]): Found => ({
      points: relief.points,
      role: relief.firm === true ? "floor" : "base",
      evidence,
      signal: relief,
    }),
  );
  const top = Math.max(0, ...[...kept, ...told].filter((f) => f.role !== "modifier").map((f) => f.points));
  const findings = [...kept, ...told].filter((f) => f.role !== "modifier" || top >= MODIFIABLE_FROM);
  return { findings, reliefs: [...used.keys()] };
}

/** `patient_id` says whom the call is about, as its name does. */
const REFERENCE = /[_a-z](?:id|Id|ID|ref|_no)$/u;

function answers(relief: Relief, finding: Found, view: CallView): boolean {
  // A rehearsed or drafted read of protected data still reads it; only figures without persons do not.
  if (finding.signal.id === "data.protected" && view.namedRead && relief !== anonymous) return false;
  return (
    relief.answers.has(finding.signal.id) &&
    (relief.wholly === true ||
      !finding.evidence.startsWith("/arguments/") ||
      REFERENCE.test(finding.evidence))
  );
}

const believedRead = (view: CallView) => view.trusted && view.readOnlyHint;

/** An admin's word that a tool only reads stands against its name and description, not against what its arguments ask for. */
const readsByWord = (call: AssessedCall, { evidence }: Found) =>
  call.manifest?.class === "read" && !evidence.startsWith("/arguments");

function countedFindings(call: AssessedCall, view: CallView, found: readonly Found[]): readonly Found[] {
  const hasFloor = found.some((f) => f.role === "floor");
  const bases = found
    .filter((f) => f.role !== "modifier")
    .map((f): Found => {
      if (hasFloor || !(believedRead(view) || readsByWord(call, f))) return f;
      const { role, evidence, signal } = f;
      return { points: Math.min(f.points, TRUSTED_READ), role, evidence, signal };
    });
  const top = Math.max(0, ...bases.map((f) => f.points));
  const modifiers = top >= MODIFIABLE_FROM ? found.filter((f) => f.role === "modifier") : [];
  return [...bases, ...modifiers];
}

function factorOf({ signal, points, evidence }: Found): RiskFactor {
  return {
    id: signal.id,
    weight: points,
    evidence,
    ...(signal.tag === undefined ? {} : { tag: signal.tag }),
  };
}

/** One sentence of fixed clauses: no word of the call can reach a reviewer's screen through it. */
function rationaleOf(found: readonly Found[], pauses: boolean): string {
  const byPoints = found.filter((f) => f.role !== "modifier").toSorted((a, b) => b.points - a.points);
  const clauses = [...byPoints, ...found.filter((f) => f.role === "modifier")].map((f) => f.signal.describe);
  const told = [...new Set(clauses)].slice(0, 4);
  const list =
    told.length > 1 ? `${told.slice(0, -1).join(", ")} and ${told.at(-1)}` : (told[0] ?? "nothing was found");
  return pauses ? `A human should decide because ${list}.` : `The call is below the threshold: ${list}.`;
}
