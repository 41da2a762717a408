import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkConfig } from "./check.ts";
import { load } from "./config.testing.ts";
import { configJsonSchema } from "./schema.ts";

describe("checkConfig", () => {
  const upstream = "upstreams: { welfare: { command: x } }\n";

  it("has nothing to say of a sound configuration", () => {
    expect(checkConfig(load(upstream))).toEqual([]);
  });

  it.each([
    ["", "There are no upstreams, so agents see no tools; add one under `upstreams`."],
    [
      `${upstream}policy: [{ id: all, verdict: assess }, { id: late, tool: x, verdict: deny }]`,
      "Rule late can never match because rule all before it takes all that it names; move it up or remove it.",
    ],
    [
      `${upstream}policy: [{ id: all, resource: "file:*", verdict: deny }, { id: late, resource: "file:///x", verdict: allow }]`,
      "Rule late can never match because rule all before it takes all that it names; move it up or remove it.",
    ],
    [
      `${upstream}policy: [{ upstream: wlfare, verdict: deny }]`,
      "Rule rule-1 names the upstream wlfare, which does not exist; correct or remove it.",
    ],
    [
      `${upstream}listen: { host: 0.0.0.0 }`,
      "The gateway listens on 0.0.0.0, which other machines can reach, without TLS: keys, tokens and sessions travel in clear and whoever sees them can use them. Put a proxy with TLS in front and write its https address as `public_url`, or listen on 127.0.0.1.",
    ],
    [
      `${upstream}public_url: http://atlas.example.org\nlisten: { host: 0.0.0.0 }`,
      "`public_url` is plain http: keys, tokens and sessions travel in clear and whoever sees them can use them. Put a proxy with TLS in front and write its https address.",
    ],
    [
      `${upstream}notify: { webhook: { url: 'http://hooks.example.org/x', secret: '\${WEBHOOK}' } }`,
      "The webhook sends to hooks.example.org over plain http, where others can read it; use https.",
    ],
  ])("warns about %j", (text, warning) => {
    expect(checkConfig(load(text))).toEqual([warning]);
  });

  it("takes rules of different kinds apart", () => {
    const policy =
      "policy: [{ verdict: assess }, { resource: '*', verdict: allow }, { prompt: '*', verdict: allow }]";
    expect(checkConfig(load(upstream + policy))).toEqual([]);
  });

  it("accepts any address behind a proxy with TLS", () => {
    const text = `${upstream}public_url: https://atlas.example.org\nlisten: { host: 0.0.0.0 }`;
    expect(checkConfig(load(text))).toEqual([]);
  });

  it("accepts plain http to this machine", () => {
    expect(
      checkConfig(
        load(`${upstream}notify: { webhook: { url: 'http://127.0.0.1:9/x', secret: '\${WEBHOOK}' } }`),
      ),
    ).toEqual([]);
  });
});

describe("configJsonSchema", () => {
  it("describes every key and allows no other", () => {
    const schema = z
      .object({ properties: z.record(z.string(), z.unknown()), additionalProperties: z.boolean() })
      .parse(configJsonSchema());
    expect(Object.keys(schema.properties)).toEqual([
      "public_url",
      "listen",
      "agents",
      "engine",
      "inngest",
      "database",
      "upstreams",
      "policy",
      "risk",
      "review",
      "hold",
      "notify",
      "max_result",
      "retention",
      "metrics",
      "portals",
      "mode",
      "single_operator",
    ]);
    expect(schema.additionalProperties).toBe(false);
    expect(JSON.stringify(schema)).toContain('"run_within"');
  });
});
