import type { CallView } from "./call-view.ts";
import { actGrades } from "./learned/impact-words.ts";
import type { ActKind } from "./lexicon.ts";
import { READ_NOUNS } from "./lexicon.ts";
import { verbOf } from "./name-acts.ts";
import type { Found } from "./rules.ts";
import { MONEY_SIGNALS, reaches } from "./signals/money.ts";

/** What speaks against the call itself, in full whatever else it says. */
export const TAMPERING: ReadonlySet<string> = new Set([
  "call.over_limit",
  "text.injection",
  "text.disguised",
]);

/** Families that no estimate lowers, and the verbs that say so when a name begins with one. */
const FAMILIES: ReadonlyMap<string, readonly ActKind[]> = new Map([
  ["act.destructive", ["destroy"]],
  ["safeguard.bypass", ["bypass"]],
  ["code.execution", ["execute"]],
  ["access.changed", ["access"]],
]);

/** What a description may not say of a name that only reads. */
const CONTRADICTED: ReadonlySet<string> = new Set(["act.destructive", "money.moved", "outward.sent"]);

/** Further floors that hold when an argument says so. */
const BY_ARGUMENT: ReadonlySet<string> = new Set([
  "data.protected",
  "flag.harsh",
  "network.write",
  "data.extract",
  "cluster.sensitive",
  "path.risky",
]);

/**
 * Whether a finding is known rather than estimated: a floor of destruction, bypass, execution, access or protected data that
 * an argument or the first verb of the name speaks of, whatever an admin confirmed, and money from the operator's limit on.
 * Half of the names of harmless tools written to mislead hold such a word somewhere (`purge_preview`), so one that ends in
 * a look is none.
 */
export function isFirm(finding: Found, view: CallView, moneyFloor: number | undefined): boolean {
  const { id } = finding.signal;
  if (finding.role !== "floor") return false;
  if (TAMPERING.has(id) || finding.evidence.startsWith("/manifest")) return true;
  if (moneyFloor !== undefined && reaches(moneyFloor, view) && MONEY_SIGNALS.has(id)) return true;
  const kinds = FAMILIES.get(id);
  if (finding.evidence.startsWith("/arguments")) return kinds !== undefined || BY_ARGUMENT.has(id);
  if (id === "data.protected" && finding.evidence === "/name") return true;
  // A name that only reads and a description that destroys, pays or sends do not go together.
  if (CONTRADICTED.has(id) && finding.evidence === "/description" && view.namedRead) return true;
  return kinds !== undefined && finding.evidence === "/name" && actsPlainly(view, kinds);
}

function actsPlainly({ nameWords }: CallView, kinds: readonly ActKind[]): boolean {
  const first = nameWords[0] ?? "";
  const last = nameWords.at(-1) ?? "";
  const named = verbOf(first)?.kinds;
  const looks =
    !kinds.includes("bypass") &&
    nameWords.length > 1 &&
    (READ_NOUNS.has(last) || (actGrades([last])[0] ?? 0) <= -3);
  return named !== undefined && kinds.some((kind) => named.has(kind)) && !looks;
}
