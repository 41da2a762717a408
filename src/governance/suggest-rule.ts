import { sha256 } from "../domain/digest.ts";
import type { AgentId, CaseRef, Sha256Hex } from "../domain/ids.ts";
import type { ToolManifest } from "../domain/manifest.ts";
import type { ToolDefinition } from "../domain/tool.ts";
import type { Policy } from "../policy/policy.ts";
import type { CaseStore, GuardStore } from "./ports.ts";

/** So often people must have said the same before a rule may say it for them. */
export const APPROVALS_FOR_A_RULE = 10;

/** One agent's calls of one definition of one tool. */
export interface RepeatedCall {
  readonly agentId: AgentId;
  readonly upstream: string;
  readonly tool: string;
  readonly toolPin: Sha256Hex;
}

/** A call that people approved, and never rejected, edited or took back. */
export interface ApprovedCall extends RepeatedCall {
  readonly approvals: number;
  /** null: none of the cases has a score. */
  readonly highestScore: number | null;
  /** The newest of them. */
  readonly refs: readonly CaseRef[];
}

/** A rule that an operator may paste into `policy:`; nothing is ever applied by itself. */
export interface RuleSuggestion extends ApprovedCall {
  /** An item of the list `policy:`, as YAML. It belongs before the rule that holds these calls. */
  readonly yaml: string;
  /** What speaks against it; empty when nothing is known. */
  readonly warnings: readonly string[];
}

export interface SuggestRuleDeps {
  readonly store: Pick<CaseStore, "approvedCalls"> & Pick<GuardStore, "getDefinition" | "listToolPins">;
  readonly policy: Pick<Policy, "evaluate">;
  readonly threshold: number;
}

/**
 * Rules for what people keep approving.
 *
 * @param of only for this call; null for all of them, the most approved first
 */
export async function suggestRules(
  of: RepeatedCall | null,
  deps: SuggestRuleDeps,
): Promise<readonly RuleSuggestion[]> {
  const approved = await deps.store.approvedCalls({ of, atLeast: APPROVALS_FOR_A_RULE });
  const held = approved.filter((call) => isHeldNow(call, deps) && canBeNamed(call));
  if (held.length === 0) return [];
  const pins = await deps.store.listToolPins();
  return Promise.all(
    held.map(async (call) => {
      const pin = pins.find((known) => known.upstream === call.upstream && known.name === call.tool);
      const manifest = pin?.acceptedPin === call.toolPin ? (pin.acceptance?.manifest ?? null) : null;
      const definition = await deps.store.getDefinition(call.toolPin);
      return suggestion(call, { manifest, definition, threshold: deps.threshold });
    }),
  );
}

/** What policy allows or denies by now needs no rule any more. */
function isHeldNow(call: RepeatedCall, deps: SuggestRuleDeps): boolean {
  const { verdict } = deps.policy.evaluate(call);
  return verdict === "review" || verdict === "assess";
}

/** A rule's names are patterns without an escape: a name that holds `*` or `?` would match more than it says. */
function canBeNamed(call: RepeatedCall): boolean {
  return ![call.agentId, call.upstream, call.tool].some((name) => /[*?]/.test(name));
}

interface ToolKnowledge {
  readonly manifest: ToolManifest | null;
  readonly definition: ToolDefinition | null;
  readonly threshold: number;
}

function suggestion(call: ApprovedCall, known: ToolKnowledge): RuleSuggestion {
  const { approvals, highestScore, refs } = call;
  // Below the threshold machines would have let them through: only a rule held them, and the score may go on guarding.
  const verdict = highestScore !== null && highestScore < known.threshold ? "assess" : "allow";
  const warnings = verdict === "assess" ? [] : warningsFor(highestScore, known);
  const yaml = [
    `# ${approvals} approvals by people, none rejected, edited or taken back; the newest:`,
    ...refs.map((ref) => `#   ${ref}`),
    ...warnings.map((warning) => `# WARNING: ${warning}`),
    `- id: ${ruleIdFor(call, verdict)}`,
    `  upstream: ${quoted(call.upstream)}`,
    `  tool: ${quoted(call.tool)}`,
    `  agent: ${quoted(call.agentId)}`,
    `  verdict: ${verdict}`,
    "",
  ].join("\n");
  return { ...call, yaml, warnings };
}

function warningsFor(highestScore: number | null, known: ToolKnowledge): readonly string[] {
  const { manifest, definition, threshold } = known;
  const warnings: string[] = [];
  if (highestScore !== null) {
    warnings.push(
      `These calls score up to ${highestScore}, and pause from ${threshold} on. With this rule every such call runs unseen, whatever its arguments.`,
    );
  }
  const hints = definition?.annotations;
  if (manifest?.reversible === false)
    warnings.push("An admin confirmed that what this tool does cannot be taken back.");
  // A hint that is not there means the worst, as MCP says; and one that is there is the server's own word.
  else if (manifest === null && hints?.readOnlyHint !== true && hints?.destructiveHint !== false)
    warnings.push("Nobody confirmed that what this tool does can be taken back.");
  return warnings;
}

/** An id as the configuration takes it, and another one for another call. */
function ruleIdFor(call: RepeatedCall, verdict: string): string {
  const readable = call.tool.replaceAll(/[^A-Za-z0-9_.-]/g, "-").slice(0, 40);
  const unique = sha256(JSON.stringify([call.agentId, call.upstream, call.tool])).slice(0, 8);
  return `${verdict}-${readable}-${unique}`;
}

/** A YAML text in double quotes: whatever the name holds, it is one text on one line. */
function quoted(name: string): string {
  return JSON.stringify(name).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
