import { type DefinitionChange, diffDefinitions, flagsOfChange } from "../domain/definition-diff.ts";
import { hidesInText } from "../domain/hidden-characters.ts";
import { DATA_CATEGORIES, TOOL_CLASSES, type ToolManifest } from "../domain/manifest.ts";
import type { ToolDefinition } from "../domain/tool.ts";
import { isDisguised } from "../domain/tool-name.ts";
import { type ProposedManifest, proposeManifest } from "../risk/propose-manifest.ts";
import type { GuardStore, ToolPin } from "./ports.ts";
import { indexNames, type SkeletonIndex, twinsOf } from "./transitions/listing.ts";

export const TOOL_STATES = ["accepted", "new", "changed", "quarantined", "gone"] as const;
/** Where a tool stands with the admins; `quarantined`: held for its name. */
export type ToolState = (typeof TOOL_STATES)[number];

/** Something an admin should know before they accept a tool. */
export interface ToolFlag {
  /** `name.confusable`, `description.changed`, `text.injection`, … */
  readonly id: string;
  /** Another tool as `upstream/name`, or a JSON pointer into the definition; null when the flag says it all. */
  readonly about: string | null;
}

/** A tool as an admin looks at it. */
export interface ToolReport extends ToolPin {
  readonly state: ToolState;
  readonly flags: readonly ToolFlag[];
  /** What the assessor makes of the definition as it is now; null for a tool that is gone. */
  readonly proposed: ProposedManifest | null;
  /** What accepting it confirms unless the admin says otherwise: the proposal, and nothing less grave than what was confirmed of it before. */
  readonly suggested: ToolManifest | null;
}

export interface ToolDetail extends ToolReport {
  readonly currentDefinition: ToolDefinition | null;
  readonly acceptedDefinition: ToolDefinition | null;
  /** From the accepted definition to the current one; empty when there are not two. */
  readonly diff: readonly DefinitionChange[];
}

type ToolReads = Pick<GuardStore, "listToolPins" | "getDefinition">;

/** All tools, as an admin looks at them. */
export async function reportTools(store: ToolReads): Promise<readonly ToolDetail[]> {
  const pins = await store.listToolPins();
  const index = indexNames(
    pins
      .filter((pin) => pin.currentPin !== null || pin.acceptedPin !== null)
      .map(({ upstream, name, exposedName }) => ({ id: `${upstream}/${name}`, name, exposedName })),
  );
  return Promise.all(pins.map((pin) => reportOf(pin, index, store)));
}

/** One tool; null when it was never listed. */
export async function reportTool(
  key: { readonly upstream: string; readonly name: string },
  store: ToolReads,
): Promise<ToolDetail | null> {
  const all = await reportTools(store);
  return all.find((tool) => tool.upstream === key.upstream && tool.name === key.name) ?? null;
}

async function reportOf(pin: ToolPin, index: SkeletonIndex, store: ToolReads): Promise<ToolDetail> {
  const [current, accepted] = await Promise.all([
    pin.currentPin === null ? null : store.getDefinition(pin.currentPin),
    pin.acceptedPin === null ? null : store.getDefinition(pin.acceptedPin),
  ]);
  const proposed = current === null ? null : proposeManifest(current);
  const earlier = pin.acceptance?.manifest ?? null;
  const isChanged = current !== null && accepted !== null && pin.currentPin !== pin.acceptedPin;
  return {
    ...pin,
    state: stateOf(pin),
    proposed,
    suggested: proposed === null ? null : graver(proposed.manifest, earlier),
    flags: [
      ...nameFlags(pin, index),
      ...(current === null ? [] : hiddenTexts(current)),
      ...(proposed?.warnings ?? []).map((id) => ({ id, about: null })),
      ...(isChanged ? flagsOfChange(accepted, current).map((id) => ({ id, about: null })) : []),
      ...(proposed?.sure === false && !isConfirmed(pin) ? [{ id: "class.unsure", about: null }] : []),
    ],
    currentDefinition: current,
    acceptedDefinition: accepted,
    diff: isChanged ? diffDefinitions(accepted, current) : [],
  };
}

export function stateOf(pin: ToolPin): ToolState {
  if (pin.currentPin === null) return "gone";
  if (pin.held !== null && pin.held.reasonId !== "tool.renamed") return "quarantined";
  if (pin.acceptedPin === null) return "new";
  return pin.currentPin === pin.acceptedPin ? "accepted" : "changed";
}

/** Whether an admin said something of the definition as it is now; false also for one that was only accepted at first sight. */
export function isConfirmed(pin: ToolPin): boolean {
  return pin.acceptance !== null && pin.acceptance.pin === pin.currentPin;
}

/** Whether an admin has something to say of it. */
export function isPending(tool: ToolReport): boolean {
  return tool.state !== "gone" && !isConfirmed(tool);
}

/** Flags of what is accepted only by its own name: something about it may deceive whoever looks at a list. */
const DECEIVES: ReadonlySet<string> = new Set([
  "name.hidden",
  "name.taken",
  "name.confusable",
  "name.disguised",
  "text.hidden",
  "text.disguised",
  "text.injection",
]);

/** Whether it must be named to be accepted, and is left out when all are. */
export function mustBeNamed(tool: ToolReport): boolean {
  return tool.state === "quarantined" || tool.flags.some((flag) => DECEIVES.has(flag.id));
}

function nameFlags(pin: ToolPin, index: SkeletonIndex): readonly ToolFlag[] {
  const own = `${pin.upstream}/${pin.name}`;
  const twins = twinsOf(pin, index).filter((twin) => twin !== own);
  const { held } = pin;
  const told = held === null ? [] : [{ id: FLAG_OF_HELD[held.reasonId], about: held.about }];
  const found = [
    ...told.filter((flag) => flag.id !== "name.confusable" || flag.about !== null),
    ...twins.filter((twin) => twin !== held?.about).map((about) => ({ id: "name.confusable", about })),
  ];
  return isDisguised(pin.name) ? [{ id: "name.disguised", about: null }, ...found] : found;
}

const FLAG_OF_HELD = {
  "tool.name_hidden": "name.hidden",
  "tool.name_taken": "name.taken",
  "tool.confusable": "name.confusable",
  "tool.renamed": "name.renamed",
} as const;

/** Where the definition holds characters that are not seen; the first few places tell enough. */
function hiddenTexts(definition: ToolDefinition): readonly ToolFlag[] {
  return [...hiddenPlaces(definition, "")].slice(0, 3).map((about) => ({ id: "text.hidden", about }));
}

function* hiddenPlaces(value: unknown, pointer: string): Generator<string> {
  if (typeof value === "string") {
    if (hidesInText(value)) yield pointer;
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const place = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (hidesInText(key)) yield place;
      yield* hiddenPlaces(item, place);
    }
  }
}

/** What an admin confirms: what they say themselves, and the rest as it was suggested. */
export function confirmedBy(
  said: { readonly [Member in keyof ToolManifest]?: ToolManifest[Member] | undefined },
  suggested: ToolManifest,
): ToolManifest {
  return {
    class: said.class ?? suggested.class,
    reversible: said.reversible ?? suggested.reversible,
    data: said.data ?? suggested.data,
  };
}

/** The graver of two in every respect: what an admin said once of a tool is not forgotten because its words became milder. */
function graver(proposed: ToolManifest, earlier: ToolManifest | null): ToolManifest {
  if (earlier === null) return proposed;
  const grave = (manifest: ToolManifest) => TOOL_CLASSES.indexOf(manifest.class);
  return {
    class: grave(earlier) > grave(proposed) ? earlier.class : proposed.class,
    reversible: earlier.reversible && proposed.reversible,
    data: DATA_CATEGORIES.filter((of) => earlier.data.includes(of) || proposed.data.includes(of)),
  };
}
