import type { AssessedCall } from "./assessed-call.ts";
import { type CallView, viewCall } from "./call-view.ts";
import { confirmedFindings } from "./confirmed-class.ts";
import { signalsOf } from "./packs.ts";
import { AMOUNT_RELIEFS } from "./reliefs/amounts.ts";
import { anonymous } from "./reliefs/disclosures.ts";
import type { Relief } from "./reliefs/relief.ts";
import { RELIEFS } from "./reliefs.ts";
import type { Finding, Signal } from "./signal.ts";
import { reaches } from "./signals/money.ts";

/** Modifiers count on top of what already is more than a read. */
export const MODIFIABLE_FROM = 40;
/** What a trusted `readOnlyHint` makes of a call without a floor. */
const TRUSTED_READ = 15;

/** A finding with the signal, relief or model that it comes from. */
export interface Found extends Finding {
  readonly signal: Pick<Signal, "id" | "describe" | "tag">;
}

export interface RuleParams {
  readonly packs: readonly string[];
  readonly moneyFloor?: number;
  readonly insideDomains?: readonly string[];
}

/** The findings in figures. */
export interface Ruled {
  /** Score of the rules alone, 0–100. */
  readonly score: number;
  /** Most points of a finding by signal. */
  readonly points: ReadonlyMap<string, number>;
  /** Reliefs that answered something. */
  readonly reliefs: ReadonlySet<string>;
}

/** What the rules make of a call. */
export interface RuledCall {
  readonly view: CallView;
  /** What is left after the reliefs. */
  readonly findings: readonly Found[];
  /** The reliefs that answered something. */
  readonly reliefs: readonly Relief[];
  /** The operator trusts the tool's word, or an admin's, that it only reads. */
  readonly believed: boolean;
  readonly ruled: Ruled;
}

/** Score of findings: the highest floor or base and every modifier, at most 100. */
export function scoreOf(findings: readonly Found[]): number {
  const top = Math.max(0, ...findings.filter((f) => f.role !== "modifier").map((f) => f.points));
  const added = findings.filter((f) => f.role === "modifier").reduce((sum, f) => sum + f.points, 0);
  return Math.min(100, top + added);
}

/** Finds every reason for and against a call. All weights are proposals, not derived from law or data. */
export function ruleCall(call: AssessedCall, { packs, moneyFloor, insideDomains }: RuleParams): RuledCall {
  const view = viewCall(call, insideDomains);
  const found = signalsOf(packs).flatMap((signal) =>
    signal.evaluate(view).map(({ points, role, evidence }): Found => ({ points, role, evidence, signal })),
  );
  const confirmed = confirmedFindings(call.manifest).filter(
    (word) => !found.some((f) => f.signal.id === word.signal.id && f.points >= word.points),
  );
  const counting = countedFindings(call, view, [...found, ...confirmed]);
  const { findings, reliefs } = relieve(view, counting, moneyFloor ?? Number.POSITIVE_INFINITY);
  const points = new Map<string, number>();
  for (const { signal, points: each } of findings)
    points.set(signal.id, Math.max(each, points.get(signal.id) ?? 0));
  return {
    view,
    findings,
    reliefs,
    believed: believedRead(view) || call.manifest?.class === "read",
    ruled: { score: scoreOf(findings), points, reliefs: new Set(reliefs.map(({ id }) => id)) },
  };
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
): {
  readonly findings: readonly Found[];
  readonly reliefs: readonly Relief[];
} {
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
