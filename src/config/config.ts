import type { Sha256Hex } from "../domain/ids.ts";
import type { PolicyConfig } from "../policy/policy.ts";

/** The one normalised, frozen form of the configuration; everything but `config/` sees only this. */
export interface Config {
  /** Where agents and people reach the gateway, without a slash at the end; null: where it listens. */
  readonly publicUrl: string | null;
  /** Path of `publicUrl`, such as `/atlas`; empty for none. */
  readonly publicPath: string;
  readonly listen: ListenConfig;
  readonly agents: { readonly issuers: readonly IssuerConfig[] };
  /** Absolute path of the folder that holds database, keys and first credentials. */
  readonly dataDir: string;
  readonly engine: EngineConfig;
  readonly database: DatabaseConfig;
  readonly upstreams: readonly UpstreamConfig[];
  readonly policy: PolicyConfig;
  readonly risk: RiskConfig;
  readonly review: {
    /** Time a human has to decide. */
    readonly deadlineMs: number;
    /** Time an approved call has to be run. */
    readonly runWithinMs: number;
    /** Time in which an approval can be undone before it runs; 0 for none. */
    readonly undoWithinMs: number;
    /** How long a case that a reviewer took is theirs if they do nothing. */
    readonly takeForMs: number;
  };
  readonly hold: {
    /** How long a call is held while machines still work on it. */
    readonly callMs: number;
  };
  /** Longest answer of an upstream that is taken, in bytes; what is kept of a run after review is bounded by it, too. */
  readonly maxResultBytes: number;
  readonly notify: { readonly webhook: WebhookConfig | null };
  /** How long texts are kept after their case ended; null for ever. */
  readonly retention: {
    /** Arguments, assessments, reasons. */
    readonly textsMs: number | null;
    /** Results of runs after review. */
    readonly resultsMs: number | null;
  };
  readonly metrics: {
    /** Opens `/metrics` to whoever presents it; null for admins and auditors only, and for this machine. */
    readonly token: string | null;
  };
  /** Other systems that may pass on people's decisions. */
  readonly portals: readonly PortalConfig[];
  /** Nothing is held anywhere: calls run, and what would have been held is recorded. */
  readonly observe: boolean;
  /** One person runs everything and may decide on their own agents; stamped into every decision. */
  readonly singleOperator: boolean;
}

/** What drives waiting cases. */
export type EngineConfig =
  | { readonly kind: "embedded" }
  | {
      readonly kind: "inngest";
      /** Of the Inngest server; null: Inngest's cloud. */
      readonly baseUrl: string | null;
      /** Where Inngest reaches this gateway, without a path; null: where it listens. */
      readonly serveOrigin: string | null;
      /** null: a development server, which signs nothing. */
      readonly keys: {
        readonly event: string;
        readonly signing: string;
        readonly signingFallback: string | null;
      } | null;
      /** Steps of one upstream's cases at a time, on all gateways together. */
      readonly concurrency: number;
    };
/** Where cases and the ledger are kept: a file in the data folder, or a Postgres database. */
export type DatabaseConfig =
  | { readonly kind: "sqlite" }
  /** With its password, so never shown. */
  | { readonly kind: "postgres"; readonly url: string };

export interface RiskConfig {
  /** Score from which a call pauses. */
  readonly threshold: number;
  /** Domain packs of the embedded assessor. */
  readonly packs: readonly string[];
  /** Amount of money from which no model's opinion lets a payment pass; null: any amount. */
  readonly moneyFloor: number | null;
  /** Domains of e-mail and web addresses that count as inside. */
  readonly insideDomains: readonly string[];
  /** The model that is asked for a score; null for the embedded assessor alone. */
  readonly model: ModelConfig | null;
}

/** A model and how it is reached. */
export type ModelConfig = ModelEndpoint & {
  /** The form of its answers. */
  readonly form: "json" | "text";
  /** Time for everything about one call. */
  readonly deadlineMs: number;
  /** Questions in any minute; a call takes two. */
  readonly perMinute: number;
};

type ModelEndpoint =
  | { readonly kind: "modal"; readonly name: string; readonly tokenId: string; readonly tokenSecret: string }
  | {
      readonly kind: "modal-web";
      readonly url: string;
      readonly proxyAuth: { readonly key: string; readonly secret: string } | null;
    }
  | {
      readonly kind: "openai" | "ollama";
      readonly baseUrl: string;
      readonly model: string;
      readonly apiKey: string | null;
    };

export interface ListenConfig {
  readonly host: string;
  readonly port: number;
  /** Addresses and networks (CIDR) whose word on where a request came from is taken. */
  readonly trustedProxies: readonly string[];
  /** Host names answered beside loopback, `host` and the public one. */
  readonly allowedHosts: readonly string[];
}

/** An authorization server whose tokens agents may show. */
export interface IssuerConfig {
  readonly name: string;
  /** `iss` of its tokens, to the letter. */
  readonly issuer: string;
  readonly jwksUrl: string;
  /** What `aud` of a token must be or hold. */
  readonly audience: string;
  /** Names of signature algorithms with a public key. */
  readonly algorithms: readonly string[];
  /** Every one must be in the token. */
  readonly requiredScopes: readonly string[];
  /** Claim that says which agent it is. */
  readonly agentClaim: string;
  /** Agent's id by the value of that claim; nobody else is let in. */
  readonly agents: Readonly<Record<string, string>>;
}

/** How much of what it governs a gateway enforces. */
export type Enforcement = "enforce" | "partly_observe" | "observe";

export function enforcementOf(config: Pick<Config, "observe" | "upstreams" | "policy">): Enforcement {
  if (config.observe) return "observe";
  const partly =
    config.upstreams.some((u) => u.observe) || config.policy.rules.some((r) => r.observe === true);
  return partly ? "partly_observe" : "enforce";
}

/** How an HTTP upstream is spoken to: Streamable HTTP, or the HTTP+SSE transport of protocol 2024-11-05. */
export const TRANSPORTS = ["streamable", "sse"] as const;
export type HttpTransportKind = (typeof TRANSPORTS)[number];

/** Whose live calls share a connection to an upstream: everybody's, one agent's, or one session's of an agent. */
export const ISOLATIONS = ["shared", "agent", "session"] as const;
export type Isolation = (typeof ISOLATIONS)[number];

interface UpstreamBase {
  readonly name: string;
  /** Put before each tool's and prompt's name. */
  readonly prefix: string;
  /** Globs over the URIs that this upstream may answer for; what it lists beyond them does not exist. */
  readonly resources: readonly string[];
  readonly callDeadlineMs: number;
  readonly connectDeadlineMs: number;
  /** The operator believes this upstream's `readOnlyHint`. */
  readonly trusted: boolean;
  /** Nothing of this upstream is held; what would have been is recorded. */
  readonly observe: boolean;
  readonly isolation: Isolation;
  /** Names (at the upstream) of tools that may be run twice without harm. */
  readonly safeToRepeat: readonly string[];
  /** Tools of the first listing are accepted as they are, or each waits for an admin. */
  readonly firstSight: "accept" | "review";
  /** Hash of command line or endpoint. */
  readonly fingerprint: Sha256Hex;
}

export interface StdioUpstreamConfig extends UpstreamBase {
  readonly kind: "stdio";
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | null;
  /** The child's whole environment beside PATH, HOME and the like; nothing else of ours reaches it. */
  readonly env: Readonly<Record<string, string>>;
}

export interface HttpUpstreamConfig extends UpstreamBase {
  readonly kind: "http";
  readonly url: string;
  readonly transport: HttpTransportKind;
  /** The upstream's own credentials; never the agent's. */
  readonly headers: Readonly<Record<string, string>>;
}

export type UpstreamConfig = StdioUpstreamConfig | HttpUpstreamConfig;

/** A system that signs the decisions of people it knows. */
export interface PortalConfig {
  readonly name: string;
  /** Standard Webhooks secret, `whsec_…`. */
  readonly secret: string;
  /** Person's id here by their name there; nobody else is let in. */
  readonly reviewers: Readonly<Record<string, string>>;
}

export interface WebhookConfig {
  readonly url: string;
  /** Standard Webhooks secret, `whsec_…`. */
  readonly secret: string;
  /** Where the console is reached from outside, for the link to the case. */
  readonly consoleUrl: string;
}
