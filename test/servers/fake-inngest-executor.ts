export interface FakeEvent {
  readonly id?: string;
  readonly name: string;
  readonly data: { readonly [key: string]: unknown };
}

export interface RegisteredFunction {
  readonly id: string;
  readonly name: string;
  readonly triggers: readonly { readonly event: string; readonly expression?: string }[];
  readonly steps: {
    readonly step: {
      readonly runtime: { readonly url: string };
      readonly retries?: { readonly attempts: number };
    };
  };
  readonly concurrency?: unknown;
}

type StepState =
  | { readonly type: "data"; readonly data: unknown }
  | { readonly type: "error"; readonly error: unknown };

export interface FakeRun {
  readonly id: string;
  readonly fn: RegisteredFunction;
  readonly event: FakeEvent;
  /** Names of the steps that ended, in order. */
  readonly path: string[];
  status: "running" | "completed" | "failed";
  output: unknown;
}

interface Run extends FakeRun {
  readonly steps: Map<string, StepState>;
  /** Planned steps and waits that have not ended; the function is only called again when there are none. */
  readonly pending: Set<string>;
  readonly waits: Map<string, { readonly op: Op; readonly untilMs: number }>;
}

interface Op {
  readonly id: string;
  readonly op: string;
  readonly name?: string;
  readonly displayName?: string;
  readonly data?: unknown;
  readonly error?: unknown;
  readonly opts?: { readonly timeout?: string; readonly if?: string };
}

type Item =
  | {
      readonly kind: "call";
      readonly atMs: number;
      readonly run: Run;
      readonly step: string | null;
      readonly attempt: number;
    }
  | { readonly kind: "timeout"; readonly atMs: number; readonly run: Run; readonly id: string };

/** The server's backoff, without its jitter. */
const BACKOFF_S = [15, 30, 60, 120, 300, 600, 1_200, 2_400, 3_600, 7_200];
const DEDUPE_MS = 24 * 3_600_000;
/** Calls at a time. */
const WORKERS = 16;
/** The only form of condition that it knows. */
const CONDITION = /^async\.data\.(\w+) == event\.data\.(\w+)$/;

export interface FakeExecutorParams {
  readonly nowMs: () => number;
  readonly isDown: () => boolean;
  readonly call: (url: string, body: unknown) => Promise<{ status: number; headers: Headers; text: string }>;
}

/** Runs and their queue. */
export function createFakeExecutor({ nowMs, isDown, call }: FakeExecutorParams) {
  const functions: RegisteredFunction[] = [];
  const runs: Run[] = [];
  const seen = new Map<string, number>();
  /** Waits by event name and the value that they are matched on, as a storm of events has to find its runs. */
  const waiting = new Map<string, Set<Run>>();
  let queue: Item[] = [];

  function start(fn: RegisteredFunction, event: FakeEvent): void {
    const run: Run = {
      id: `run_${runs.length + 1}`,
      fn,
      event,
      path: [],
      status: "running",
      output: undefined,
      steps: new Map(),
      pending: new Set(),
      waits: new Map(),
    };
    runs.push(run);
    queue.push({ kind: "call", atMs: nowMs(), run, step: null, attempt: 0 });
  }

  function deliver(event: FakeEvent): void {
    for (const fn of functions.filter((f) => f.triggers.some((t) => t.event === event.name))) {
      const key = `${fn.id} ${event.id ?? ""}`;
      const isKnown =
        event.id !== undefined && (seen.get(key) ?? Number.NEGATIVE_INFINITY) > nowMs() - DEDUPE_MS;
      if (isKnown) continue;
      seen.set(key, nowMs());
      start(fn, event);
    }
    for (const run of waiting.get(waitKey(event.name, event.data["event_id"])) ?? []) {
      for (const [id, { op }] of run.waits) {
        if (op.name === event.name && matches(op.opts?.if, run.event, event))
          resolve(run, id, { type: "data", data: event });
      }
    }
  }

  /** A step or wait has ended. */
  function resolve(run: Run, id: string, state: StepState): void {
    const wait = run.waits.get(id);
    run.waits.delete(id);
    if (wait !== undefined) {
      run.path.push(wait.op.displayName ?? id);
      if (run.waits.size === 0)
        waiting.get(waitKey(wait.op.name ?? "", run.event.data["event_id"]))?.delete(run);
    }
    run.steps.set(id, state);
    run.pending.delete(id);
    if (run.pending.size === 0) queue.push({ kind: "call", atMs: nowMs(), run, step: null, attempt: 0 });
  }

  function take(run: Run, op: Op, item: Item & { kind: "call" }): void {
    switch (op.op) {
      case "WaitForEvent": {
        const untilMs = nowMs() + durationMs(op.opts?.timeout ?? "");
        run.waits.set(op.id, { op, untilMs });
        run.pending.add(op.id);
        const key = waitKey(op.name ?? "", run.event.data["event_id"]);
        waiting.set(key, (waiting.get(key) ?? new Set()).add(run));
        queue.push({ kind: "timeout", atMs: untilMs, run, id: op.id });
        return;
      }
      case "StepPlanned":
        run.pending.add(op.id);
        queue.push({ kind: "call", atMs: nowMs(), run, step: op.id, attempt: 0 });
        return;
      case "StepRun":
        run.path.push(op.displayName ?? op.id);
        resolve(run, op.id, { type: "data", data: op.data ?? null });
        return;
      case "StepError":
        retry(item, op);
        return;
      case "StepFailed":
        resolve(run, op.id, { type: "error", error: op.error });
        return;
      default:
        throw new Error(`the stand-in does not know ${op.op}`);
    }
  }

  function retry(item: Item & { kind: "call" }, op?: Op): void {
    const { run, step, attempt } = item;
    if (attempt + 1 < maxAttempts(run)) {
      const delayMs = (BACKOFF_S[Math.min(attempt, BACKOFF_S.length - 1)] ?? 0) * 1_000;
      queue.push({ kind: "call", atMs: nowMs() + delayMs, run, step, attempt: attempt + 1 });
    } else if (op !== undefined && step !== null) resolve(run, op.id, { type: "error", error: op.error });
    else fail(run);
  }

  function fail(run: Run): void {
    run.status = "failed";
    end(run);
    const data = {
      function_id: run.fn.id,
      run_id: run.id,
      error: { name: "Error", message: "gave up" },
      event: run.event,
    };
    const failed = functions.find((f) =>
      f.triggers.some((t) => t.expression?.includes(`'${run.fn.id}'`) === true),
    );
    if (failed !== undefined) start(failed, { name: "inngest/function.failed", data });
  }

  function end(run: Run): void {
    for (const { op } of run.waits.values())
      waiting.get(waitKey(op.name ?? "", run.event.data["event_id"]))?.delete(run);
    run.waits.clear();
  }

  async function work(item: Item): Promise<void> {
    const { run } = item;
    if (run.status !== "running") return;
    if (item.kind === "timeout") {
      if (run.waits.has(item.id)) resolve(run, item.id, { type: "data", data: null });
      return;
    }
    if (item.step !== null && run.steps.has(item.step)) return;
    const url = new URL(run.fn.steps.step.runtime.url);
    url.searchParams.set("stepId", item.step ?? "step");
    let answer: Awaited<ReturnType<typeof call>>;
    try {
      answer = await call(url.href, requestBody(run, item));
    } catch {
      retry(item);
      return;
    }
    takeAnswer(item, answer);
  }

  function takeAnswer(
    item: Item & { kind: "call" },
    { status, headers, text }: Awaited<ReturnType<typeof call>>,
  ): void {
    const { run } = item;
    if (status === 206) {
      const ops: Op[] = JSON.parse(text);
      // Waits first, as the real server does: what runs beside a wait can count on it.
      for (const op of ops.toSorted((a, b) => priority(a) - priority(b))) take(run, op, item);
    } else if (status === 200) {
      run.status = "completed";
      run.output = JSON.parse(text);
      end(run);
    } else if (headers.get("x-inngest-no-retry") === "true") fail(run);
    else retry(item);
  }

  async function runDue(): Promise<number> {
    let calls = 0;
    while (!isDown()) {
      const due = queue.filter((item) => item.atMs <= nowMs()).slice(0, WORKERS);
      if (due.length === 0) break;
      const taken = new Set(due);
      queue = queue.filter((item) => !taken.has(item));
      calls += due.filter((item) => item.kind === "call").length;
      await Promise.all(due.map(work));
    }
    return calls;
  }

  return {
    functions,
    runs,
    deliver,
    runDue,
    nextDueAtMs: () => (queue.length === 0 ? null : Math.min(...queue.map((item) => item.atMs))),
    register(found: readonly RegisteredFunction[]) {
      functions.splice(0, functions.length, ...found);
    },
    forgetEverything() {
      functions.length = 0;
      runs.length = 0;
      seen.clear();
      waiting.clear();
      queue = [];
    },
  };
}

const maxAttempts = (run: Run) => (run.fn.steps.step.retries?.attempts ?? 3) + 1;
const priority = (op: Op) => (op.op === "WaitForEvent" ? 0 : 1);
const waitKey = (name: string, ref: unknown) => `${name} ${String(ref)}`;

function requestBody(run: Run, item: Item & { kind: "call" }) {
  return {
    version: 2,
    event: run.event,
    events: [run.event],
    steps: Object.fromEntries(run.steps),
    ctx: {
      run_id: run.id,
      fn_id: run.fn.id,
      attempt: item.attempt,
      max_attempts: maxAttempts(run),
      disable_immediate_execution: false,
      use_api: false,
      stack: { stack: [...run.steps.keys()], current: run.steps.size },
    },
    use_api: false,
  };
}

function matches(condition: string | undefined, trigger: FakeEvent, event: FakeEvent): boolean {
  if (condition === undefined) return true;
  const [, left = "", right = ""] = CONDITION.exec(condition) ?? [];
  if (left === "") throw new Error(`the stand-in does not know the condition ${condition}`);
  return event.data[left] === trigger.data[right];
}

const UNITS_S: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };

function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+)([wdhms])/g)];
  if (parts.length === 0) throw new Error(`${text} is no duration`);
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS_S[unit ?? ""] ?? 0) * 1_000, 0);
}
