import { describe, expect, test } from "vitest";
import { AtlasError } from "../domain/errors.ts";
import { createLog, describeError, type LogLevel, logLevelFromEnv } from "./log.ts";

function capture(level: LogLevel) {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line: string) => void lines.push(line) } });
  return { log, lines };
}

describe("createLog", () => {
  test("writes one JSON object a line with level, time and message", () => {
    const { log, lines } = capture("info");
    log.info({ ref: "evt_1" }, "Case opened.");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "info",
      ref: "evt_1",
      message: "Case opened.",
    });
  });

  test("keeps quiet below its level", () => {
    const { log, lines } = capture("warn");
    log.info({}, "quiet");
    log.child({ part: "http" }).debug({}, "quiet");
    expect(lines).toEqual([]);
  });

  test.each([
    ["at the top", { token: "s3cret", cookie: "s3cret", arguments: "s3cret" }],
    ["in headers", { headers: { authorization: "Bearer s3cret", "set-cookie": "s3cret" } }],
    ["deep", { call: { params: { arguments: { name: "s3cret" } } } }],
    ["four levels down", { a: { b: { c: { secret: "s3cret" } } } }],
  ])("never writes a secret %s", (_, fields) => {
    const { log, lines } = capture("debug");
    log.error(fields, "refused");
    expect(lines.join("")).toContain("[redacted]");
    expect(lines.join("")).not.toContain("s3cret");
  });

  test("redacts what a child log carries", () => {
    const { log, lines } = capture("debug");
    log.child({ token: "s3cret" }).info({}, "hello");
    expect(lines.join("")).not.toContain("s3cret");
  });
});

describe("describeError", () => {
  test("keeps the message of our own errors and of the operating system", () => {
    expect(describeError(new AtlasError("store.failed", "The disk is full.")).message).toBe(
      "The disk is full.",
    );
    const system = Object.assign(new Error("connect ECONNREFUSED"), {
      code: "ECONNREFUSED",
      syscall: "connect",
    });
    expect(describeError(system)).toMatchObject({ code: "ECONNREFUSED", message: "connect ECONNREFUSED" });
  });

  test("leaves out the message of any other error, and of its causes, but says where it was thrown", () => {
    const parser = new SyntaxError('Unexpected token in {"iban":"DE1"}');
    const described = describeError(new AtlasError("internal", "It failed.", { cause: parser }));
    expect(JSON.stringify(described)).not.toContain("iban");
    expect(described.cause).toMatchObject({ name: "SyntaxError" });
    expect(described.cause?.frames?.[0]).toContain("log.test.ts");
  });
});

describe("logLevelFromEnv", () => {
  test("is info unless named, and refuses a level that does not exist", () => {
    expect(logLevelFromEnv({})).toBe("info");
    expect(logLevelFromEnv({ ATLAS_LOG_LEVEL: "DEBUG" })).toBe("debug");
    expect(() => logLevelFromEnv({ ATLAS_LOG_LEVEL: "loud" })).toThrow(/must be one of/);
  });
});
