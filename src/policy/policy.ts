import type { Verdict } from "../domain/assessment.ts";
import { sha256 } from "../domain/digest.ts";
import { canonicalJson } from "../domain/jcs.ts";
import type { ReasonId } from "../domain/reasons.ts";
import { compileGlob, type Glob, globCovers } from "./glob.ts";

/** What a rule may speak of: calls of tools, reads of resources, or prompts. */
export const RULE_KINDS = ["tool", "resource", "prompt"] as const;
type RuleKind = (typeof RULE_KINDS)[number];

/** The first rule that matches decides. It speaks of one kind only: exactly one of `tool`, `resource` and `prompt` is there. */
export interface PolicyRule {
  /** `rule-3`, or the name the operator gave it. */
  readonly id: string;
  /** Glob over the upstream's name. */
  readonly upstream: string;
  /** Glob over the tool's name at the upstream. */
  readonly tool?: string;
  /** Glob over the resource's URI, or the text of a URI template. */
  readonly resource?: string;
  /** Glob over the prompt's name at the upstream. */
  readonly prompt?: string;
  /** Glob over the agent's id. */
  readonly agent: string;
  readonly verdict: Verdict;
  /** What the rule would hold is let through and recorded. */
  readonly observe?: boolean;
}

export interface PolicyConfig {
  readonly rules: readonly PolicyRule[];
  /** Hash of the rules. */
  readonly version: string;
}

/** What policy says of a call now, and the version of the policy that said it. */
export interface PolicyAnswer {
  readonly verdict: Verdict;
  /** null: no rule matched, or the policy could not be evaluated. */
  readonly ruleId: string | null;
  readonly version: string;
}

/** A policy answer with its reason; `assess` has none, because the assessor gives it. */
export interface PolicyEvaluation extends PolicyAnswer {
  readonly reasonId: ReasonId | null;
  /** The rule only observes. */
  readonly observe: boolean;
}

/** What is asked for: a tool or prompt by its name at the upstream, a resource by its URI. */
export type PolicySubject = { readonly upstream: string; readonly agentId: string } & (
  | { readonly tool: string }
  | { readonly resource: string }
  | { readonly prompt: string }
);

export interface Policy {
  readonly version: string;
  readonly rules: readonly PolicyRule[];
  /** Never throws: what cannot be evaluated goes to a human. */
  evaluate(subject: PolicySubject): PolicyEvaluation;
}

/** A rule that can never match, and the earlier rule that takes every call it would match. */
export interface UnreachableRule {
  readonly ruleId: string;
  readonly coveredBy: string;
}

const REASON_OF_VERDICT = {
  allow: "policy.allowed",
  deny: "policy.denied",
  review: "policy.review",
  assess: null,
} as const satisfies Record<Verdict, ReasonId | null>;

/** SHA-256 over the canonical JSON of the rules in order: the same rules have the same version on every gateway. */
export function policyVersion(rules: readonly PolicyRule[]): string {
  return sha256(
    canonicalJson(
      rules.map(({ id, upstream, tool, resource, prompt, agent, verdict, observe }) => ({
        id,
        upstream,
        tool,
        resource,
        prompt,
        agent,
        verdict,
        observe: observe ? true : undefined,
      })),
    ),
  );
}

/**
 * Compiles the rules once; never throws. A policy with a rule that cannot be compiled (a stored row that was
 * damaged, say) answers `review` to everything, because skipping that rule could let pass what it denied.
 */
export function compilePolicy(config: PolicyConfig): Policy {
  const { version } = config;
  const failed: PolicyEvaluation = {
    verdict: "review",
    ruleId: null,
    version,
    reasonId: "policy.error",
    observe: false,
  };
  const matchers = compileRules(config);
  return {
    version,
    rules: config.rules,
    evaluate(subject) {
      if (matchers === undefined) return failed;
      try {
        const found = matchers.find((matcher) => matcher.matches(subject))?.rule;
        if (found === undefined) {
          return { verdict: "review", ruleId: null, version, reasonId: "policy.no_rule", observe: false };
        }
        return {
          verdict: found.verdict,
          ruleId: found.id,
          version,
          reasonId: REASON_OF_VERDICT[found.verdict],
          observe: found.observe ?? false,
        };
      } catch {
        // Fails closed: a subject that breaks a matcher is one that no rule has judged.
        return failed;
      }
    },
  };
}

interface Matcher {
  readonly rule: PolicyRule;
  matches(subject: PolicySubject): boolean;
}

function compileRules(config: PolicyConfig): readonly Matcher[] | undefined {
  try {
    return config.rules.map((rule) => {
      if (!Object.hasOwn(REASON_OF_VERDICT, rule.verdict)) throw new TypeError("unknown verdict");
      const kind = kindOf(rule);
      const upstream = compileGlob(rule.upstream);
      const name = compileGlob(patternOf(rule, kind));
      const agent = compileGlob(rule.agent);
      return {
        rule,
        // All three are evaluated, so a subject that breaks one is an error whichever rule would have matched.
        matches: (subject) =>
          [
            upstream.matches(subject.upstream),
            nameMatches(name, kind, subject),
            agent.matches(subject.agentId),
          ].every(Boolean),
      };
    });
  } catch {
    // Fails closed: evaluate() answers `policy.error` for every call.
    return undefined;
  }
}

/** @throws TypeError when the rule speaks of no kind, or of several. */
function kindOf(rule: PolicyRule): RuleKind {
  const [kind, ...others] = RULE_KINDS.filter((candidate) => rule[candidate] !== undefined);
  if (kind === undefined || others.length > 0) throw new TypeError("a rule speaks of exactly one kind");
  return kind;
}

function patternOf(rule: PolicyRule, kind: RuleKind): string {
  return rule[kind] ?? "";
}

function nameMatches(glob: Glob, kind: RuleKind, subject: PolicySubject): boolean {
  const names: Partial<Record<RuleKind, unknown>> = subject;
  const [asked, ...others] = RULE_KINDS.filter((candidate) => names[candidate] !== undefined);
  const name = asked === undefined || others.length > 0 ? undefined : names[asked];
  if (typeof name !== "string") throw new TypeError("a subject has exactly one name");
  return asked === kind && glob.matches(name);
}

/** Rules that can never match because one earlier rule covers them; rules covered only by several together are not found. */
export function findUnreachableRules(policy: Pick<Policy, "rules">): readonly UnreachableRule[] {
  return policy.rules.flatMap((rule, index) => {
    const cover = policy.rules.slice(0, index).find((earlier) => ruleCovers(earlier, rule));
    return cover === undefined ? [] : [{ ruleId: rule.id, coveredBy: cover.id }];
  });
}

function ruleCovers(wide: PolicyRule, narrow: PolicyRule): boolean {
  const kind = kindOf(narrow);
  return (
    kindOf(wide) === kind &&
    globCovers(wide.upstream, narrow.upstream) &&
    globCovers(patternOf(wide, kind), patternOf(narrow, kind)) &&
    globCovers(wide.agent, narrow.agent)
  );
}
