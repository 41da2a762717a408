import { describe, expect, test } from "vitest";
import { type EngineFile, normaliseEngine } from "./engine.ts";

const SIGNING = `signkey-prod-${"ab".repeat(32)}`;
const file: EngineFile = { engine: "inngest", inngest: { concurrency: 16 }, host: "127.0.0.1" };
const KEYS = { INNGEST_EVENT_KEY: "event", INNGEST_SIGNING_KEY: SIGNING };

describe("normaliseEngine", () => {
  test("is the embedded engine without a word, whatever the environment says", () => {
    expect(normaliseEngine({ ...file, engine: "embedded" }, { INNGEST_DEV: "1" })).toEqual({
      kind: "embedded",
    });
  });

  test("takes the keys, and the key before the present one, from the environment", () => {
    const fallback = "cd".repeat(32);
    const env = { ...KEYS, INNGEST_SIGNING_KEY_FALLBACK: fallback, INNGEST_BASE_URL: "http://inngest:8288" };
    expect(
      normaliseEngine({ ...file, inngest: { serve_origin: "http://gateway:8000/", concurrency: 4 } }, env),
    ).toEqual({
      kind: "inngest",
      baseUrl: "http://inngest:8288",
      serveOrigin: "http://gateway:8000",
      keys: { event: "event", signing: SIGNING, signingFallback: fallback },
      concurrency: 4,
    });
  });

  test.each([
    ["no key at all", {}],
    ["no event key", { INNGEST_SIGNING_KEY: SIGNING }],
    ["no signing key", { INNGEST_EVENT_KEY: "event" }],
    ["empty keys", { INNGEST_EVENT_KEY: "", INNGEST_SIGNING_KEY: "" }],
    ["dev mode switched off, and no keys", { INNGEST_DEV: "0" }],
  ])("refuses %s and says what to set", (_, env) => {
    const problem = normaliseEngine(file, env);
    expect(problem).toContain("INNGEST_EVENT_KEY and INNGEST_SIGNING_KEY");
  });

  test.each(["1", "true", "http://127.0.0.1:8288"])("refuses INNGEST_DEV=%s beside a signing key", (dev) => {
    const problem = normaliseEngine(file, { ...KEYS, INNGEST_DEV: dev });
    expect(problem).toContain("turns the check of Inngest's signatures off");
  });

  test("refuses dev mode where others can reach the gateway", () => {
    const problem = normaliseEngine({ ...file, host: "0.0.0.0" }, { INNGEST_DEV: "1" });
    expect(problem).toContain("listens on 0.0.0.0");
  });

  test.each(["short", `signkey-prod-${"ab".repeat(31)}a`, "zz".repeat(32)])(
    "refuses %s as a signing key, without repeating it",
    (key) => {
      const problem = normaliseEngine(file, { ...KEYS, INNGEST_SIGNING_KEY: key });
      expect(problem).toContain("hex digits");
      expect(problem).not.toContain(key);
    },
  );

  test("in dev mode there are no keys, and the server is the one on this machine", () => {
    expect(normaliseEngine(file, { INNGEST_DEV: "1" })).toMatchObject({
      keys: null,
      baseUrl: "http://127.0.0.1:8288",
    });
    expect(normaliseEngine(file, { INNGEST_DEV: "http://127.0.0.1:9000" })).toMatchObject({
      baseUrl: "http://127.0.0.1:9000",
    });
  });
});
