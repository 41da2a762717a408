import type { CallView } from "../call-view.ts";
import {
  APPEAL_RIGHTS,
  DECIDED_ON,
  ENTITLEMENT,
  PERSONAL_TRAIT,
  PERSONS,
  PROFILING,
  PROTECTED,
  VULNERABLE,
} from "../lexicon.ts";
import { readDate } from "../meaning/date.ts";
import { SECRET_PATH } from "../meaning/path.ts";
import { actOf, floor, modifier, placeOf, type Signal, writes } from "../signal.ts";

/** Decision verbs that decide on someone whatever their object. */
const PLAIN_DECISION =
  /(?:^| )(?:approve|reject|deny|grant|suspend|sanction|revoke|fire|dismiss|reinstate|disqualif\w+|evict|prescribe|adjudicate|expel|decline)(?= |$)/u;

/** EU AI Act Annex III 5(a): grant, reduce, revoke or reclaim public assistance. Weight: proposed, not derived from law or data. */
export const entitlementDecision: Signal = {
  id: "entitlement.decision",
  describe: "it decides on or changes what a person is entitled to",
  tag: "EU AI Act Annex III 5(a)",
  evaluate(view) {
    const decision = actOf(view, "decide");
    if (decision !== undefined) {
      if (placeOf(view.subjects, DECIDED_ON) !== undefined) return floor(85, decision.pointer);
      if (decision.pointer === "/name" && PLAIN_DECISION.test(view.name.words)) return floor(85, "/name");
    }
    const change = actOf(view, "change", "create", "destroy", "pay", "bypass");
    const about = placeOf(view.subjects, ENTITLEMENT);
    return change !== undefined && about !== undefined && change.pointer !== "/description" && !view.namedRead
      ? floor(85, about)
      : [];
  },
};

/** GDPR Art. 9 and 10 data and secrets: 72 to read, 90 to disclose. Weights: proposed, not derived from law or data. */
export const protectedData: Signal = {
  id: "data.protected",
  describe: "it touches protected data or secrets",
  tag: "GDPR Art. 9, 10",
  evaluate(view) {
    const path = view.leaves.find((leaf) => SECRET_PATH.test(leaf.text))?.pointer;
    const place =
      path ??
      placeOf(
        view.subjects.filter((subject) => !OWN_KEY.test(subject.words)),
        PROTECTED,
      ) ??
      traitOfPerson(view) ??
      sqlPlace(view.leaves);
    if (place === undefined) return [];
    // Whose record a write is about is no reading of it.
    if (
      NAMES_SUBJECT.test(place) &&
      writesByDeclared(view) &&
      !view.namedRead &&
      actOf(view, "send") === undefined
    )
      return [{ points: 58, role: "base", evidence: place }];
    return floor(actOf(view, "send") === undefined ? 72 : 90, place);
  },
};

/** Some act is named by the tool itself or by an argument that it reads: what it does not read makes no write of a read. */
function writesByDeclared(view: CallView): boolean {
  return view.acts.some(
    ({ pointer }) =>
      !pointer.startsWith("/arguments") ||
      view.leaves.some((leaf) => leaf.declared && leaf.pointer === pointer),
  );
}

const NAMES_SUBJECT = /^\/arguments\/\w*(?:_id|Id|_no|_ref)$/u;

function traitOfPerson(view: CallView): string | undefined {
  const about = [view.name, ...view.keys].some((place) => PERSONS.test(place.words));
  return about ? placeOf(view.subjects, PERSONAL_TRAIT) : undefined;
}

/** What a caller shows to be let in is not what it asks for. */
const OWN_KEY =
  /^(?:(?:access|auth|api|bearer|refresh|session|oauth|secret|license) )?(?:token|key|password|credential|secret)$/u;

function sqlPlace(leaves: Parameters<Signal["evaluate"]>[0]["leaves"]): string | undefined {
  return leaves.find((leaf) => /\bselect\b/iu.test(leaf.text) && PROTECTED.test(leaf.words))?.pointer;
}

/** Profiling never leaves the high-risk class (EU AI Act Art. 6(3), last subparagraph). Weight: proposed. */
export const profiling: Signal = {
  id: "person.profiling",
  describe: "it profiles or scores a person",
  tag: "EU AI Act Art. 6(3)",
  evaluate(view) {
    const place = placeOf([view.name, ...view.keys], PROFILING);
    return place === undefined ? [] : floor(80, place);
  },
};

/** Persons the law protects specially (EU AI Act Art. 9(9), 27): +15, +25 on a decision. Weights: proposed. */
export const vulnerablePerson: Signal = {
  id: "person.vulnerable",
  describe: "it concerns a person in a vulnerable position",
  tag: "EU AI Act Art. 9(9)",
  evaluate(view) {
    const place = placeOf([...view.subjects, ...view.leaves], VULNERABLE);
    if (place === undefined) return [];
    return modifier(actOf(view, "decide", "pay") === undefined ? 15 : 25, place);
  },
};

/** Time limits and remedies (Charter Art. 41, 47; EU AI Act Art. 86). Weight: proposed. */
export const appealRights: Signal = {
  id: "rights.appeal",
  describe: "it affects an appeal or takes effect in the past",
  tag: "EU AI Act Art. 86",
  evaluate(view) {
    const place = placeOf([...view.subjects, ...view.leaves], APPEAL_RIGHTS);
    const pointer = place ?? retroactive(view);
    return pointer === undefined || !writes(view) ? [] : modifier(10, pointer);
  },
};

const EFFECTIVE =
  /(?:^| )(?:effective|effective date|effective from|valid from|from date|start date|as of|backdated to)$/u;
const DECIDED =
  /(?:^| )(?:decision date|decided on|today|request date|requested on|submitted on|current date)$/u;

/** A day of effect before the day of the decision, when the call names both. */
function retroactive(view: CallView): string | undefined {
  const decided = view.leaves
    .filter((leaf) => DECIDED.test(leaf.key))
    .flatMap((leaf) => readDate(leaf.text) ?? []);
  const first = Math.min(...decided);
  return view.leaves.find((leaf) => EFFECTIVE.test(leaf.key) && (readDate(leaf.text) ?? first) < first)
    ?.pointer;
}
