import { toolPin } from "../../domain/digest.ts";
import { hidesInName } from "../../domain/hidden-characters.ts";
import type { Sha256Hex } from "../../domain/ids.ts";
import type { ReasonId } from "../../domain/reasons.ts";
import type { ToolDefinition } from "../../domain/tool.ts";
import { isDisguised, nameSkeletons, RESERVED_TOOL_NAMES } from "../../domain/tool-name.ts";

/** Why a tool needs more of an admin than one that is only new. */
export type HeldReasonId = Extract<
  ReasonId,
  "tool.name_hidden" | "tool.name_taken" | "tool.confusable" | "tool.renamed"
>;

export interface Held {
  readonly reasonId: HeldReasonId;
  /** The other tool, as `upstream/name`, or the gateway's own; null when it is held for itself. */
  readonly about: string | null;
}

/** A tool as the store knows it. */
export interface KnownTool {
  readonly upstream: string;
  readonly name: string;
  /** Name agents see; null when it was not listed since this was recorded. */
  readonly exposedName: string | null;
  /** null: the upstream does not list it any more. */
  readonly currentPin: Sha256Hex | null;
  readonly acceptedPin: Sha256Hex | null;
  readonly held: Held | null;
}

export interface ListedTool {
  readonly name: string;
  readonly pin: Sha256Hex;
  readonly definition: ToolDefinition;
  /** Name agents see; absent where nobody exposes it. */
  readonly exposedName?: string;
}

export interface ListingParams {
  readonly upstream: string;
  readonly tools: readonly ListedTool[];
  /** What becomes of the tools of an upstream that was never listed before; `accept` when absent. */
  readonly firstSight?: "accept" | "review";
  /** Upstreams there are now, so that one that was taken out of the configuration holds no name any more; all when absent. */
  readonly configured?: readonly string[];
}

export interface ListingSnapshot {
  /** Tools of all upstreams. */
  readonly known: readonly KnownTool[];
  readonly definitionOf: (pin: Sha256Hex) => ToolDefinition | null;
}

/** What the store writes of one tool. */
export type ListingStep =
  | {
      readonly kind: "seen";
      readonly tool: ListedTool;
      readonly accepted: boolean;
      readonly held: Held | null;
    }
  | { readonly kind: "changed"; readonly known: KnownTool; readonly tool: ListedTool }
  | { readonly kind: "gone"; readonly known: KnownTool }
  /** Its exposed name, or why it is held, is another now. */
  | {
      readonly kind: "noted";
      readonly known: KnownTool;
      readonly exposedName: string | null;
      readonly held: Held | null;
    };

/**
 * What an upstream's list means for what is known, as a pure function:
 * 1. of an upstream that was never listed before, what is not held for another reason is accepted, if the operator wants that;
 * 2. a tool that appears later is new; one whose definition differs from the last is changed; one that is not listed is gone;
 * 3. a name with characters that are not seen, and one that another tool or the gateway has already, is held and stays so;
 * 4. a new name that can be taken for that of an accepted tool or of another tool in the list, or that disguises itself, is held;
 * 5. a new tool with description and schema of one that is gone is held as renamed.
 */
export function planListing(snapshot: ListingSnapshot, params: ListingParams): readonly ListingStep[] {
  const { upstream } = params;
  const counts = params.configured;
  const others = snapshot.known.filter(
    (tool) => counts === undefined || tool.upstream === upstream || counts.includes(tool.upstream),
  );
  const own = new Map(others.filter((t) => t.upstream === upstream).map((t) => [t.name, t]));
  const listed = new Map(params.tools.map((tool) => [tool.name, tool]));
  const gone = [...own.values()].filter((tool) => !listed.has(tool.name));
  const namesakes = createNamesakes(others, upstream, [...listed.values()]);
  const originals = createOriginals(gone, snapshot.definitionOf);
  const accepts = own.size === 0 && params.firstSight !== "review";

  const heldNew = (tool: ListedTool): Held | null => {
    const unusable = namesakes.unusable(tool);
    if (unusable !== null) return unusable;
    const about = namesakes.twin(tool);
    if (about !== null || isDisguised(tool.name)) return { reasonId: "tool.confusable", about };
    const original = originals(tool.definition);
    return original === null ? null : { reasonId: "tool.renamed", about: `${upstream}/${original}` };
  };

  const steps: ListingStep[] = [];
  for (const tool of listed.values()) {
    const known = own.get(tool.name);
    if (known === undefined) {
      const held = heldNew(tool);
      steps.push({ kind: "seen", tool, held, accepted: accepts && held === null });
      continue;
    }
    if (known.currentPin !== tool.pin) steps.push({ kind: "changed", known, tool });
    const held = namesakes.unusable(tool) ?? (known.held?.reasonId === "tool.name_taken" ? null : known.held);
    const exposedName = tool.exposedName ?? known.exposedName;
    if (exposedName !== known.exposedName || !sameHeld(held, known.held))
      steps.push({ kind: "noted", known, exposedName, held });
  }
  for (const known of gone) if (known.currentPin !== null) steps.push({ kind: "gone", known });
  return steps;
}

export function sameHeld(one: Held | null, other: Held | null): boolean {
  return one?.reasonId === other?.reasonId && one?.about === other?.about;
}

interface Namesakes {
  /** Why nobody can call the tool by its name; null when they can. */
  unusable(tool: ListedTool): Held | null;
  /** An accepted or listed tool whose name the tool's could be taken for. */
  twin(tool: ListedTool): string | null;
}

function createNamesakes(
  others: readonly KnownTool[],
  upstream: string,
  listed: readonly ListedTool[],
): Namesakes {
  const owners = new Map<string, string>();
  for (const tool of others) {
    const holdsName = tool.currentPin !== null && tool.held?.reasonId !== "tool.name_taken";
    if (tool.upstream !== upstream && holdsName && tool.exposedName !== null)
      owners.set(tool.exposedName, `${tool.upstream}/${tool.name}`);
  }
  for (const name of RESERVED_TOOL_NAMES) owners.set(name, `gateway/${name}`);

  let index: SkeletonIndex | null = null;
  const byForm = () => {
    index ??= indexNames([
      ...others
        .filter((tool) => tool.acceptedPin !== null)
        .map(({ upstream: of, name, exposedName }) => ({ id: `${of}/${name}`, name, exposedName })),
      ...listed.map(({ name, exposedName }) => ({
        id: `${upstream}/${name}`,
        name,
        exposedName: exposedName ?? null,
      })),
      ...RESERVED_TOOL_NAMES.map((name) => ({ id: `gateway/${name}`, name: null, exposedName: name })),
    ]);
    return index;
  };

  return {
    unusable: (tool) => {
      if (hidesInName(tool.name)) return { reasonId: "tool.name_hidden", about: null };
      const owner = owners.get(tool.exposedName ?? "");
      return owner === undefined ? null : { reasonId: "tool.name_taken", about: owner };
    },
    twin: (tool) => twinsOf({ ...tool, exposedName: tool.exposedName ?? null }, byForm())[0] ?? null,
  };
}

/** A tool's two names. */
export interface Named {
  /** `upstream/name`. */
  readonly id: string;
  /** null for the gateway's own, whose names are only those that agents see. */
  readonly name: string | null;
  readonly exposedName: string | null;
}

/** Names by the forms that they can be confused in. */
export type SkeletonIndex = ReadonlyMap<string, readonly { readonly id: string; readonly text: string }[]>;

export function indexNames(tools: readonly Named[]): SkeletonIndex {
  const index = new Map<string, { id: string; text: string }[]>();
  for (const tool of tools) {
    for (const { form, text } of formsOf(tool)) {
      const entries = index.get(form) ?? [];
      entries.push({ id: tool.id, text });
      index.set(form, entries);
    }
  }
  return index;
}

/** Tools with another name that can be taken for this one's, at the upstreams or as agents see it. The same name at two upstreams is no confusion. */
export function twinsOf(tool: Omit<Named, "id">, index: SkeletonIndex): readonly string[] {
  const twins = formsOf(tool).flatMap(({ form, text }) =>
    (index.get(form) ?? []).filter((entry) => entry.text !== text).map((entry) => entry.id),
  );
  return [...new Set(twins)].toSorted();
}

function formsOf({ name, exposedName }: Omit<Named, "id">): readonly { form: string; text: string }[] {
  const forms = (kind: string, text: string | null) =>
    text === null ? [] : nameSkeletons(text).map((skeleton) => ({ form: `${kind}:${skeleton}`, text }));
  return [...forms("name", name), ...forms("exposed", exposedName)];
}

/** Finds the tool that is gone and had the same description and schema. */
function createOriginals(
  gone: readonly KnownTool[],
  definitionOf: ListingSnapshot["definitionOf"],
): (definition: ToolDefinition) => string | null {
  let byShape: Map<string, string> | null = null;
  return (definition) => {
    byShape ??= new Map(
      gone.flatMap((tool) => {
        const pin = tool.acceptedPin ?? tool.currentPin;
        const known = pin === null ? null : definitionOf(pin);
        const shape = known === null ? null : shapeOf(known);
        return shape === null ? [] : [[shape, tool.name] as const];
      }),
    );
    const shape = shapeOf(definition);
    return shape === null ? null : (byShape.get(shape) ?? null);
  };
}

/** What a tool does and takes, without its name; null when that says too little to know it again by. */
function shapeOf({ description, inputSchema }: ToolDefinition): string | null {
  const { properties } = inputSchema;
  const takes = typeof properties === "object" && properties !== null && Object.keys(properties).length > 0;
  const says = typeof description === "string" && description.trim() !== "";
  if (!takes && !says) return null;
  return toolPin({ description, inputSchema });
}
