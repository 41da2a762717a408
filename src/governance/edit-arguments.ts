import { fail, ok, type Result } from "../domain/errors.ts";
import { type CaseRef, randomHex } from "../domain/ids.ts";
import { readStrictJson } from "../domain/strict-json.ts";
import type { ArgumentSchemas } from "./argument-schema.ts";
import type { CaseStore, GuardStore, Upstreams } from "./ports.ts";
import { type RuleCallDeps, ruleCall } from "./rule-call.ts";
import type { ArgumentEdit } from "./transitions/decision.ts";
import { payload } from "./transitions/plan.ts";

export interface EditArgumentsDeps extends RuleCallDeps {
  readonly store: Pick<CaseStore, "getCase" | "getPayload"> &
    Pick<GuardStore, "getDefinition" | "acceptanceOf">;
  readonly upstreams: Pick<Upstreams, "listTools">;
  readonly schemas: ArgumentSchemas;
}

/** Why an edit cannot be taken; the sentence names the place, never a value. */
export type EditProblem =
  | { readonly kind: "invalid"; readonly detail: string }
  | { readonly kind: "unknown_case" };

/**
 * Prepares a reviewer's own arguments for a case: read as strictly as an agent's, checked against the tool's schema,
 * ruled on by policy and scored again.
 */
export async function editArguments(
  params: { readonly ref: CaseRef; readonly argumentsText: string },
  deps: EditArgumentsDeps,
): Promise<Result<ArgumentEdit, EditProblem>> {
  const current = await deps.store.getCase(params.ref);
  // What the agent sent stays the original, however often a case comes back and is edited.
  const original =
    (await deps.store.getPayload(params.ref, "original_arguments")) ??
    (await deps.store.getPayload(params.ref, "arguments"));
  const definition = current === null ? null : await deps.store.getDefinition(current.toolPin);
  if (current === null || original === null || definition === null) return fail({ kind: "unknown_case" });
  const read = readStrictJson(params.argumentsText);
  if (!read.ok)
    return fail({
      kind: "invalid",
      detail: `${read.failure.message} Place: ${read.failure.place || "arguments"}`,
    });

  const listed = deps.upstreams
    .listTools()
    .find((t) => t.upstream === current.upstream && t.name === current.tool);
  const tool = {
    ...current,
    name: current.tool,
    pin: current.toolPin,
    definition,
    safeToRepeat: listed?.safeToRepeat ?? false,
  };
  if (!isObject(read.value.value)) return fail({ kind: "invalid", detail: "arguments must be an object" });
  const checked = deps.schemas.check(tool, read.value.value);
  if (checked.kind === "invalid") return fail({ kind: "invalid", detail: checked.detail });

  const args = read.value.value;
  const acceptance = await deps.store.acceptanceOf(tool);
  const manifest = acceptance?.manifest ?? null;
  const ruled = ruleCall(
    { agentId: current.agentId, tool, args, schemaUsable: checked.kind === "valid", manifest },
    deps,
  );
  return ok({
    arguments: payload("arguments", read.value.text, deps.random),
    original: payload("original_arguments", original, deps.random),
    policy: ruled.policy,
    assessment: ruled.assessment,
    newNonce: randomHex(16, deps.random),
  });
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
