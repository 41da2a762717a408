import { showHidden } from "../domain/hidden-characters.ts";
import type { ToolManifest } from "../domain/manifest.ts";
import {
  isConfirmed,
  isPending,
  mustBeNamed,
  type ToolDetail,
  type ToolFlag,
} from "../governance/tool-report.ts";

const FLAG_WORDS: Readonly<Record<string, string>> = {
  "name.hidden": "name holds characters that are not seen",
  "name.taken": "name is taken by",
  "name.confusable": "name can be taken for",
  "name.disguised": "name is in letters that look like others",
  "name.renamed": "was",
  "text.hidden": "hidden characters at",
  "text.disguised": "characters that look like others",
  "text.injection": "words that try to steer its assessment",
  "call.over_limit": "too large to be read",
  "class.unsure": "class is a guess",
  "description.changed": "description changed",
  "parameter.added": "parameter added",
  "parameter.removed": "parameter removed",
  "parameter.changed": "parameter changed",
  "input_schema.changed": "input schema changed",
  "output_schema.changed": "output schema changed",
  "destructive_hint.dropped": "does not say any more that it may destroy",
  "annotation.weakened": "says that it is more harmless than before",
};

/** Tools as lines of a table, and below it what to do next. Names and places are the tools' own words, so what is not seen in them is shown. */
export function toolTable(
  tools: readonly ToolDetail[],
  { header = true }: { readonly header?: boolean } = {},
): readonly string[] {
  const rows = tools.map((tool) => [
    tool.state,
    showHidden(`${tool.upstream}/${tool.name}`),
    classOf(tool),
    tool.flags.map(flagWords).join("; "),
  ]);
  const all = header ? [["STATE", "TOOL", "CLASS", "LOOK AT"], ...rows] : rows;
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const lines = all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return header ? [...lines, ...nextSteps(tools)] : lines;
}

function classOf(tool: ToolDetail): string {
  if (isConfirmed(tool) && tool.acceptance !== null) return shortWords(tool.acceptance.manifest);
  return tool.suggested === null ? "-" : `${shortWords(tool.suggested)}?`;
}

/** The class, and only what an admin would not expect of it. */
function shortWords({ class: of, reversible, data }: ToolManifest): string {
  const final = !reversible && (of === "write" || of === "operate" || of === "access") ? ["final"] : [];
  return [of, ...final, ...data.filter((category) => category !== "personal")].join(" ");
}

/** All that was confirmed, in words. */
export function manifestWords({ class: of, reversible, data }: ToolManifest): string {
  const touches = data.length === 0 ? "" : `, touches ${data.join(" and ")} data`;
  return `${of}, ${reversible ? "reversible" : "not reversible"}${touches}`;
}

function flagWords({ id, about }: ToolFlag): string {
  const words = FLAG_WORDS[id] ?? id;
  return about === null ? words : `${words} ${showHidden(about)}`;
}

function nextSteps(tools: readonly ToolDetail[]): readonly string[] {
  const counts = Map.groupBy(tools, (tool) => tool.state);
  const told = [...counts].map(([state, of]) => `${of.length} ${state}`).join(", ");
  const pending = tools.filter(isPending);
  const plain = pending.filter((tool) => !mustBeNamed(tool));
  const lines = ["", `${tools.length} tools: ${told}.`];
  if (plain.length > 0) {
    const upstreams = new Set(plain.map((tool) => tool.upstream));
    const which = upstreams.size === 1 ? ` --upstream ${[...upstreams].join()}` : "";
    lines.push(
      `${plain.length} wait for a word (class with ?). As proposed: atlas tools accept --all${which}`,
    );
  }
  if (tools.some((tool) => tool.diff.length > 0)) lines.push("What changed: atlas tools diff");
  return lines;
}

/** What changed in a tool, one member a line, old and new below each other. */
export function diffLines(tool: ToolDetail): readonly string[] {
  const changes = tool.diff.flatMap(({ pointer, kind, from, to }) => [
    `  ${kind.padEnd(7)}  ${showHidden(pointer)}`,
    ...(from === null ? [] : [`    - ${showHidden(from)}`]),
    ...(to === null ? [] : [`    + ${showHidden(to)}`]),
  ]);
  const flags = tool.flags.map((flag) => `  ! ${flagWords(flag)}`);
  return [showHidden(`${tool.upstream}/${tool.name}`), ...flags, ...changes];
}
