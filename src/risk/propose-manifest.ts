import { type DataCategory, TOOL_CLASSES, type ToolClass, type ToolManifest } from "../domain/manifest.ts";
import type { ToolDefinition } from "../domain/tool.ts";
import { type CallView, LIMITS, viewCall } from "./call-view.ts";
import { CLASS_OF_SIGNAL } from "./confirmed-class.ts";
import { MONEY, nouns, PERSONAL_DATA, PERSONS, PROTECTED } from "./lexicon.ts";
import { DEFAULT_PACKS, signalsOf } from "./packs.ts";
import { readsOnly } from "./signals/plain-act.ts";
import { wordsOf } from "./text.ts";

export interface ProposedManifest {
  readonly manifest: ToolManifest;
  /** false: name and description do not say what the tool does; whoever confirms must find out. */
  readonly sure: boolean;
  /** Ids of what speaks against the definition itself: words that steer, characters that look like others. */
  readonly warnings: readonly string[];
}

const SECRETS = nouns(
  "credential|password|passwd|secret|private key|(?:api|access|secret|ssh|encryption) key|(?:access|auth|api|bearer|refresh|session|oauth) token|keychain",
);
/** Parameters whose value is carried out. */
const CARRIED = /^(?:sql|sql query|sql statement|command|cmd|command line|shell command|script)$/u;
const TAMPERING: ReadonlySet<string> = new Set(["text.injection", "text.disguised", "call.over_limit"]);
const REVERSIBLE: ReadonlySet<ToolClass> = new Set(["read", "write", "operate", "access"]);

/**
 * What the embedded assessor makes of a tool by its definition alone, for an admin to confirm: the gravest class that its
 * words speak for. The tool's own hints may make it graver, never more harmless.
 */
export function proposeManifest(definition: ToolDefinition): ProposedManifest {
  try {
    return propose(definition);
  } catch {
    // A definition that cannot be read may do anything.
    return {
      manifest: { class: "execute", reversible: false, data: [] },
      sure: false,
      warnings: ["call.over_limit"],
    };
  }
}

function propose(definition: ToolDefinition): ProposedManifest {
  const view = viewCall({ definition, arguments: {}, trusted: false });
  const found = signalsOf(DEFAULT_PACKS)
    .filter((signal) => signal.evaluate(view).some((finding) => finding.role !== "modifier"))
    .map((signal) => signal.id);
  const parameters = parametersOf(definition);
  const carries = parameters.some((words) => CARRIED.test(words)) ? (["execute"] as const) : [];
  const classes = [...found.flatMap((id) => CLASS_OF_SIGNAL.get(id) ?? []), ...carries];
  const gravest = classes.toSorted((a, b) => TOOL_CLASSES.indexOf(b) - TOOL_CLASSES.indexOf(a))[0];
  const isRead = readsOnly(view) || (view.describedRead && view.acts.length === 0);
  const toolClass = gravest ?? (isRead ? "read" : "write");
  const destroys = found.includes("act.destructive") || found.includes("annotation.destructive");
  return {
    manifest: {
      class: toolClass,
      reversible: REVERSIBLE.has(toolClass) && !destroys,
      data: dataOf(view, parameters),
    },
    sure:
      readsOnly(view) ||
      (gravest !== undefined && (gravest !== "write" || !found.includes("tool.unclassified"))),
    warnings: found.filter((id) => TAMPERING.has(id)),
  };
}

/** Names of the parameters as words. */
function parametersOf({ inputSchema }: ToolDefinition): readonly string[] {
  const { properties } = inputSchema;
  const names = typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
  return names.slice(0, LIMITS.properties).map((name) => wordsOf(name.slice(0, LIMITS.nameChars)).join(" "));
}

function dataOf(view: CallView, parameters: readonly string[]): readonly DataCategory[] {
  const named = [view.name.words, ...parameters];
  const texts = [...named, view.description.words];
  const categories: readonly (readonly [DataCategory, boolean])[] = [
    // A description speaks of users without touching what is known of them.
    ["personal", named.some((text) => PERSONS.test(text)) || texts.some((text) => PERSONAL_DATA.test(text))],
    ["special", texts.some((text) => PROTECTED.test(text) && !SECRETS.test(text))],
    ["credentials", texts.some((text) => SECRETS.test(text))],
    ["financial", texts.some((text) => MONEY.test(text))],
  ];
  return categories.filter(([, holds]) => holds).map(([category]) => category);
}
