import { type DestinationStream, destination, type Logger, type LoggerOptions, pino } from "pino";
import { AtlasError } from "../domain/errors.ts";

/** What a log line says beside its sentence. Never argument text, reasons, rationales or credentials. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the gateway tells its operator what happened; one JSON object a line. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A log that puts these fields on every line. */
  child(fields: LogFields): Log;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Members whose value never reaches a line, at any of {@link REDACTED_DEPTH} levels: the net below code that should not log them at all. */
const REDACTED: ReadonlySet<string> = new Set([
  "authorization",
  "Authorization",
  "proxy-authorization",
  "cookie",
  "Cookie",
  "set-cookie",
  "token",
  "secret",
  "credential",
  "password",
  "apiKey",
  "api_key",
  "arguments",
  "argumentsText",
]);

const REDACTED_DEPTH = 4;

/** Copies only what holds such a member: on the way of every line, that is nothing. An error is described by its serializer. */
function redacted(fields: LogFields, depth = 1): LogFields {
  let copy: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const said = REDACTED.has(name) ? "[redacted]" : redactedWithin(value, depth);
    if (said === value) continue;
    copy ??= { ...fields };
    copy[name] = said;
  }
  return copy ?? fields;
}

function redactedWithin(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || value instanceof Error || depth >= REDACTED_DEPTH)
    return value;
  if (isFields(value)) return redacted(value, depth + 1);
  return Array.isArray(value) ? value.map((item: unknown) => redactedWithin(item, depth + 1)) : value;
}

function isFields(value: object): value is LogFields {
  return !Array.isArray(value);
}

export interface CreateLogParams {
  /** Lowest level that is written; {@link logLevelFromEnv} when absent. */
  readonly level?: LogLevel;
  /** Where lines go; standard error when absent, because standard output carries MCP in stdio mode. */
  readonly destination?: DestinationStream;
}

/** Lines are written before the call returns, so that the last ones before a crash are not lost. */
export function createLog(params: CreateLogParams = {}): Log {
  const options: LoggerOptions = {
    level: params.level ?? logLevelFromEnv(process.env),
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => redacted(fields),
    },
    messageKey: "message",
    serializers: { error: describeLogged, err: describeLogged },
  };
  return logOf(pino(options, params.destination ?? destination({ dest: 2, sync: true })));
}

function logOf(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    // Pino formats what a line says, but not what a child carries.
    child: (fields) => logOf(logger.child(redacted(fields))),
  };
}

/**
 * Level named by `ATLAS_LOG_LEVEL`, `info` when it names none.
 *
 * @throws AtlasError `config.invalid` when it names something else.
 */
export function logLevelFromEnv(env: Readonly<Record<string, string | undefined>>): LogLevel {
  const wanted = env["ATLAS_LOG_LEVEL"] ?? "";
  if (wanted === "") return "info";
  const level = LOG_LEVELS.find((known) => known === wanted.toLowerCase());
  if (level === undefined) {
    throw new AtlasError("config.invalid", `ATLAS_LOG_LEVEL must be one of ${LOG_LEVELS.join(", ")}.`);
  }
  return level;
}

export interface ErrorDescription {
  readonly name: string;
  readonly code?: string;
  readonly message?: string;
  readonly frames?: readonly string[];
  readonly cause?: ErrorDescription;
}

const MAX_CAUSES = 4;
const MAX_FRAMES = 12;

/**
 * What a log may say of an error. The message is kept for our own errors, whose messages are written for people,
 * and for errors of the operating system, which name files and addresses. Every other message is left out, because
 * a parser's or a driver's message may quote the text it was given.
 */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const speaks = error instanceof AtlasError || "syscall" in error;
  const frames = stackFrames(error);
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    ...(speaks ? { message: error.message } : {}),
    ...(frames.length === 0 ? {} : { frames }),
    ...(error.cause === undefined || depth >= MAX_CAUSES
      ? {}
      : { cause: describeError(error.cause, depth + 1) }),
  };
}

/** Pino hands a serializer more than the value. */
function describeLogged(error: unknown): ErrorDescription {
  return describeError(error);
}

function stackFrames(error: Error): string[] {
  const lines = (error.stack ?? "").split("\n").map((line) => line.trim());
  return lines.filter((line) => /^at .+:\d+:\d+\)?$/.test(line)).slice(0, MAX_FRAMES);
}

/** Says nothing; for tests and one-shot commands. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
