/** A URI template (RFC 6570) that can say whether a URI may be one of its expansions. */
export interface UriTemplate {
  /** Steps of the matcher: its work is at most this times the length of the URI. */
  readonly size: number;
  matches(uri: string): boolean;
}

/** One step of a matcher: it takes a character, takes any number of them, or may be left out with the steps after it. */
type Step =
  | { readonly kind: "char"; readonly char: string }
  | { readonly kind: "one" | "many"; readonly not: string }
  | { readonly kind: "optional"; readonly steps: number };

/** Longest template that is taken; longer ones are no one's honest family of resources. */
const MAX_TEMPLATE_LENGTH = 1_024;

const VARIABLES = /^[A-Za-z0-9_.%]+(?:\*|:\d{1,4})?(?:,[A-Za-z0-9_.%]+(?:\*|:\d{1,4})?)*$/u;

/** What the expansion of each operator begins with, and which characters it cannot hold (RFC 6570, section 3.2). */
const OPERATORS: Readonly<Record<string, { readonly lead: string; readonly not: string }>> = {
  "": { lead: "", not: "/?#" },
  "+": { lead: "", not: "" },
  "#": { lead: "#", not: "" },
  ".": { lead: ".", not: "/?#" },
  "/": { lead: "/", not: "?#" },
  ";": { lead: ";", not: "/?#" },
  "?": { lead: "?", not: "#" },
  "&": { lead: "&", not: "#" },
};

/**
 * Compiles a template for matching. An expression stands for any text that its operator could expand to, whatever its
 * variables: this decides only which upstream is asked, and the upstream reads the URI itself. `{x}` and `{+x}` stand
 * for at least one character; the others may be empty, as RFC 6570 leaves out what is not defined.
 *
 * All alternatives are followed at once, so that no template and no URI can make it go back and try again.
 *
 * @returns null when it is not a template, or longer than {@link MAX_TEMPLATE_LENGTH}
 */
export function compileUriTemplate(source: string): UriTemplate | null {
  if (source === "" || source.length > MAX_TEMPLATE_LENGTH) return null;
  const steps: Step[] = [];
  for (let at = 0; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (char === "}") return null;
    if (char !== "{") {
      steps.push({ kind: "char", char });
      continue;
    }
    const end = source.indexOf("}", at);
    const expression = end < 0 ? null : expressionSteps(source.slice(at + 1, end));
    if (expression === null) return null;
    steps.push(...expression);
    at = end;
  }
  return { size: steps.length, matches: (uri) => run(steps, uri) };
}

function expressionSteps(inside: string): readonly Step[] | null {
  const first = inside.charAt(0);
  const operator = Object.hasOwn(OPERATORS, first) ? first : "";
  const { lead, not } = OPERATORS[operator] ?? { lead: "", not: "" };
  if (!VARIABLES.test(inside.slice(operator.length))) return null;
  if (lead === "")
    return [
      { kind: "one", not },
      { kind: "many", not },
    ];
  return [
    { kind: "optional", steps: 2 },
    { kind: "char", char: lead },
    { kind: "many", not },
  ];
}

/** Follows every way through the steps at once; each character is looked at once for each step that is still open. */
function run(steps: readonly Step[], uri: string): boolean {
  let open = reach(steps, [0]);
  for (let place = 0; place < uri.length; place += 1) {
    const char = uri.charAt(place);
    const next: number[] = [];
    for (const at of open) {
      const step = steps[at];
      if (step === undefined || step.kind === "optional") continue;
      if (step.kind === "char" ? step.char !== char : step.not.includes(char)) continue;
      next.push(step.kind === "many" ? at : at + 1);
    }
    if (next.length === 0) return false;
    open = reach(steps, next);
  }
  return open.has(steps.length);
}

/** The given places and all that can be come to from them without taking a character. */
function reach(steps: readonly Step[], from: readonly number[]): ReadonlySet<number> {
  const reached = new Set(from);
  // A set gives out what is added while it is walked.
  for (const at of reached) {
    const step = steps[at];
    if (step?.kind === "many") reached.add(at + 1);
    if (step?.kind === "optional") {
      reached.add(at + 1);
      reached.add(at + 1 + step.steps);
    }
  }
  return reached;
}
