import type { DefinitionChange } from "../domain/definition-diff.ts";
import { showHidden } from "../domain/hidden-characters.ts";
import type { ToolManifest } from "../domain/manifest.ts";
import type { DefinitionDiff } from "./contract.ts";

export function manifestBody({ class: of, reversible, data }: ToolManifest) {
  return { class: of, reversible, data: [...data] };
}

/** Changes of a definition; what is not seen is spelt out. */
export function diffBody(changes: readonly DefinitionChange[]): DefinitionDiff {
  return changes.map(({ pointer, kind, from, to }) => ({
    pointer: showHidden(pointer),
    kind,
    from: from === null ? null : showHidden(from),
    to: to === null ? null : showHidden(to),
  }));
}
