/**
 * What a tool does to the world, gravest last: the impact families of the risk assessor. A tool is of the gravest class that fits.
 */
export const TOOL_CLASSES = [
  "read",
  "write",
  "operate",
  "outward",
  "destructive",
  "access",
  "physical",
  "money",
  "decision",
  "execute",
] as const;
export type ToolClass = (typeof TOOL_CLASSES)[number];

/** Kinds of data that a tool reads or writes and that the law or an attacker cares about. */
export const DATA_CATEGORIES = ["personal", "special", "credentials", "financial"] as const;
export type DataCategory = (typeof DATA_CATEGORIES)[number];

/** What an admin confirmed of one definition of a tool. */
export interface ToolManifest {
  readonly class: ToolClass;
  /** What it does can be taken back in the same system. */
  readonly reversible: boolean;
  readonly data: readonly DataCategory[];
}

/** What each class means, for screens and help. */
export const CLASS_MEANINGS = {
  read: "only reads",
  write: "adds or changes something",
  operate: "changes a running system",
  outward: "sends, publishes or shares",
  destructive: "deletes or overwrites",
  access: "changes who may do what, or a safeguard",
  physical: "moves or unlocks something physical",
  money: "moves money or changes what is owed",
  decision: "decides on a person",
  execute: "runs code, commands or raw SQL",
} as const satisfies Record<ToolClass, string>;

export function isDataCategory(text: string): text is DataCategory {
  return DATA_CATEGORIES.some((known) => known === text);
}

export function sameManifest(one: ToolManifest | null, other: ToolManifest | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.class === other.class &&
    one.reversible === other.reversible &&
    one.data.length === other.data.length &&
    one.data.every((category) => other.data.includes(category))
  );
}
