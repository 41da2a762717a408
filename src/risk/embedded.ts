import {
  type Assessment,
  classificationOf,
  DEFAULT_RISK_THRESHOLD,
  failedAssessment,
  type RiskFactor,
} from "../domain/assessment.ts";
import type { AssessedCall, Assessor } from "./assessed-call.ts";
import type { CallView } from "./call-view.ts";
import { isFirm, TAMPERING } from "./firm.ts";
import type { LearnedRisk } from "./learned/model.ts";
import { shippedRisk } from "./learned/shipped.ts";
import { DEFAULT_PACKS, PACK_SIGNALS } from "./packs.ts";
import { rehearsal } from "./reliefs/rehearsals.ts";
import type { Relief } from "./reliefs/relief.ts";
import { type Found, MODIFIABLE_FROM, type RuledCall, ruleCall, scoreOf } from "./rules.ts";
import { isBelow, MONEY_SIGNALS } from "./signals/money.ts";
import { readsOnly } from "./signals/plain-act.ts";

export const EMBEDDED_VERSION = "embedded@3";

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

/** Probability of harm that scores 70. Chosen on calls of writers left out; docs/risk-report.md says what passes and what pauses there. */
const PAUSING_PROBABILITY = 0.4;
/** A description of fewer words is a slogan, and nothing else tells what the tool does. */
const DESCRIBED_WORDS = 3;
/** The least that a read scores whose tool says of itself that it may destroy: such hints are mostly wrong there. Proposed. */
const HINTED_READ = 40;
/** Estimates below this give way to reliefs. Chosen on calls of writers left out. */
const ANSWERED_BELOW = 80;

/**
 * The assessor that needs no model, network or time. Rules over the call's own words find reasons, floors and reliefs; trees
 * trained on labelled calls weigh them with what the declared arguments mean. Score = max(firm floors, estimate); a tool that
 * nothing describes scores no less than the rules say.
 */
export function createEmbeddedAssessor(params: EmbeddedAssessorParams): Assessor {
  return {
    assess(call) {
      try {
        return assess(call, params);
      } catch {
        // Fails closed, and without the cause: an exception's text may hold arguments.
        return failedAssessment("The embedded assessor could not read this call, so a human decides.");
      }
    },
  };
}

const MODEL = { id: "model.learned", describe: "of calls like this one so many were harmful" };

function assess(call: AssessedCall, params: EmbeddedAssessorParams): Assessment {
  const { threshold, learnedRisk = shippedRisk } = params;
  const ruleParams = { ...params, packs: params.packs ?? DEFAULT_PACKS };
  const rules = ruleCall(call, ruleParams);
  const { findings, ruled } = rules;
  const risk = rules.believed || rules.view.overLimit !== null ? null : learnedRisk(call, ruleParams);
  if (risk !== null && !(risk >= 0 && risk <= 1))
    return failedAssessment("The embedded assessor gave no number, so a human decides.");
  const firm = findings.filter((finding) => isFirm(finding, rules.view, params.moneyFloor));
  const score = risk === null ? ruled.score : weigh(rules, firm, risk);
  const estimate: readonly Found[] =
    risk === null ? [] : [{ points: scoreOfRisk(risk), role: "base", evidence: "", signal: MODEL }];
  const counted = [...findings, ...estimate];
  return {
    risk_score: score,
    classification: classificationOf(score),
    action: score >= threshold ? "PAUSE" : "AUTO_APPROVE",
    factors: counted.map(factorOf).sort((a, b) => b.weight - a.weight),
    rationale: rationaleOf(counted, score >= threshold),
    assessor: EMBEDDED_VERSION,
    read_only:
      readsOnly(rules.view) || rules.believed || rules.reliefs.some((relief) => relief.reads === true)
        ? score < DEFAULT_RISK_THRESHOLD
        : false,
    hard_floor: Math.min(score, hardFloor(findings, rules.view, params.moneyFloor)),
  };
}

/** Probability on the scale of scores: 0–69 below the pausing probability, 70–100 from it on. */
function scoreOfRisk(risk: number): number {
  return risk < PAUSING_PROBABILITY
    ? Math.floor((DEFAULT_RISK_THRESHOLD * risk) / PAUSING_PROBABILITY)
    : DEFAULT_RISK_THRESHOLD +
        Math.round(
          ((100 - DEFAULT_RISK_THRESHOLD) * (risk - PAUSING_PROBABILITY)) / (1 - PAUSING_PROBABILITY),
        );
}

function weigh({ view, ruled, reliefs, findings }: RuledCall, firm: readonly Found[], risk: number): number {
  const estimate = scoreOfRisk(risk);
  if (!isDescribed(view)) {
    // Words alone do not pause what name and arguments agree is a read.
    const most = ruled.score < MODIFIABLE_FROM && readsOnly(view) ? DEFAULT_RISK_THRESHOLD - 1 : 100;
    return Math.max(ruled.score, Math.min(estimate, most));
  }
  // An understood argument that answers all that the rules fear is believed unless the estimate is well above the pause.
  const answered = reliefs.length > 0 && ruled.score < DEFAULT_RISK_THRESHOLD && estimate < ANSWERED_BELOW;
  const held = answered ? Math.min(estimate, DEFAULT_RISK_THRESHOLD - 1) : estimate;
  // What is known holds the call; how grave it is among those held, the estimate knows better than round numbers do.
  const known = Math.min(DEFAULT_RISK_THRESHOLD, scoreOf(firm));
  const ofPacks = scoreOf(findings.filter(({ signal }) => PACK_SIGNALS.has(signal.id)));
  // What a pack pauses the rules also place: their points are what the operator chose it for.
  if (ofPacks >= DEFAULT_RISK_THRESHOLD) return ruled.score;
  const tampering = scoreOf(findings.filter(({ signal }) => TAMPERING.has(signal.id)));
  return Math.max(held, known, tampering, ofPacks, hinted(view, reliefs));
}

/** A tool that may destroy waits, unless its name or description is that of a read, or the call is a rehearsal or a read. */
function hinted(view: CallView, reliefs: readonly Relief[]): number {
  if (!view.destructiveHint) return 0;
  const looks = reliefs.some((relief) => relief.reads === true || relief === rehearsal);
  return looks || view.namedRead || view.describedRead ? HINTED_READ : DEFAULT_RISK_THRESHOLD;
}

/** What no judge's opinion lowers: the floors, but not those of money below the operator's limit, and what adds to them. */
function hardFloor(findings: readonly Found[], view: CallView, moneyFloor: number | undefined): number {
  const small = moneyFloor !== undefined && isBelow(moneyFloor, view);
  const floors = findings.filter((f) => f.role === "floor" && !(small && MONEY_SIGNALS.has(f.signal.id)));
  return floors.length === 0 ? 0 : scoreOf([...floors, ...findings.filter((f) => f.role === "modifier")]);
}

const isDescribed = (view: CallView) =>
  view.description.words.split(" ").filter((word) => word !== "").length >= DESCRIBED_WORDS;

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
