import { Hono } from "hono";
import { type Config, enforcementOf } from "../config/config.ts";
import type { Clock } from "../domain/clock.ts";
import type { RandomBytes, WriterId } from "../domain/ids.ts";
import type { AccountStore } from "../governance/account-ports.ts";
import type { EditArgumentsDeps } from "../governance/edit-arguments.ts";
import type { PasswordHasher } from "../governance/password-hash.ts";
import type { CaseStore, Engine, GuardStore, PrincipalStore } from "../governance/ports.ts";
import type { SuggestRuleDeps } from "../governance/suggest-rule.ts";
import type { UpstreamHealth } from "../governance/upstream-health.ts";
import type { Log } from "../telemetry/log.ts";
import type { Authenticate } from "./auth/authenticate.ts";
import { createSessionCookie } from "./auth/session-cookie.ts";
import { createSessions } from "./auth/sessions.ts";
import { createSignInThrottle } from "./auth/sign-in-throttle.ts";
import { type CaseEvents, createCaseEvents } from "./case-events.ts";
import { createClientAddress } from "./client-address.ts";
import { errorResponse, refuse } from "./error-response.ts";
import {
  accessLog,
  bodyLimit,
  hostCheck,
  hostsOf,
  jsonOnly,
  MAX_BODY_BYTES,
  originCheck,
  securityHeaders,
  stoppingCheck,
} from "./front-door.ts";
import { pathReader } from "./public-path.ts";
import { agentRoutes } from "./routes/agents.ts";
import { approvalWebhook } from "./routes/approval-webhook.ts";
import { caseActionRoutes } from "./routes/case-actions.ts";
import { caseDecisionRoutes } from "./routes/case-decisions.ts";
import { caseRoutes } from "./routes/cases.ts";
import { consoleRoutes } from "./routes/console.ts";
import { eventRoutes } from "./routes/events.ts";
import { type GatewayStatus, healthRoutes } from "./routes/health.ts";
import { inngestRoute } from "./routes/inngest.ts";
import { killSwitchRoutes } from "./routes/kill-switches.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { peopleRoutes } from "./routes/people.ts";
import { resourceMetadata } from "./routes/resource-metadata.ts";
import { rootRoute } from "./routes/root.ts";
import { sessionRoutes } from "./routes/session.ts";
import { toolRoutes } from "./routes/tools.ts";
import { upstreamRoutes } from "./routes/upstreams.ts";

export interface HttpAppDeps {
  readonly store: Pick<
    CaseStore,
    | "getCase"
    | "getPayload"
    | "listCases"
    | "countCases"
    | "caseTimeline"
    | "approvedCalls"
    | "decisionHistory"
    | "nextDueAtMs"
    | "recordDecision"
    | "resolveUnknown"
    | "takeReview"
    | "releaseReview"
    | "undo"
    | "withdraw"
    | "onChange"
  > &
    PrincipalStore &
    AccountStore &
    Pick<
      GuardStore,
      | "acceptedPins"
      | "acceptanceOf"
      | "getDefinition"
      | "listToolPins"
      | "acceptTool"
      | "onToolChange"
      | "listKillSwitches"
      | "engageKillSwitch"
      | "releaseKillSwitch"
    >;
  readonly authenticate: Authenticate;
  readonly engine: Pick<Engine, "wake">;
  /** Answers `/api/inngest`; null: the engine is not Inngest. */
  readonly engineEndpoint: ((request: Request) => Promise<Response>) | null;
  readonly status: () => GatewayStatus;
  /** The metrics in the Prometheus text format. */
  readonly exposeMetrics: () => Promise<string>;
  readonly upstreamHealth: () => readonly UpstreamHealth[];
  /** What a reviewer's own arguments are checked with. */
  readonly editing: EditArgumentsDeps;
  /** As it is in force now: a reload changes its members. */
  readonly config: Pick<
    Config,
    | "publicUrl"
    | "publicPath"
    | "listen"
    | "metrics"
    | "agents"
    | "engine"
    | "review"
    | "portals"
    | "singleOperator"
    | "observe"
    | "upstreams"
    | "policy"
  >;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly writer: WriterId;
  readonly log: Log;
  readonly version: string;
  readonly passwords: PasswordHasher;
  /** People reach the gateway by https only, so that a browser never sends a session in the clear. */
  readonly secureCookies: boolean;
  /** Folder with the console's built files; null serves none. */
  readonly consoleFolder: (() => Promise<string>) | null;
  /** The agents' endpoints; they authenticate their callers themselves, and answer in their own error shape. */
  readonly mcp?: McpHandlers;
}

/** What answers the agents' three paths. */
export interface McpHandlers {
  /** Streamable HTTP. */
  streamable(request: Request): Promise<Response>;
  /** Opens a legacy event stream. */
  sse(request: Request): Promise<Response>;
  /** Takes a message of a legacy event stream. */
  messages(request: Request): Promise<Response>;
}

export interface HttpApp {
  /** Answers one request; the second argument carries the connection, for the throttle. */
  readonly fetch: Hono["fetch"];
  readonly request: Hono["request"];
  /** Live streams; `beat()` sends their heartbeats now. */
  readonly events: Pick<CaseEvents, "beat">;
  /** Ends live streams; requests are still answered. */
  close(): void;
}

/** The gateway's HTTP interface, without a port: the front door, then one route file a resource. */
export function createHttpApp(deps: HttpAppDeps): HttpApp {
  const { store, clock, log, config, consoleFolder } = deps;
  const { publicPath, listen } = config;
  const app = new Hono({ getPath: pathReader(publicPath) });
  const guard = {
    store,
    authenticate: deps.authenticate,
    sessions: createSessions({ store, clock, random: deps.random }),
  };
  const decisions = {
    store,
    engine: deps.engine,
    random: deps.random,
    writer: deps.writer,
    editing: deps.editing,
    // A reload puts other values there, so they are read when they are used.
    get runWithinMs() {
      return deps.config.review.runWithinMs;
    },
    get undoWithinMs() {
      return deps.config.review.undoWithinMs;
    },
    get singleOperator() {
      return deps.config.singleOperator;
    },
  };
  const events = createCaseEvents({ store });

  app.onError((error, c) => errorResponse(c, error, log));
  app.notFound((c) =>
    refuse(c, { code: "resource.not_found", message: "There is nothing at this address." }),
  );

  useFrontDoor(app, deps);
  app.route("/", rootRoute({ version: deps.version, config, mode: () => enforcementOf(config) }));
  app.route("/", healthRoutes({ store, status: deps.status }));
  app.route("/", metricsRoutes({ authenticate: deps.authenticate, config, expose: deps.exposeMetrics }));
  app.route("/", inngestRoute({ endpoint: deps.engineEndpoint, clock }));
  app.route("/", approvalWebhook({ ...guard, decisions, config }));
  app.route("/", resourceMetadata(config));
  app.route(
    "/",
    sessionRoutes({
      ...guard,
      store,
      passwords: deps.passwords,
      onNotRecorded: (error) => log.error({ error }, "a failed sign-in could not be recorded"),
      cookie: createSessionCookie({ secure: deps.secureCookies, publicPath }),
      throttle: createSignInThrottle({ clock }),
      config,
      clientAddress: createClientAddress(listen.trustedProxies),
    }),
  );
  app.route("/", peopleRoutes({ ...guard, store, random: deps.random }));
  app.route("/", agentRoutes({ ...guard, store, random: deps.random }));
  const cases = {
    ...guard,
    store,
    decisions,
    suggesting: suggestingWith(deps),
    get singleOperator() {
      return config.singleOperator;
    },
    get takeForMs() {
      return config.review.takeForMs;
    },
    nowMs: () => clock.nowMs(),
  };
  app.route("/", caseRoutes(cases));
  app.route("/", caseDecisionRoutes(cases));
  app.route("/", caseActionRoutes(cases));
  app.route("/", toolRoutes({ ...guard, store }));
  app.route("/", upstreamRoutes({ ...guard, upstreamHealth: deps.upstreamHealth }));
  app.route("/", killSwitchRoutes({ ...guard, store, config, events }));
  app.route("/", eventRoutes({ ...guard, events }));
  if (consoleFolder !== null) app.route("/", consoleRoutes({ consoleFolder, publicPath, log }));
  if (deps.mcp !== undefined) mountMcp(app, deps.mcp);

  return { fetch: app.fetch, request: app.request, events, close: () => events.close() };
}

/** Read when it is used: a reload puts another policy and threshold there. */
function suggestingWith({ store, editing }: HttpAppDeps): SuggestRuleDeps {
  return {
    store,
    policy: { evaluate: (subject) => editing.policy.evaluate(subject) },
    get threshold() {
      return editing.threshold;
    },
  };
}

/** What every request passes before its route. */
function useFrontDoor(app: Hono, deps: Pick<HttpAppDeps, "config" | "log" | "status">): void {
  app.use(accessLog(deps.log), securityHeaders());
  app.use(stoppingCheck(() => deps.status().phase === "stopping"));
  app.use(hostCheck(hostsOf(deps.config)), originCheck(deps.config.publicUrl));
  app.use(jsonOnly(), bodyLimit(MAX_BODY_BYTES));
  app.use("/api/v1/*", async (c, next) => {
    await next();
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
  });
}

function mountMcp(app: Hono, mcp: McpHandlers): void {
  app.on(["GET", "POST", "DELETE"], "/mcp", (c) => mcp.streamable(c.req.raw));
  app.get("/mcp/sse", (c) => mcp.sse(c.req.raw));
  app.post("/mcp/messages", (c) => mcp.messages(c.req.raw));
}
