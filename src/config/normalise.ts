import { dirname, resolve } from "node:path";
import { sha256 } from "../domain/digest.ts";
import { canonicalJson } from "../domain/jcs.ts";
import { type PolicyConfig, type PolicyRule, policyVersion } from "../policy/policy.ts";
import type { Config, EngineConfig, IssuerConfig, ModelConfig, UpstreamConfig } from "./config.ts";
import { normaliseDatabase } from "./database.ts";
import { parseDuration } from "./duration.ts";
import type { ConfigFile, UpstreamFile } from "./schema.ts";
import { parseSize } from "./size.ts";

/** What the command line says over the file. */
export interface ConfigOverrides {
  readonly port?: number;
  readonly host?: string;
}

/** The checked file as the one frozen form that everything else sees. */
export function normalise(
  file: ConfigFile,
  { model, engine }: { readonly model: ModelConfig | null; readonly engine: EngineConfig },
  folder: string,
  dataDir: string,
  overrides: ConfigOverrides,
): Config {
  const host = overrides.host ?? file.listen.host;
  const port = overrides.port ?? file.listen.port;
  const publicUrl = file.public_url?.replace(/\/+$/u, "") ?? null;
  const { webhook } = file.notify;
  return deepFreeze<Config>({
    publicUrl,
    publicPath: publicUrl === null ? "" : new URL(publicUrl).pathname.replace(/^\/$/u, ""),
    listen: {
      host,
      port,
      trustedProxies: file.listen.trusted_proxies,
      allowedHosts: file.listen.allowed_hosts,
    },
    agents: {
      issuers: Object.entries(file.agents.issuers).map(([name, issuer]) => normaliseIssuer(name, issuer)),
    },
    dataDir,
    engine,
    database: normaliseDatabase(file.database),
    upstreams: Object.entries(file.upstreams).map(([name, upstream]) =>
      normaliseUpstream(name, upstream, folder),
    ),
    policy: normalisePolicy(file.policy),
    risk: {
      threshold: file.risk.threshold,
      packs: file.risk.packs,
      moneyFloor: file.risk.money_floor ?? null,
      insideDomains: file.risk.inside_domains,
      model,
    },
    review: {
      deadlineMs: ms(file.review.deadline),
      runWithinMs: ms(file.review.run_within),
      undoWithinMs: ms(file.review.undo_within),
      takeForMs: ms(file.review.take_for),
    },
    hold: { callMs: ms(file.hold.call) },
    notify: {
      webhook:
        webhook === undefined
          ? null
          : {
              url: webhook.url,
              secret: webhook.secret,
              consoleUrl: webhook.console_url ?? `${publicUrl ?? ownUrl(host, port)}/console`,
            },
    },
    retention: { textsMs: keptMs(file.retention.payloads), resultsMs: keptMs(file.retention.results) },
    maxResultBytes: parseSize(file.max_result) ?? Number.NaN,
    metrics: { token: file.metrics.token ?? null },
    portals: Object.entries(file.portals).map(([name, portal]) => ({ name, ...portal })),
    observe: file.mode === "observe",
    singleOperator: file.single_operator,
  });
}

function normaliseIssuer(name: string, file: ConfigFile["agents"]["issuers"][string]): IssuerConfig {
  return {
    name,
    issuer: file.issuer,
    jwksUrl: file.jwks_url,
    audience: file.audience,
    algorithms: file.algorithms,
    requiredScopes: file.required_scopes,
    agentClaim: file.agent_claim,
    agents: file.agents,
  };
}

function normaliseUpstream(name: string, file: UpstreamFile, folder: string): UpstreamConfig {
  const base = {
    name,
    prefix: file.prefix ?? `${name}_`,
    resources: file.resources,
    callDeadlineMs: ms(file.call_deadline),
    connectDeadlineMs: ms(file.connect_deadline),
    trusted: file.trusted,
    observe: file.mode === "observe",
    // One process for all agents would let one read what another left in it; an HTTP server is made for many clients.
    isolation: file.isolation ?? (file.url === undefined ? "agent" : "shared"),
    safeToRepeat: file.safe_to_repeat,
    firstSight: file.first_sight,
  };
  if (file.url !== undefined) {
    const { url, transport = "streamable" } = file;
    return {
      ...base,
      kind: "http",
      url,
      transport,
      headers: file.headers ?? {},
      fingerprint: fingerprint({ kind: "http", url, ...(transport === "sse" && { transport }) }),
    };
  }
  const { command = "", args = [] } = file;
  const cwd = resolve(folder, file.cwd ?? ".");
  return {
    ...base,
    kind: "stdio",
    command,
    args,
    cwd,
    env: file.env ?? {},
    fingerprint: fingerprint({ kind: "stdio", command, args, cwd }),
  };
}

type Endpoint =
  | {
      readonly kind: "stdio";
      readonly command: string;
      readonly args: readonly string[];
      readonly cwd: string;
    }
  | { readonly kind: "http"; readonly url: string; readonly transport?: "sse" };

/** Hash of where a call would go. Environment and headers are left out: they hold secrets that are rotated while cases wait. */
function fingerprint(endpoint: Endpoint) {
  return sha256(canonicalJson({ ...endpoint }));
}

function normalisePolicy(file: ConfigFile["policy"]): PolicyConfig {
  const rules = file.map((rule, index): PolicyRule => {
    const { upstream, agent, verdict } = rule;
    const id = rule.id ?? `rule-${index + 1}`;
    return { id, upstream, ...subjectOf(rule), agent, verdict, observe: rule.mode === "observe" };
  });
  return { rules, version: policyVersion(rules) };
}

/** A rule that names no kind speaks of tools, as every rule did before the other kinds came. */
function subjectOf({
  tool,
  resource,
  prompt,
}: ConfigFile["policy"][number]): Pick<PolicyRule, "tool" | "resource" | "prompt"> {
  if (resource !== undefined) return { resource };
  if (prompt !== undefined) return { prompt };
  return { tool: tool ?? "*" };
}

function ms(duration: string): number {
  return parseDuration(duration) ?? Number.NaN;
}

function keptMs(duration: string): number | null {
  return duration === "forever" ? null : ms(duration);
}

function ownUrl(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}

/** Folder that relative paths of a file begin at; the working directory without a file. */
export function folderOf(path: string | null): string {
  return path === null ? process.cwd() : dirname(resolve(path));
}
