import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CaseState } from "../domain/case.ts";
import type { KillSwitch } from "../domain/kill-switch.ts";
import type { ReasonId } from "../domain/reasons.ts";

/**
 * What a machine that watches the gateway reads. Labels are bounded: states, reason ids, kinds of this catalogue, and
 * names of upstreams from the configuration; never an agent, a tool, a reference or a text.
 */
export interface Metrics {
  callAnswered(call: {
    readonly kind: string;
    readonly reasonId: ReasonId | null;
    readonly governanceMs: number;
  }): void;
  upstreamAnswered(dispatch: {
    readonly upstream: string;
    readonly reasonId: ReasonId;
    readonly ms: number;
  }): void;
  caseChanged(change: { readonly to: CaseState; readonly reasonId: ReasonId }): void;
  /** A person decided a case this long after it was opened. */
  caseDecided(decision: { readonly decision: "approved" | "rejected"; readonly afterMs: number }): void;
  configReloaded(reload: { readonly taken: boolean; readonly atMs: number }): void;
  /** Everything in the Prometheus text format, with the figures of this moment. */
  expose(figures: ExposedFigures): Promise<string>;
}

/** What is read when it is asked for, so that it is right after a restart, too. */
export interface ExposedFigures {
  readonly cases: Readonly<Record<CaseState, number>>;
  readonly open: readonly {
    readonly state: CaseState;
    readonly reasonId: ReasonId;
    readonly count: number;
  }[];
  /** Age of the earliest thing that the engine has not done yet. */
  readonly engineLagMs: number;
  readonly outbox: { readonly waiting: number; readonly givenUp: number; readonly lagMs: number };
  readonly killSwitches: Readonly<Record<KillSwitch["scope"], number>>;
  readonly mode: "enforce" | "partly_observe" | "observe";
  readonly ledgerEvents: number;
  readonly upstreams: readonly { readonly upstream: string; readonly up: boolean }[];
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Up to the longest deadline of a call, one day. */
const CALL_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Ten seconds to a week: a person decides. */
const DECISION_BUCKETS_S = [10, 30, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800];

export function createMetrics(params: { readonly version: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counters = createCounters(registers);
  const gauges = createGauges(registers);
  gauges.build.set({ version: params.version, node: process.versions.node }, 1);
  return {
    callAnswered({ kind, reasonId, governanceMs }) {
      counters.calls.inc({ answer: kind, reason_id: reasonId ?? "" });
      counters.governance.observe({ answer: kind }, governanceMs / 1_000);
    },
    upstreamAnswered({ upstream, reasonId, ms }) {
      counters.upstreamCalls.inc({ upstream, reason_id: reasonId });
      counters.upstream.observe({ upstream }, ms / 1_000);
    },
    caseChanged: ({ to, reasonId }) => counters.transitions.inc({ state: to, reason_id: reasonId }),
    caseDecided: ({ decision, afterMs }) => counters.decisions.observe({ decision }, afterMs / 1_000),
    configReloaded({ taken, atMs }) {
      gauges.reloadTaken.set(taken ? 1 : 0);
      gauges.reloadAt.set(atMs / 1_000);
    },
    async expose(figures) {
      setFigures(gauges, figures);
      return registry.metrics();
    },
  };
}

function createCounters(registers: Registry[]) {
  return {
    calls: new Counter({
      name: "atlas_calls_total",
      help: "Calls of agents answered since the start, by kind of answer and reason of a refusal",
      labelNames: ["answer", "reason_id"],
      registers,
    }),
    governance: new Histogram({
      name: "atlas_call_governance_seconds",
      help: "Time a call took in the gateway itself, without waiting for an upstream",
      labelNames: ["answer"],
      buckets: CALL_BUCKETS_S,
      registers,
    }),
    upstream: new Histogram({
      name: "atlas_upstream_seconds",
      help: "Time from giving a call to an upstream to its answer, or to giving it up",
      labelNames: ["upstream"],
      buckets: CALL_BUCKETS_S,
      registers,
    }),
    upstreamCalls: new Counter({
      name: "atlas_upstream_calls_total",
      help: "Calls given to an upstream since the start, by what came of it",
      labelNames: ["upstream", "reason_id"],
      registers,
    }),
    transitions: new Counter({
      name: "atlas_case_changes_total",
      help: "Changes of cases since the start, by the state they led to and its reason",
      labelNames: ["state", "reason_id"],
      registers,
    }),
    decisions: new Histogram({
      name: "atlas_decision_seconds",
      help: "Time from opening a case to a person's decision",
      labelNames: ["decision"],
      buckets: DECISION_BUCKETS_S,
      registers,
    }),
  };
}

function createGauges(registers: Registry[]) {
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge<Label>({ name, help, labelNames, registers });
  return {
    build: gauge("atlas_build_info", "Version of the gateway and of its runtime", "version", "node"),
    cases: gauge("atlas_cases", "Cases in the database", "state"),
    open: gauge("atlas_open_cases", "Cases that have not ended", "state", "reason_id"),
    engineLag: gauge("atlas_engine_lag_seconds", "Age of the earliest case that is due"),
    outboxLag: gauge("atlas_outbox_lag_seconds", "Age of the oldest notification that waits"),
    outbox: gauge("atlas_outbox_messages", "Notifications not delivered", "state"),
    killSwitches: gauge("atlas_kill_switches", "Kill switches engaged", "scope"),
    mode: gauge("atlas_enforcement", "1 for the mode the gateway is in", "mode"),
    ledger: gauge("atlas_ledger_events", "Events in the ledger"),
    upstreams: gauge(
      "atlas_upstream_up",
      "1 when the catalog's connection to the upstream stands",
      "upstream",
    ),
    reloadTaken: gauge("atlas_config_last_reload_successful", "0 when the last reload was refused"),
    reloadAt: gauge("atlas_config_last_reload_timestamp_seconds", "When it was"),
  };
}

function setFigures(gauges: ReturnType<typeof createGauges>, figures: ExposedFigures): void {
  for (const [state, count] of Object.entries(figures.cases)) gauges.cases.set({ state }, count);
  gauges.open.reset();
  for (const { state, reasonId, count } of figures.open) {
    gauges.open.set({ state, reason_id: reasonId }, count);
  }
  gauges.engineLag.set(figures.engineLagMs / 1_000);
  gauges.outboxLag.set(figures.outbox.lagMs / 1_000);
  gauges.outbox.set({ state: "waiting" }, figures.outbox.waiting);
  gauges.outbox.set({ state: "given_up" }, figures.outbox.givenUp);
  for (const [scope, count] of Object.entries(figures.killSwitches))
    gauges.killSwitches.set({ scope }, count);
  for (const mode of ["enforce", "partly_observe", "observe"]) {
    gauges.mode.set({ mode }, mode === figures.mode ? 1 : 0);
  }
  gauges.ledger.set(figures.ledgerEvents);
  gauges.upstreams.reset();
  for (const { upstream, up } of figures.upstreams) gauges.upstreams.set({ upstream }, up ? 1 : 0);
}
