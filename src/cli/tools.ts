import { Command, Option } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { showHidden } from "../domain/hidden-characters.ts";
import {
  CLASS_MEANINGS,
  DATA_CATEGORIES,
  isDataCategory,
  TOOL_CLASSES,
  type ToolClass,
  type ToolManifest,
} from "../domain/manifest.ts";
import type { Store } from "../governance/ports.ts";
import {
  confirmedBy,
  isPending,
  mustBeNamed,
  reportTools,
  TOOL_STATES,
  type ToolDetail,
  type ToolState,
} from "../governance/tool-report.ts";
import { toolBody, toolDetailBody } from "../http/tool-view.ts";
import { withAdminStore } from "./admin-store.ts";
import { diffLines, manifestWords, toolTable } from "./tool-table.ts";
import { dataOption, type WhereOptions } from "./where.ts";

interface ListOptions extends WhereOptions {
  readonly upstream?: string;
  readonly state?: ToolState;
  readonly json?: boolean;
}

interface AcceptOptions extends WhereOptions {
  readonly all?: boolean;
  readonly upstream?: string;
  readonly class?: ToolClass;
  readonly reversible?: boolean;
  readonly touches?: readonly string[];
  readonly safeToRepeat?: boolean;
}

export function toolsCommand(): Command {
  const tools = new Command("tools").description("tools, what they do, and which an admin has accepted");
  tools
    .command("list")
    .description(
      "tools of all upstreams: state, class (with ? while nobody confirmed it) and what to look at",
    )
    .option("--upstream <name>", "only those of this upstream")
    .addOption(new Option("--state <state>", "only those in this state").choices(TOOL_STATES))
    .option("--json", "print them as JSON")
    .addOption(dataOption())
    .action(list);
  tools
    .command("diff [tool]")
    .description("what changed in a tool, or in all, since it was accepted, member by member")
    .option("--upstream <name>", "only tools of this upstream")
    .option("--json", "print it as JSON")
    .addOption(dataOption())
    .action(diff);
  tools
    .command("accept [tools...]")
    .description("accept the definitions that tools have now, as upstream/tool, and confirm what they do")
    .option("--all", "every tool that waits for a word, but for those that must be named")
    .option("--upstream <name>", "with --all: only those of this upstream")
    .addOption(new Option("--class <class>", "what it does, if not what is proposed").choices(TOOL_CLASSES))
    .option("--reversible", "what it does can be taken back")
    .option("--no-reversible", "it cannot")
    .addOption(
      new Option("--touches <data...>", "kinds of data it reads or writes, or none").choices([
        ...DATA_CATEGORIES,
        "none",
      ]),
    )
    .option("--safe-to-repeat", "running it twice does no harm; holds until its definition changes")
    .option("--no-safe-to-repeat", "it does, whatever the configuration says")
    .addOption(dataOption())
    .addHelpText(
      "after",
      `\nClasses:\n${TOOL_CLASSES.map((name) => `  ${name.padEnd(12)} ${CLASS_MEANINGS[name]}`).join("\n")}`,
    )
    .action(accept);
  return tools;
}

async function list(options: ListOptions): Promise<void> {
  const all = await withAdminStore(options, reportTools);
  const shown = all.filter(
    (tool) =>
      (options.upstream === undefined || tool.upstream === options.upstream) &&
      (options.state === undefined || tool.state === options.state),
  );
  if (options.json === true) console.log(JSON.stringify({ tools: shown.map(toolBody) }, null, 2));
  else if (shown.length === 0) console.log(all.length === 0 ? "No tools were seen yet." : "No such tools.");
  else for (const line of toolTable(shown)) console.log(line);
}

async function diff(
  name: string | undefined,
  options: WhereOptions & { readonly upstream?: string; readonly json?: boolean },
): Promise<void> {
  const all = await withAdminStore(options, reportTools);
  const named = name === undefined ? all : [find(all, name)];
  const changed = named.filter(
    (tool) => tool.diff.length > 0 && (options.upstream === undefined || tool.upstream === options.upstream),
  );
  if (options.json === true) {
    console.log(JSON.stringify({ tools: changed.map(toolDetailBody) }, null, 2));
    return;
  }
  for (const tool of changed) for (const line of diffLines(tool)) console.log(line);
  if (changed.length === 0) console.log("Nothing differs from what was accepted.");
}

async function accept(names: readonly string[], options: AcceptOptions): Promise<void> {
  requireSense(names, options);
  await withAdminStore(options, async (store) => {
    const all = await reportTools(store);
    const inReach = all.filter((t) => options.upstream === undefined || t.upstream === options.upstream);
    const pending = inReach.filter(isPending);
    const wanted =
      options.all === true ? pending.filter((tool) => !mustBeNamed(tool)) : names.map((n) => find(all, n));
    const leftOut = options.all === true ? pending.filter(mustBeNamed) : [];
    if (wanted.length + leftOut.length === 0) {
      throw new AtlasError("resource.not_found", "No tool waits for a word. See: atlas tools list");
    }
    const accepted: ToolManifest[] = [];
    for (const tool of wanted) {
      const manifest = await acceptOne(tool, options, store);
      if (manifest !== null) accepted.push(manifest);
    }
    if (accepted.length > 1) console.log(`${accepted.length} tools accepted: ${countClasses(accepted)}.`);
    if (leftOut.length > 0) {
      console.log(`\nLeft out, because they must be named (atlas tools accept upstream/tool):`);
      for (const line of toolTable(leftOut)) console.log(line);
    }
    if (accepted.length < wanted.length) {
      throw new AtlasError(
        "resource.conflict",
        "Not everything could be accepted; look once more: atlas tools list",
      );
    }
  });
}

function requireSense(names: readonly string[], options: AcceptOptions): void {
  if (names.length > 0 === (options.all === true)) {
    throw new AtlasError("config.invalid", "Name the tools as upstream/tool, or give --all.");
  }
  if (options.upstream !== undefined && options.all !== true) {
    throw new AtlasError(
      "config.invalid",
      "--upstream goes with --all; a named tool has its upstream in its name.",
    );
  }
  const said = [options.class, options.reversible, options.touches, options.safeToRepeat];
  if (options.all === true && said.some((word) => word !== undefined)) {
    throw new AtlasError(
      "config.invalid",
      "What is said of a tool is said by name; --all confirms what is proposed.",
    );
  }
}

/** @returns what was confirmed; null when it could not be accepted, which is said. */
async function acceptOne(
  tool: ToolDetail,
  options: AcceptOptions,
  store: Store,
): Promise<ToolManifest | null> {
  const { upstream, name, currentPin: pin, suggested } = tool;
  const [line = ""] = toolTable([tool], { header: false });
  if (pin === null || suggested === null) {
    console.log(`${line}: not accepted, its upstream does not list it any more`);
    return null;
  }
  const manifest = manifestOf(suggested, options);
  const result = await store.acceptTool({
    upstream,
    name,
    pin,
    manifest,
    safeToRepeat: options.safeToRepeat ?? null,
    by: null,
  });
  switch (result.kind) {
    case "accepted":
      console.log(
        `accepted  ${showHidden(`${upstream}/${name}`)}  ${manifestWords(manifest)}${repeatWords(result.acceptance.safeToRepeat)}`,
      );
      return manifest;
    case "other_pin":
    case "unknown_tool":
      console.log(`${line}: not accepted, it changed again meanwhile`);
      return null;
    case "unusable":
      console.log(`${line}: not accepted, nobody can call it by this name (${result.reasonId})`);
      return null;
    default:
      return result satisfies never;
  }
}

function repeatWords(safeToRepeat: boolean | null): string {
  if (safeToRepeat === null) return "";
  return safeToRepeat ? ", safe to repeat" : ", not safe to repeat";
}

function manifestOf(suggested: ToolManifest, options: AcceptOptions): ToolManifest {
  const data = options.touches?.filter(isDataCategory);
  return confirmedBy({ class: options.class, reversible: options.reversible, data }, suggested);
}

function countClasses(manifests: readonly ToolManifest[]): string {
  const counted = TOOL_CLASSES.map((of) => [manifests.filter((m) => m.class === of).length, of] as const);
  return counted
    .filter(([count]) => count > 0)
    .map(([count, of]) => `${count} ${of}`)
    .join(", ");
}

/** @throws AtlasError `resource.not_found` */
function find(all: readonly ToolDetail[], name: string): ToolDetail {
  const found = all.find((tool) => `${tool.upstream}/${tool.name}` === name);
  if (found !== undefined) return found;
  throw new AtlasError("resource.not_found", `There is no tool of that name. See: atlas tools list`);
}
