import type { CallView, Leaf } from "../call-view.ts";
import { MONEY, nouns } from "../lexicon.ts";
import { actOf, type Finding, floor, modifier, placeOf, type Signal } from "../signal.ts";

const AMOUNT_KEY = /(?:^| )(?:amount|total|sum|price|value|budget|limit|quantity|payout)(?= |$)/u;
const MONEY_VERB =
  /(?:^| )(?:pay|refund|reimburse|disburse|remit|buy|sell|purchase|invest|donate|withdraw|transfer|trade|charge|compensate|repay|borrow|lend|checkout|wire|payout|redeem|settle)(?:s|ing)?(?= |$)/u;
/** Bookings oblige someone to pay. */
const BOOKING =
  /(?:^| )(?:(?:book|reserve)(?= )[^]*(?:flight|hotel|room|house|restaurant|ticket|car|train|cruise|taxi|ride)|(?:flight|hotel|room|restaurant|car) (?:book|booking|reserve))(?:s|es)?(?= |$)/u;
/** A conversation passed on, not money. */
const HANDOVER =
  /(?:^| )(?:transfer|forward|escalate|hand over|route)(?: \w+)? to (?:\w+ )?(?:human|agent|operator|representative|person|department|support|colleague|specialist)s?(?: agents?| support)?$|(?:^| )transfer (?:call|chat|conversation|ticket)s?(?= |$)/u;
const BANK_ACCOUNT = nouns("iban|bank account|account number|payee|direct deposit|sort code|routing number");

/** Paying, reclaiming, waiving, changing where money goes: 80; asked for rather than done: 70. Weights: proposed, not derived from law or data. */
export const money: Signal = {
  id: "money.moved",
  describe: "it moves money or changes what is owed",
  tag: "EU AI Act Annex III 5(a)",
  evaluate(view) {
    if (actOf(view, "request")?.pointer === "/name" && MONEY.test(view.name.words)) return [];
    if (HANDOVER.test(view.name.words)) return [];
    const pay = actOf(view, "pay");
    if (pay !== undefined) {
      if (pay.pointer === "/name" && MONEY_VERB.test(view.name.words)) return floor(80, "/name");
      if (placeOf(view.subjects, MONEY) !== undefined || placeOf(view.keys, AMOUNT_KEY) !== undefined)
        return floor(80, pay.pointer);
    }
    if (
      view.acts.some((act) => act.kinds.has("pay") && act.pointer === "/description") &&
      MONEY_VERB.test(view.description.words)
    )
      return floor(80, "/description");
    if (!view.namedRead && BOOKING.test(view.name.words)) return floor(75, "/name");
    const act = actOf(view, "change", "create", "destroy", "decide", "send", "bypass", "access");
    const about = placeOf([view.name], MONEY) ?? placeOf(view.keys, BANK_ACCOUNT);
    return act === undefined || about === undefined || view.namedRead ? [] : floor(80, about);
  },
};

/** Payments asked for: the answer still binds someone, so it pauses by itself. */
export const moneyRequested: Signal = {
  id: "money.requested",
  describe: "it asks to change a payment",
  tag: "EU AI Act Annex III 5(a)",
  evaluate(view) {
    return actOf(view, "request")?.pointer === "/name" && MONEY.test(view.name.words)
      ? floor(70, "/name")
      : [];
  },
};

/** What speaks of money and nothing else; below the operator's limit it only estimates. */
export const MONEY_SIGNALS: ReadonlySet<string> = new Set([
  money.id,
  moneyRequested.id,
  "argument.small_sum",
]);

/**
 * Whether all the money of a call is below a limit, and certainly so: every argument that may hold an amount is declared
 * and was understood, and nothing multiplies it.
 */
export function isBelow(limit: number, view: CallView): boolean {
  const { amounts, everything, percents } = view.understood;
  const understood = new Set(amounts.map(({ leaf }) => leaf));
  return (
    amounts.length > 0 &&
    amounts.every(({ leaf, meaning }) => leaf.typed && meaning < limit) &&
    view.leaves.every((leaf) => !AMOUNT_KEY.test(leaf.key) || understood.has(leaf)) &&
    everything.length === 0 &&
    percents.length === 0 &&
    view.lists.every(({ length }) => length <= 1)
  );
}

/** Whether a call names an amount of at least the limit. */
export function reaches(limit: number, view: CallView): boolean {
  return view.understood.amounts.some(({ meaning }) => meaning >= limit);
}

const DAYS_KEY = /(?:^| )days?(?= |$)/u;

/** Above this an amount adds points, in whatever currency the call uses. Proposed, not derived from law or data. */
export const LARGE_AMOUNT = 1_000;
/** Days above which an extension adds points. Proposed, not derived from law or data. */
export const LONG_EXTENSION_DAYS = 28;

/** Size: amounts above {@link LARGE_AMOUNT}, extensions above {@link LONG_EXTENSION_DAYS}. */
export const magnitude: Signal = {
  id: "magnitude.large",
  describe: "the amount or period is large",
  evaluate(view) {
    const large = view.leaves.find((leaf) => exceeds(leaf, AMOUNT_KEY, LARGE_AMOUNT));
    const long = view.leaves.find((leaf) => exceeds(leaf, DAYS_KEY, LONG_EXTENSION_DAYS));
    return [
      ...(large === undefined ? [] : modifier(10, large.pointer)),
      ...(long === undefined ? [] : modifier(20, long.pointer)),
    ];
  },
};

function exceeds(leaf: Leaf, key: RegExp, limit: number): boolean {
  if (!key.test(leaf.key) || leaf.value === null || typeof leaf.value === "boolean") return false;
  const size = typeof leaf.value === "number" ? leaf.value : Number(leaf.value.replace(/[^\d.-]/gu, ""));
  return Number.isFinite(size) && Math.abs(size) > limit;
}

const CASE_KEY = /^(?:case|file|dossier|matter|ticket|incident)(?: (?:id|ref|reference|number|no|nr))?$/u;
const DOCUMENT_KEY = /(?:^| )(?:document|evidence|attachment|proof|certificate|legal basis)s?(?= |$)/u;
/** References carry a number; prose and `n/a` do not. */
const REFERENCE = /^(?=[^]{0,200}\d)[\w./:# -]{3,200}$/u;

/**
 * A request without a case reference and a document: +15 (EU AI Act Art. 11–13; NIST MEASURE 2.8). Weight: proposed.
 * The one place where a given argument means fewer points, so only an argument that the schema declares
 * counts, and what is waived is this modifier alone, never a floor.
 */
export const documentation: Signal = {
  id: "documentation.missing",
  describe: "it names no case or no supporting document",
  tag: "EU AI Act Art. 11–13",
  evaluate(view): readonly Finding[] {
    if (actOf(view, "request")?.pointer !== "/name") return [];
    return documented(view, CASE_KEY) && documented(view, DOCUMENT_KEY) ? [] : modifier(15, "/arguments");
  },
};

function documented(view: CallView, key: RegExp): boolean {
  return view.leaves.some((leaf) => leaf.declared && key.test(leaf.key) && REFERENCE.test(leaf.text));
}
