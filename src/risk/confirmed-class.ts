import type { ToolClass, ToolManifest } from "../domain/manifest.ts";
import type { Finding, Signal } from "./signal.ts";
import { money } from "./signals/money.ts";
import { destructive, execution, identity, operation, physical } from "./signals/operations.ts";
import { outward } from "./signals/outward.ts";
import { entitlementDecision, protectedData } from "./signals/persons.ts";

interface Family {
  readonly signal: Signal;
  /** What the family's signal itself scores by the tool's name. */
  readonly points: number;
}

const FAMILIES: Readonly<Record<Exclude<ToolClass, "read" | "write">, Family>> = {
  operate: { signal: operation, points: 72 },
  outward: { signal: outward, points: 72 },
  destructive: { signal: destructive, points: 75 },
  access: { signal: identity, points: 78 },
  physical: { signal: physical, points: 78 },
  money: { signal: money, points: 80 },
  decision: { signal: entitlementDecision, points: 85 },
  execute: { signal: execution, points: 90 },
};

/** A finding and the signal it counts as. */
export interface ConfirmedFinding extends Finding {
  readonly signal: Signal;
}

/**
 * What an admin's word adds: the tool counts as if its own name said what the admin said, so a floor that its words hide still
 * holds, and an understood argument answers it as it would answer the name (a lone SELECT, a dry run).
 */
export function confirmedFindings(manifest: ToolManifest | undefined): readonly ConfirmedFinding[] {
  if (manifest === undefined) return [];
  const found: ConfirmedFinding[] = [];
  if (manifest.class !== "read" && manifest.class !== "write") {
    found.push({ ...FAMILIES[manifest.class], role: "floor", evidence: "/manifest/class" });
  }
  if (manifest.data.includes("special") || manifest.data.includes("credentials")) {
    found.push({ signal: protectedData, points: 72, role: "floor", evidence: "/manifest/data" });
  }
  return found;
}

/** The class of tools that a signal of the assessor finds; what is not here says nothing of the class. */
export const CLASS_OF_SIGNAL: ReadonlyMap<string, ToolClass> = new Map([
  ["act.write", "write"],
  ["act.request", "write"],
  ["system.operated", "operate"],
  ["outward.sent", "outward"],
  ["outward.published", "outward"],
  ["outward.invitation", "outward"],
  ["act.destructive", "destructive"],
  ["annotation.destructive", "destructive"],
  ["access.changed", "access"],
  ["safeguard.bypass", "access"],
  ["world.physical", "physical"],
  ["money.moved", "money"],
  ["money.requested", "money"],
  ["entitlement.decision", "decision"],
  ["person.profiling", "decision"],
  ["code.execution", "execute"],
  ["act.offensive", "execute"],
]);
