import type { PersonId, Sha256Hex } from "../../domain/ids.ts";
import { sameManifest, type ToolManifest } from "../../domain/manifest.ts";
import type { HeldReasonId, KnownTool } from "./listing.ts";

/** What an admin said of one definition of a tool. */
export interface Acceptance {
  readonly pin: Sha256Hex;
  /** Counts what was said of this definition; each word makes it larger. */
  readonly revision: number;
  /** Running it twice does no harm; null: nothing was said, and the configuration's word counts. */
  readonly safeToRepeat: boolean | null;
  readonly manifest: ToolManifest;
  /** null: from the machine's own command line. */
  readonly by: PersonId | null;
  readonly atMs: number;
}

export interface AcceptToolParams {
  readonly upstream: string;
  readonly name: string;
  /** Pin of the definition that the admin saw. */
  readonly pin: string;
  readonly manifest: ToolManifest;
  /** null leaves what was said of this definition before. */
  readonly safeToRepeat: boolean | null;
  readonly by: PersonId | null;
}

export type AcceptToolResult =
  /** `repeated`: all of it had been said before; nothing was written. */
  | { readonly kind: "accepted"; readonly acceptance: Acceptance; readonly repeated: boolean }
  /** The tool is not the one that was shown (any more). */
  | { readonly kind: "other_pin"; readonly currentPin: Sha256Hex | null }
  /** Nobody could call it by its name. */
  | { readonly kind: "unusable"; readonly reasonId: HeldReasonId; readonly about: string | null }
  | { readonly kind: "unknown_tool" };

export interface AcceptanceSnapshot {
  readonly tool: KnownTool | null;
  /** What was said of the definition that is accepted now, or of the one that is to be. */
  readonly earlier: Acceptance | null;
  readonly nowMs: number;
}

/** An admin's acceptance of a definition, with its guard: it is the one they saw, and it can be called. */
export function planAcceptance(snapshot: AcceptanceSnapshot, params: AcceptToolParams): AcceptToolResult {
  const { tool, earlier } = snapshot;
  if (tool === null) return { kind: "unknown_tool" };
  const { currentPin: pin, held } = tool;
  if (pin === null || pin !== params.pin) return { kind: "other_pin", currentPin: pin };
  if (held !== null && (held.reasonId === "tool.name_hidden" || held.reasonId === "tool.name_taken")) {
    return { kind: "unusable", ...held };
  }
  // What was said of a definition that was given up meanwhile does not come back with it.
  const stands = tool.acceptedPin === pin;
  const safeToRepeat = params.safeToRepeat ?? (stands ? (earlier?.safeToRepeat ?? null) : null);
  const said =
    stands &&
    held === null &&
    earlier !== null &&
    earlier.safeToRepeat === safeToRepeat &&
    sameManifest(earlier.manifest, params.manifest);
  if (said) return { kind: "accepted", acceptance: earlier, repeated: true };
  const acceptance: Acceptance = {
    pin,
    revision: (earlier?.revision ?? 0) + 1,
    safeToRepeat,
    manifest: params.manifest,
    by: params.by,
    atMs: snapshot.nowMs,
  };
  return { kind: "accepted", acceptance, repeated: false };
}
