import type { UpstreamConfig } from "../../config/config.ts";
import { toolPin } from "../../domain/digest.ts";
import { hidesInName } from "../../domain/hidden-characters.ts";
import type { Sha256Hex } from "../../domain/ids.ts";
import type { CatalogTool, ToolDefinition } from "../../domain/tool.ts";
import { RESERVED_TOOL_NAMES } from "../../domain/tool-name.ts";
import type { UpstreamLog } from "./log.ts";
import { isObject } from "./raw-transport.ts";

/** Longer names are refused by some model providers. */
const LONG_NAME = 64;

export interface PinnedTool {
  readonly name: string;
  readonly pin: Sha256Hex;
  readonly definition: ToolDefinition;
}

/** Pins what an upstream listed; what cannot be pinned, or comes twice, is left out with a warning. */
export function pinTools(
  upstream: string,
  listed: readonly unknown[],
  log: UpstreamLog,
): readonly PinnedTool[] {
  const pinned = new Map<string, PinnedTool>();
  for (const [index, definition] of listed.entries()) {
    const tool = pinTool(definition);
    if (tool === null) log.warn({ upstream, index }, "a tool definition is malformed and was left out");
    else if (pinned.has(tool.name))
      log.warn({ upstream, tool: tool.name }, "a tool is listed twice; the first counts");
    else pinned.set(tool.name, tool);
  }
  return [...pinned.values()];
}

function pinTool(definition: unknown): PinnedTool | null {
  if (!isToolDefinition(definition)) return null;
  try {
    return { name: definition.name, pin: toolPin(definition), definition };
  } catch {
    // Lone surrogates and endless nesting have no canonical form, so a change could go unseen.
    return null;
  }
}

function isToolDefinition(value: unknown): value is ToolDefinition {
  return (
    isObject(value) &&
    typeof value["name"] === "string" &&
    value["name"] !== "" &&
    isObject(value["inputSchema"])
  );
}

export interface Catalog {
  /**
   * Replaces what an upstream offers. An upstream that is down keeps what it had.
   *
   * @param withheld names that another tool has had for longer, so these are not callable
   */
  replace(upstream: string, tools: readonly PinnedTool[], withheld?: ReadonlySet<string>): void;
  /** The callable tool of that name. */
  find(exposedName: string): CatalogTool | undefined;
  /** Callable tools, in order of configuration and listing. */
  list(): readonly CatalogTool[];
  /** Every pinned tool of one upstream, also those whose exposed name is taken. */
  toolsOf(upstream: string): readonly CatalogTool[];
  onChange(listener: () => void): () => void;
  /** Whether the upstream is configured, at this endpoint. */
  serves(config: UpstreamConfig): boolean;
  /**
   * Takes another configuration: what is not in it is offered no more. An upstream that stays at its endpoint keeps its
   * tools, under its new prefix; one that has moved offers nothing until its tools were listed there.
   */
  configure(upstreams: readonly UpstreamConfig[]): void;
}

export interface CatalogParams {
  readonly upstreams: readonly UpstreamConfig[];
  readonly log: UpstreamLog;
}

/**
 * Tools under the names agents see. A name belongs to the tool that had it first, which the store knows, and among tools that it does
 * not withhold to the first upstream in the configuration.
 */
export function createCatalog(params: CatalogParams): Catalog {
  let { upstreams } = params;
  const offered = new Map<string, readonly CatalogTool[]>();
  const withheldOf = new Map<string, ReadonlySet<string>>();
  const listeners = new Set<() => void>();
  let callable: ReadonlyMap<string, CatalogTool> = new Map();
  let warned: ReadonlySet<string> = new Set();

  const warnOnce = (
    messages: ReadonlyMap<string, { upstream: string; tool: string; problem: string }>,
  ): void => {
    for (const [key, fields] of messages) {
      if (!warned.has(key)) params.log.warn(fields, "a tool's name is a problem");
    }
    warned = new Set(messages.keys());
  };

  const expose = (): void => {
    const next = new Map<string, CatalogTool>();
    const problems = new Map<string, { upstream: string; tool: string; problem: string }>();
    for (const config of upstreams) {
      for (const tool of offered.get(config.name) ?? []) {
        const withheld = withheldOf.get(config.name)?.has(tool.name) ?? false;
        const problem = withheld ? "taken" : nameProblem(tool, next);
        if (problem !== null) {
          problems.set(`${tool.upstream}/${tool.name}`, {
            upstream: tool.upstream,
            tool: tool.name,
            problem,
          });
        }
        if (problem === null || problem === "long") next.set(tool.exposedName, tool);
      }
    }
    warnOnce(problems);
    const changed = !sameTools([...callable.values()], [...next.values()]);
    callable = next;
    if (changed) for (const listener of listeners) listener();
  };

  return {
    replace: (upstream, tools, withheld = new Set()) => {
      const config = upstreams.find((candidate) => candidate.name === upstream);
      if (config === undefined) return;
      withheldOf.set(upstream, withheld);
      offered.set(
        upstream,
        tools.map((tool) => catalogTool(config, tool)),
      );
      expose();
    },
    find: (exposedName) => callable.get(exposedName),
    list: () => [...callable.values()],
    toolsOf: (upstream) => offered.get(upstream) ?? [],
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    serves: ({ name, fingerprint }) =>
      upstreams.some((config) => config.name === name && config.fingerprint === fingerprint),
    configure: (next) => {
      upstreams = next;
      for (const [name, tools] of offered) {
        const config = next.find((candidate) => candidate.name === name);
        const stays =
          config !== undefined && tools.every((t) => t.upstreamFingerprint === config.fingerprint);
        if (stays) {
          offered.set(
            name,
            tools.map((tool) => catalogTool(config, tool)),
          );
        } else {
          offered.delete(name);
          withheldOf.delete(name);
        }
      }
      expose();
    },
  };
}

export function catalogTool(config: UpstreamConfig, tool: PinnedTool): CatalogTool {
  return {
    upstream: config.name,
    upstreamFingerprint: config.fingerprint,
    name: tool.name,
    exposedName: `${config.prefix}${tool.name}`,
    definition: tool.definition,
    pin: tool.pin,
    safeToRepeat: config.safeToRepeat.includes(tool.name),
  };
}

type NameProblem = "hidden" | "reserved" | "taken" | "long";

function nameProblem(tool: CatalogTool, taken: ReadonlyMap<string, CatalogTool>): NameProblem | null {
  if (hidesInName(tool.name)) return "hidden";
  if (RESERVED_TOOL_NAMES.includes(tool.exposedName)) return "reserved";
  if (taken.has(tool.exposedName)) return "taken";
  return tool.exposedName.length > LONG_NAME ? "long" : null;
}

function sameTools(one: readonly CatalogTool[], other: readonly CatalogTool[]): boolean {
  return (
    one.length === other.length &&
    one.every((tool, at) => {
      const twin = other[at];
      return (
        twin?.exposedName === tool.exposedName && twin.upstream === tool.upstream && twin.pin === tool.pin
      );
    })
  );
}
