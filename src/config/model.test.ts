import { describe, expect, test } from "vitest";
import { PACK_IDS } from "../risk/packs.ts";
import { checkConfig } from "./check.ts";
import { load } from "./config.testing.ts";
import { RISK_PACKS } from "./risk-schema.ts";

const model = (text: string, env: Record<string, string> = {}) =>
  load(`risk: { model: { ${text} } }`, { env }).risk.model;
const LIMITS = { form: "json", deadlineMs: 20_000, perMinute: 120 };
const TOKEN = { MODAL_TOKEN_ID: "ak-1", MODAL_TOKEN_SECRET: "as-1" };

describe("risk.model", () => {
  test("is none unless the file names one", () => {
    expect(load("", { env: { ...TOKEN, OPENAI_API_KEY: "sk-1" } }).risk.model).toBeNull();
  });

  test("takes Modal's function and token from the environment", () => {
    expect(model("kind: modal", TOKEN)).toEqual({
      kind: "modal",
      name: "nislam-mics/ATLAS-NIST-Measure",
      tokenId: "ak-1",
      tokenSecret: "as-1",
      ...LIMITS,
    });
    const own = { ...TOKEN, MODAL_FUNCTION_NAME: "w/App/judge" };
    expect(model("kind: modal, answer: text, deadline: 5s, per_minute: 10", own)).toMatchObject({
      name: "w/App/judge",
      form: "text",
      deadlineMs: 5_000,
      perMinute: 10,
    });
    expect(model("kind: modal, function: w/Other/judge", own)).toMatchObject({ name: "w/Other/judge" });
  });

  test("takes a web endpoint with its proxy-auth token, and needs no other", () => {
    expect(model("kind: modal, url: https://x.modal.run, proxy_key: wk-1, proxy_secret: ws-1")).toEqual({
      kind: "modal-web",
      url: "https://x.modal.run",
      proxyAuth: { key: "wk-1", secret: "ws-1" },
      ...LIMITS,
    });
  });

  test("shows the key of the environment to OpenAI only", () => {
    const env = { OPENAI_API_KEY: "sk-1" };
    expect(model("kind: openai, model: gpt-x", env)).toMatchObject({
      baseUrl: "https://api.openai.com/v1",
      apiKey: "sk-1",
    });
    expect(model("kind: openai, model: x, base_url: https://llm.example.org/v1", env)).toMatchObject({
      apiKey: null,
    });
    expect(model("kind: ollama, model: llama3.2", env)).toMatchObject({
      baseUrl: "http://127.0.0.1:11434/v1",
      apiKey: null,
    });
  });

  test.each([
    ["kind: modal", "risk.model: Modal needs a token; set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"],
    ["kind: openai, model: x", "risk.model: OpenAI needs a key; set OPENAI_API_KEY"],
    ["kind: openai", "risk.model.model: it is missing"],
    ["kind: ollama, model: x, token_id: y", "risk.model.token_id: a model of kind ollama has no such key"],
    ["kind: modal, url: https://x.example, token_id: y", "either a `url` or a `function`"],
    ["kind: modal, url: https://x.example, proxy_key: y", "belong together"],
    ["kind: gemini, model: x", "write one of modal, openai, ollama"],
    ["kind: ollama, modle: x", "risk.model.modle: this key is not known"],
  ])("says what is wrong with { %s }", (text, message) => {
    expect(() => model(text)).toThrow(message);
  });

  test("asked in clear over a network is a warning", () => {
    const warnings = (url: string) =>
      checkConfig(load(`risk: { model: { kind: ollama, model: x, base_url: "${url}" } }`));
    expect(warnings("http://gpu.example.org/v1").join(" ")).toContain(
      "asked at gpu.example.org over plain http",
    );
    expect(warnings("http://127.0.0.1:11434/v1").join(" ")).not.toContain("The model");
  });
});

describe("risk", () => {
  test("knows every pack there is", () => {
    expect([...RISK_PACKS].sort()).toEqual([...PACK_IDS].sort());
  });

  test("takes packs, the amount of money and the domains that are inside", () => {
    expect(load("risk: { packs: [], money_floor: 500, inside_domains: [example.org] }").risk).toEqual({
      threshold: 70,
      packs: [],
      moneyFloor: 500,
      insideDomains: ["example.org"],
      model: null,
    });
    expect(() => load("risk: { inside_domains: ['@Example.org'] }")).toThrow("this is no domain");
    expect(() => load("risk: { packs: [finance] }")).toThrow("welfare");
  });
});
