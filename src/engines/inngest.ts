import type { CaseState } from "../domain/case.ts";
import type { Clock } from "../domain/clock.ts";
import type { CaseRef, RandomBytes, WriterId } from "../domain/ids.ts";
import type { EngineRunStore } from "../governance/engine-ports.ts";
import type { CaseStore, Engine } from "../governance/ports.ts";
import { createEvents } from "./inngest/events.ts";
import {
  defineGovernanceFunction,
  type GovernanceFunction,
  type InngestSettings,
} from "./inngest/function.ts";
import { createSteps } from "./inngest/steps.ts";
import { createTeller } from "./inngest/teller.ts";

export interface InngestEngineDeps {
  readonly store: Pick<CaseStore, "getCase" | "listCases" | "dueCases" | "expire" | "onChange"> &
    EngineRunStore;
  /** Does what a case needs now. */
  readonly drive: (ref: CaseRef) => Promise<void>;
  readonly settings: Omit<InngestSettings, "serveOrigin">;
  /** Where Inngest reaches this gateway, without a path; known once it listens. */
  readonly serveOrigin: () => string;
  readonly writer: WriterId;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly onError: (ref: CaseRef | null, error: unknown) => void;
  /** Sentences of the SDK, without what they are about. */
  readonly onProblem: (sentence: string) => void;
  /** No other gateway works on this database, so what an earlier process left is taken over at once. */
  readonly otherWritersAreDead: boolean;
  readonly fetch?: typeof fetch;
}

/** The Inngest engine, with what its contract suite needs to run without timers. */
export interface InngestEngine extends Engine {
  /** Answers what Inngest sends to `/api/inngest`. */
  handle(request: Request): Promise<Response>;
  /** Notes what is overdue and tells what is due now. */
  tick(): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** How often what is due is looked for: bounds how late a deadline fires while Inngest is down. */
const SWEEP_MS = 5_000;
/** How often cases are looked for that no gateway noted because it died right after a commit. */
const MISSED_EVERY_MS = 60_000;
const SWEEP_LIMIT = 500;
/** Changes after which a run has something to do, or nothing more. What a run does itself, it knows. */
const NEWS: ReadonlySet<CaseState> = new Set([
  "AWAITING_REVIEW",
  "AUTHORIZED",
  "REJECTED",
  "CANCELLED",
  "EXPIRED",
  "DENIED",
]);

/**
 * Lets Inngest drive cases. It is told of each by an event, and calls back step by step; state, decisions and claims stay in the
 * store, and so do the deadlines: what expires does so by the database's time, whether Inngest is there or not.
 */
export function createInngestEngine(deps: InngestEngineDeps): InngestEngine {
  const { store } = deps;
  const work = createWork(deps.onError);
  const inngest = connectInngest(deps);
  const sweep = createSweep(deps);
  let phase: "new" | "running" | "closed" = "new";
  let timer: NodeJS.Timeout | undefined;
  let stopListening: () => void = () => undefined;

  async function note(ref: CaseRef): Promise<void> {
    await store.noteForEngine({ ref, overdue: false });
    void work.track(inngest.tell());
  }

  async function tick(): Promise<void> {
    if (phase === "closed") return;
    await sweep();
    await inngest.tell();
    await inngest.registerOnce();
  }

  async function tickAndSleep(): Promise<void> {
    await work.track(tick());
    if (phase === "closed") return;
    timer = setTimeout(() => void tickAndSleep(), SWEEP_MS);
    timer.unref();
  }

  return {
    async start() {
      await inngest.defined();
      phase = "running";
      stopListening = store.onChange((change) => {
        if (NEWS.has(change.to) && change.from !== change.to) void work.track(note(change.ref));
      });
      if (deps.otherWritersAreDead) {
        const orphans = await store.listCases({ states: ["ASSESSING"], limit: SWEEP_LIMIT });
        for (const { ref } of orphans) await store.noteForEngine({ ref, overdue: true });
      }
      // Not waited for: a gateway answers its agents while Inngest is down.
      void tickAndSleep();
    },
    wake(ref) {
      if (phase === "running") void work.track(note(ref));
    },
    async handle(request) {
      if (phase !== "running") return new Response(null, { status: 503 });
      const answer = inngest.defined().then((governance) => governance.handle(request));
      void work.track(answer);
      return answer;
    },
    tick,
    idle: () => work.idle(),
    async close() {
      phase = "closed";
      inngest.close();
      clearTimeout(timer);
      stopListening();
      await work.idle();
    },
  };
}

/** What is under way, so that closing waits for it. */
function createWork(onError: InngestEngineDeps["onError"]) {
  const underWay = new Set<Promise<void>>();
  return {
    track(work: Promise<unknown>): Promise<void> {
      const tracked = work
        .then(
          () => undefined,
          (error: unknown) => onError(null, error),
        )
        .finally(() => underWay.delete(tracked));
      underWay.add(tracked);
      return tracked;
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

/** The way to Inngest: the function, which is defined once the gateway knows where it listens, and the outbox. */
function connectInngest(deps: InngestEngineDeps) {
  const { store, clock, settings } = deps;
  const events = createEvents({ random: deps.random, pseudonymKey: settings.keys?.event ?? "development" });
  const send: GovernanceFunction["send"] = async (outgoing) => (await defined()).send(outgoing);
  const steps = createSteps({ store, drive: deps.drive, events, send, clock });
  let definition: Promise<GovernanceFunction> | undefined;
  let registered = false;
  // Perhaps Inngest has lost the function together with the run.
  const onLostRun = () => {
    registered = false;
  };
  const teller = createTeller({ store, events, send, clock, onError: deps.onError, onLostRun });

  function defined(): Promise<GovernanceFunction> {
    definition ??= defineGovernanceFunction({
      ...deps,
      settings: { ...settings, serveOrigin: deps.serveOrigin() },
      steps: () => steps,
    });
    return definition;
  }

  return {
    defined,
    ...teller,
    /** Tells Inngest where the function is, as its own sync would, until it has heard it. */
    async registerOnce() {
      if (registered) return;
      const { handle } = await defined();
      const url = new URL(settings.servePath, deps.serveOrigin());
      const answer = await handle(new Request(url, { method: "PUT", headers: { host: url.host } }));
      await answer.body?.cancel();
      registered = answer.ok;
    },
  };
}

/** Deadlines and lost claims are settled here; everything else is Inngest's to do, and it is reminded. */
function createSweep({ store, clock, ...deps }: InngestEngineDeps): () => Promise<void> {
  let lookForMissedAtMs = 0;

  async function driveSafely(ref: CaseRef): Promise<void> {
    try {
      await deps.drive(ref);
    } catch (error) {
      deps.onError(ref, error);
    }
  }

  return async () => {
    for (const due of await store.dueCases({ writer: deps.writer, limit: SWEEP_LIMIT })) {
      const isOverdue = due.dueAtMs !== null && due.dueAtMs <= clock.nowMs();
      if (due.state === "AWAITING_REVIEW" || due.state === "EXECUTING") {
        if (isOverdue || deps.otherWritersAreDead) await driveSafely(due.ref);
      } else if (isOverdue) {
        const mayExpire = due.runByMs !== null && due.runByMs <= clock.nowMs();
        if (mayExpire) await store.expire({ ref: due.ref, writer: deps.writer });
        await store.noteForEngine({ ref: due.ref, overdue: true });
      }
    }
    if (clock.nowMs() < lookForMissedAtMs) return;
    await store.noteMissed();
    lookForMissedAtMs = clock.nowMs() + MISSED_EVERY_MS;
  };
}
