import type { ToolDefinition } from "./tool.ts";

/** One member that differs between two definitions of a tool; values are the tool's own words and must be escaped where they are shown. */
export interface DefinitionChange {
  /** JSON pointer into the definition. */
  readonly pointer: string;
  readonly kind: "added" | "removed" | "changed";
  /** As JSON text; null when there was none. */
  readonly from: string | null;
  /** As JSON text; null when there is none any more. */
  readonly to: string | null;
}

/** What of a change an admin must not overlook. */
export const CHANGE_FLAGS = [
  "description.changed",
  "parameter.added",
  "parameter.removed",
  "parameter.changed",
  "input_schema.changed",
  "output_schema.changed",
  "destructive_hint.dropped",
  "annotation.weakened",
] as const;
export type ChangeFlag = (typeof CHANGE_FLAGS)[number];

/** Every member that differs, in the order of the definitions; objects and lists are compared member by member. */
export function diffDefinitions(from: ToolDefinition, to: ToolDefinition): readonly DefinitionChange[] {
  return diffValues(from, to, "");
}

/** Every member that differs between two JSON values, below `pointer`. */
export function diffValues(from: unknown, to: unknown, pointer: string): readonly DefinitionChange[] {
  if (from === undefined && to === undefined) return [];
  if (from === undefined) return [{ pointer, kind: "added", from: null, to: JSON.stringify(to) }];
  if (to === undefined) return [{ pointer, kind: "removed", from: JSON.stringify(from), to: null }];
  const isTree = typeof from === "object" && typeof to === "object" && from !== null && to !== null;
  if (isTree && Array.isArray(from) === Array.isArray(to)) {
    const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
    return [...keys].flatMap((key) =>
      diffValues(own(from, key), own(to, key), `${pointer}/${escapeKey(key)}`),
    );
  }
  const texts = { from: JSON.stringify(from), to: JSON.stringify(to) };
  return texts.from === texts.to ? [] : [{ pointer, kind: "changed", ...texts }];
}

function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? Reflect.get(object, key) : undefined;
}

function escapeKey(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Annotations whose loss or turn makes a tool look more harmless than it did. */
const WEAKER: Readonly<Record<string, (from: unknown, to: unknown) => boolean>> = {
  readOnlyHint: (from, to) => from !== true && to === true,
  idempotentHint: (from, to) => from !== true && to === true,
  // The protocol's default is true: only an outright `false` says that nothing is destroyed, or that nothing leaves.
  destructiveHint: (from, to) => from !== false && to === false,
  openWorldHint: (from, to) => from !== false && to === false,
};

/** What of the difference an admin must not overlook; empty when nothing of it concerns what the tool does. */
export function flagsOfChange(from: ToolDefinition, to: ToolDefinition): readonly ChangeFlag[] {
  const flags = new Set<ChangeFlag>();
  for (const { pointer, kind } of diffDefinitions(from, to)) {
    const flag = flagOfPointer(pointer, kind);
    if (flag !== null) flags.add(flag);
  }
  const before: { readonly [key: string]: unknown } = from.annotations ?? {};
  const after: { readonly [key: string]: unknown } = to.annotations ?? {};
  if (before["destructiveHint"] === true && after["destructiveHint"] !== true)
    flags.add("destructive_hint.dropped");
  if (Object.entries(WEAKER).some(([name, isWeaker]) => isWeaker(before[name], after[name])))
    flags.add("annotation.weakened");
  return CHANGE_FLAGS.filter((flag) => flags.has(flag));
}

function flagOfPointer(pointer: string, kind: DefinitionChange["kind"]): ChangeFlag | null {
  if (pointer === "/description" || pointer === "/title") return "description.changed";
  if (pointer.startsWith("/outputSchema")) return "output_schema.changed";
  if (/^\/inputSchema\/properties\/[^/]*$/u.test(pointer)) {
    return kind === "added"
      ? "parameter.added"
      : kind === "removed"
        ? "parameter.removed"
        : "parameter.changed";
  }
  if (pointer === "/inputSchema/properties")
    return kind === "removed" ? "parameter.removed" : "parameter.added";
  if (pointer.startsWith("/inputSchema/properties/")) return "parameter.changed";
  return pointer.startsWith("/inputSchema") ? "input_schema.changed" : null;
}
