import type { Case } from "../domain/case.ts";
import { type DefinitionChange, diffDefinitions } from "../domain/definition-diff.ts";
import type { ToolManifest } from "../domain/manifest.ts";
import type { ToolDefinition } from "../domain/tool.ts";
import { proposeManifest } from "../risk/propose-manifest.ts";
import type { GuardStore } from "./ports.ts";

/** The tool of a case, as whoever decides on it must see it. */
export interface ToolOfCase {
  /** The definition that the case names; null when no upstream ever listed it. */
  readonly definition: ToolDefinition | null;
  /** `accepted`: it is the one that an admin accepted. `changed`: it is not. `unknown`: none was accepted. */
  readonly state: "accepted" | "changed" | "unknown";
  /** From the accepted definition to this one; empty when it is the same or there is none. */
  readonly changes: readonly DefinitionChange[];
  /** What it does: as an admin confirmed it of this definition, or as the assessor proposes; null without a definition. */
  readonly manifest: ToolManifest | null;
  /** An admin said so of this very definition. */
  readonly confirmed: boolean;
}

export async function readToolOfCase(
  current: Pick<Case, "upstream" | "tool" | "toolPin">,
  store: Pick<GuardStore, "acceptedPins" | "acceptanceOf" | "getDefinition">,
): Promise<ToolOfCase> {
  const { upstream, tool, toolPin: pin } = current;
  const [definition, pins, acceptance] = await Promise.all([
    store.getDefinition(pin),
    store.acceptedPins(upstream),
    store.acceptanceOf({ upstream, name: tool, pin }),
  ]);
  const acceptedPin = pins.get(tool);
  const accepted =
    acceptedPin === undefined || acceptedPin === pin ? null : await store.getDefinition(acceptedPin);
  const proposed = definition === null ? null : proposeManifest(definition).manifest;
  return {
    definition,
    state: acceptedPin === undefined ? "unknown" : acceptedPin === pin ? "accepted" : "changed",
    changes: accepted === null || definition === null ? [] : diffDefinitions(accepted, definition),
    manifest: acceptance?.manifest ?? proposed,
    confirmed: acceptance !== null,
  };
}
