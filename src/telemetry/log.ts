import { type DestinationStream, destination, type LoggerOptions, pino } from "pino";
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
const REDACTED_MEMBERS = [
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
] as const;

const REDACTED_DEPTH = 4;

function redactedPaths(): string[] {
  const depths = Array.from({ length: REDACTED_DEPTH }, (_, depth) => "*.".repeat(depth));
  return REDACTED_MEMBERS.flatMap((member) =>
    depths.map((wildcards) => `${wildcards.slice(0, -1)}["${member}"]`),
  );
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
    formatters: { level: (label) => ({ level: label }) },
    messageKey: "message",
    redact: { paths: redactedPaths(), censor: "[redacted]" },
    serializers: { error: describeLogged, err: describeLogged },
  };
  return pino(options, params.destination ?? destination({ dest: 2, sync: true }));
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
