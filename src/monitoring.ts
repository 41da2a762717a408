import type { Enforcement } from "./config/config.ts";
import type { Clock } from "./domain/clock.ts";
import type { Meter } from "./governance/meter.ts";
import type { CaseChanged, CaseStore, FiguresStore } from "./governance/ports.ts";
import type { Log } from "./telemetry/log.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";

export interface MonitoringDeps {
  readonly store: FiguresStore & Pick<CaseStore, "countCases" | "nextDueAtMs" | "onChange">;
  readonly upstreams: () => readonly { readonly upstream: string; readonly status: string }[];
  readonly mode: () => Enforcement;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}

/** One line in the log and one place in the metrics for whatever happens to calls and cases, under the same reason ids. */
export interface Monitoring {
  readonly meter: Meter;
  readonly metrics: Pick<Metrics, "configReloaded">;
  /** The metrics in the Prometheus text format. */
  expose(): Promise<string>;
  close(): void;
}

export function createMonitoring(deps: MonitoringDeps): Monitoring {
  const { store, log } = deps;
  const metrics = createMetrics({ version: deps.version });
  const stop = store.onChange((change, origin) => {
    // Each process counts and logs its own.
    if (origin === "elsewhere") return;
    metrics.caseChanged(change);
    noteDecision(change, metrics);
    const { ref, from, to, revision, upstream, agentId: agent, reasonId: reason_id } = change;
    log.info({ ref, from, to, reason_id, upstream, agent, revision }, "Case changed.");
  });
  return {
    meter: {
      answered(call) {
        metrics.callAnswered(call);
        // What became a case has its line already.
        if (call.kind === "refused" && call.ref === null) {
          log.info({ reason_id: call.reasonId, agent: call.agentId }, "Call refused.");
        }
      },
      dispatched(dispatch) {
        metrics.upstreamAnswered(dispatch);
        const { ref, upstream, reasonId: reason_id, ms } = dispatch;
        log.debug({ ref, upstream, reason_id, ms: Math.round(ms) }, "Upstream called.");
      },
    },
    metrics,
    expose: () => expose(metrics, deps),
    close: stop,
  };
}

function noteDecision(change: CaseChanged, metrics: Metrics): void {
  if (change.from !== "AWAITING_REVIEW") return;
  const afterMs = change.ageMs;
  if (change.to === "AUTHORIZED") metrics.caseDecided({ decision: "approved", afterMs });
  if (change.to === "REJECTED") metrics.caseDecided({ decision: "rejected", afterMs });
}

async function expose(metrics: Metrics, deps: MonitoringDeps): Promise<string> {
  const { store, clock } = deps;
  const [cases, figures, nextDueAtMs] = await Promise.all([
    store.countCases(),
    store.figures(),
    store.nextDueAtMs(),
  ]);
  const ageMs = (atMs: number | null) => (atMs === null ? 0 : Math.max(0, clock.nowMs() - atMs));
  const { waiting, givenUp, oldestAtMs } = figures.outbox;
  return metrics.expose({
    ...figures,
    cases,
    engineLagMs: ageMs(nextDueAtMs),
    outbox: { waiting, givenUp, lagMs: ageMs(oldestAtMs) },
    mode: deps.mode(),
    upstreams: deps.upstreams().map(({ upstream, status }) => ({ upstream, up: status === "up" })),
  });
}
