/**
 * Loaded into the real gateway before its first module (`node --import`), so that production code needs no hooks.
 * It names each durable step, a COMMIT or a `tools/call` written to an upstream's pipe, and when the one in the
 * order comes it signals the process, synchronously, before or after the step. Nothing else is changed.
 */
import { ChildProcess } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { DatabaseSync, StatementSync } from "node:sqlite";
import type { Writable } from "node:stream";
import { type CrashOrder, ORDER_VARIABLE, traceFile } from "./crash-order.ts";

const orderFile = process.env[ORDER_VARIABLE];
if (orderFile === undefined) throw new Error(`${ORDER_VARIABLE} names no file`);

let countingFor: string | null = null;
let counted = 0;
/** Types of the ledger events and names of the tables written since the last COMMIT: they name the next one. */
let events: string[] = [];
let tables = new Set<string>();

function readOrder(file: string): CrashOrder | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as CrashOrder;
  } catch {
    // No order yet, or no longer one.
    return null;
  }
}

function takeStep<Answer>(file: string, name: string, step: () => Answer): Answer {
  const order = readOrder(file);
  if (order === null) return step();
  if (order.id !== countingFor) {
    countingFor = order.id;
    counted = 0;
  }
  appendFileSync(traceFile(file), `${name}\n`);
  const matches = order.match === undefined || name === order.match;
  if (matches) counted += 1;
  const meant = matches && counted === order.step;
  if (meant && order.when === "before") strike(order);
  const answer = step();
  if (meant && order.when === "after") strike(order);
  return answer;
}

/** kill() to oneself has taken effect when it returns. */
function strike(order: CrashOrder): void {
  process.kill(process.pid, order.signal);
  if (order.sleptMs !== undefined) moveClocks(order.sleptMs);
}

/**
 * Both system clocks go on while a process is stopped, so one that is stopped for ten minutes finds them ten minutes
 * later at its very next reading. Here it was stopped for milliseconds and the clocks are moved at the same point, so
 * that every reading after it is the one a long stop would have given, and the test need not sleep.
 */
function moveClocks(byMs: number): void {
  const monotonic = performance.now.bind(performance);
  performance.now = () => monotonic() + byMs;
  const wall = Date.now.bind(Date);
  Date.now = () => wall() + byMs;
}

function watchCommits(file: string): void {
  const run = methodOf<StatementSync["run"]>(StatementSync.prototype, "run");
  StatementSync.prototype.run = function (this: StatementSync, ...parameters: Parameters<typeof run>) {
    const sql = this.sourceSQL;
    const table = /^(?:insert into|update|delete from) (\w+)/.exec(sql)?.[1];
    if (table === "ledger_events") events.push(typeOfEvent(parameters[0]));
    else if (table !== undefined) tables.add(table);
    if (sql !== "commit") return run.apply(this, parameters);
    return takeStep(file, commitName(), () => run.apply(this, parameters));
  } as typeof run;
  const exec = methodOf<DatabaseSync["exec"]>(DatabaseSync.prototype, "exec");
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
    if (sql !== "commit") return exec.call(this, sql);
    takeStep(file, commitName(), () => exec.call(this, sql));
  };
}

function commitName(): string {
  // The head's signature may share a commit with anything, so it only names one that it has for itself.
  const signed = tables.delete("ledger_heads");
  const silent = tables.size === 0 && signed ? ["head"] : [...tables].sort();
  const name = ["commit", ...(events.length > 0 ? events : silent)].join(" ");
  events = [];
  tables = new Set();
  return name;
}

/** Only ever called with the object that it was called on. */
function methodOf<Method>(prototype: object, name: string): Method {
  return Reflect.get(prototype, name) as Method;
}

function typeOfEvent(parameters: unknown): string {
  const { bytes } = parameters as { bytes: string | Uint8Array };
  const event = JSON.parse(typeof bytes === "string" ? bytes : Buffer.from(bytes).toString()) as {
    type: string;
  };
  return event.type;
}

type Spawn = (this: ChildProcess, options: object) => number;

/** A write to a pipe that has room reaches the kernel before it returns, so a kill right after it comes after the dispatch. */
function watchDispatches(file: string): void {
  const prototype = ChildProcess.prototype as ChildProcess & { spawn: Spawn };
  const spawn = methodOf<Spawn>(prototype, "spawn");
  prototype.spawn = function (this: ChildProcess, options: object) {
    const code = spawn.call(this, options);
    if (this.stdin !== null) watchPipe(file, this.stdin);
    return code;
  };
}

function watchPipe(file: string, pipe: Writable): void {
  const write = pipe.write.bind(pipe) as (...parameters: unknown[]) => boolean;
  pipe.write = ((...parameters: unknown[]) => {
    const tool = /"method":"tools\/call".*?"name":"(\w+)"/s.exec(String(parameters[0]))?.[1];
    if (tool === undefined) return write(...parameters);
    return takeStep(file, `dispatch ${tool}`, () => write(...parameters));
  }) as typeof pipe.write;
}

watchCommits(orderFile);
watchDispatches(orderFile);
