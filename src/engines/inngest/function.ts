import type { GetStepTools, Inngest } from "inngest";
import { AtlasError } from "../../domain/errors.ts";
import { isCaseRef } from "../../domain/ids.ts";
import { EVENTS, type OutgoingEvent, type RequestedData } from "./events.ts";
import type { CaseView, RunId, Steps } from "./steps.ts";

export const APP_ID = "atlas-governance";
export const FUNCTION_ID = "governance-workflow";

/** How a gateway and Inngest reach and know each other. */
export interface InngestSettings {
  /** Of the Inngest server; null: Inngest's cloud. */
  readonly baseUrl: string | null;
  /** Where Inngest reaches this gateway, without a path. */
  readonly serveOrigin: string;
  /** Path of the endpoint there. */
  readonly servePath: string;
  readonly keys: {
    readonly event: string;
    readonly signing: string;
    readonly signingFallback: string | null;
  } | null;
  /** Steps of one upstream's cases that run at a time, on all gateways together. */
  readonly concurrency: number;
}

export interface GovernanceFunctionDeps {
  readonly settings: InngestSettings;
  readonly steps: () => Steps;
  /** Of the SDK: it never holds what an event or a step says. */
  readonly onProblem: (sentence: string) => void;
  readonly fetch?: typeof fetch;
}

export interface GovernanceFunction {
  /** Answers what Inngest asks at the endpoint; verifies its signatures. */
  readonly handle: (request: Request) => Promise<Response>;
  readonly send: (events: readonly OutgoingEvent[]) => Promise<void>;
}

/** 20 retries with Inngest's backoff last about a day: an outage of the gateways is shorter, and what is given up is started again. */
const RETRIES = 20;
/** A run has 1,000 steps; one that was woken this often hands over to the next. */
const MAX_TURNS = 300;

/**
 * Loads the SDK and defines the function. Steps are reported one by one (no checkpointing), so that what the dashboard shows as
 * done is done, and no timer outlives a request.
 *
 * @throws AtlasError `config.invalid` when the package is not installed
 */
export async function defineGovernanceFunction(deps: GovernanceFunctionDeps): Promise<GovernanceFunction> {
  const { sdk, serve } = await loadSdk();
  const { serveOrigin, servePath, concurrency } = deps.settings;
  const client = new sdk.Inngest({ ...clientOptions(deps), checkpointing: false, aiMetadata: false });
  const requested = sdk.eventType(EVENTS.requested, { schema: sdk.staticSchema<RequestedData>() });
  const workflow = client.createFunction(
    {
      id: FUNCTION_ID,
      name: "handle_governance",
      description: "Assesses a tool call, waits for a person if need be, and runs it at most once.",
      triggers: [{ event: requested }],
      retries: RETRIES,
      concurrency: [{ key: "event.data.upstream", limit: concurrency }],
      onFailure: async ({ event, step }) => {
        const run = runOf(event.data.event.data);
        if (run === null) return;
        deps.onProblem("Inngest gave a run up; another one is started for its case.");
        await step.run("start another run", () => deps.steps().handOver(run));
      },
    },
    async ({ event, step }) => {
      const run = runOf(event.data);
      return run === null ? NO_SUCH_CASE : governCase(run, step, deps.steps);
    },
  );
  return {
    handle: serve({ client, functions: [workflow], serveOrigin, servePath }),
    async send(events) {
      await client.send(events.map(({ name, id, data }) => ({ name, id, data })));
    },
  };
}

type StepTools = GetStepTools<Inngest.Any>;

/** Whoever can send events can send the trigger of a run. */
const NO_SUCH_CASE = { outcome: "no such case" };

/** The run of one case: assess, wait for a person or for time, execute, finalize. */
async function governCase(run: RunId, step: StepTools, steps: () => Steps) {
  let view: CaseView | null = await step.run("assess", () => steps().assess(run));
  for (let turn = 1; view !== null && view.next !== "end"; turn++) {
    // A step id may not come twice: a wake that changed nothing leads back to another wait.
    const named = (text: string) => (turn === 1 ? text : `${text} (${turn})`);
    if (turn > MAX_TURNS) return step.run("hand over to another run", () => steps().handOver(run));
    if (view.next === "wait") {
      const isForHuman = view.state === "AWAITING_REVIEW";
      // By name only, without a schema: an event that breaks one would end the run, and with it the wait for the real decision.
      const wait = step.waitForEvent(named(isForHuman ? "wait for the decision" : "wait until it is due"), {
        event: EVENTS.decision,
        if: "async.data.event_id == event.data.event_id",
        timeout: `${view.wait_s}s`,
      });
      if (isForHuman)
        await Promise.all([wait, step.run(named("open review"), () => steps().openReview(run))]);
      else await wait;
    }
    view = await step.run(named("execute"), () => steps().execute(run));
  }
  return view === null ? NO_SUCH_CASE : step.run("finalize", () => steps().finalize(run));
}

function runOf(data: { readonly event_id?: unknown; readonly generation?: unknown }): RunId | null {
  const { event_id: ref, generation } = data;
  if (typeof ref !== "string" || !isCaseRef(ref)) return null;
  return Number.isSafeInteger(generation) ? { ref, generation: Number(generation) } : null;
}

function clientOptions({ settings, onProblem, fetch }: GovernanceFunctionDeps) {
  const { baseUrl, keys } = settings;
  const say = (...args: readonly unknown[]) => onProblem(sentenceOf(args));
  const logger = { debug: () => undefined, info: () => undefined, warn: say, error: say };
  return {
    id: APP_ID,
    // Said outright, so that no variable of the environment turns the verification of signatures off.
    isDev: keys === null,
    logger,
    internalLogger: logger,
    ...(baseUrl !== null && { baseUrl }),
    ...(keys !== null && { eventKey: keys.event, signingKey: keys.signing }),
    ...(keys?.signingFallback != null && { signingKeyFallback: keys.signingFallback }),
    ...(fetch !== undefined && { fetch }),
  };
}

/** The SDK's own sentence without what it was about: that may hold anything. */
function sentenceOf(args: readonly unknown[]): string {
  return args.find((arg) => typeof arg === "string")?.slice(0, 200) ?? "Inngest's SDK reported a problem.";
}

async function loadSdk() {
  try {
    const [sdk, { serve }] = await Promise.all([import("inngest"), import("inngest/edge")]);
    return { sdk, serve };
  } catch (cause) {
    const message =
      "`engine: inngest` needs the package inngest; install it beside the gateway: npm install inngest";
    throw new AtlasError("config.invalid", message, { cause });
  }
}
