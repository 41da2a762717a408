import { describe, expect, test, vi } from "vitest";
import { createRecordingLog, createUpstreamBench } from "../../../test/servers/upstream-bench.ts";
import type { UpstreamConfig } from "../../config/config.ts";
import { sha256 } from "../../domain/digest.ts";
import { readOffers } from "./listed-offers.ts";
import { createOffers, type OffersChange } from "./offers.ts";

const bench = createUpstreamBench();
bench.dispose();
const config = (name: string, over: Partial<UpstreamConfig> = {}): UpstreamConfig => ({
  ...bench.http("http://127.0.0.1:1/", { name }),
  ...(over.prefix === undefined ? {} : { prefix: over.prefix }),
  ...(over.resources === undefined ? {} : { resources: over.resources }),
});

interface Listed {
  readonly uris?: readonly unknown[];
  readonly templates?: readonly string[];
  readonly prompts?: readonly string[];
}

function openOffers(...configs: readonly UpstreamConfig[]) {
  const log = createRecordingLog();
  const offers = createOffers({ upstreams: configs, log });
  const list = (name: string, { uris = [], templates = [], prompts = [] }: Listed): void => {
    const upstream = configs.find((candidate) => candidate.name === name);
    if (upstream === undefined) throw new Error(`no upstream ${name}`);
    const raw = {
      resources: uris.map((uri) => ({ uri, name: "r" })),
      templates: templates.map((uriTemplate) => ({ uriTemplate, name: "t" })),
      prompts: prompts.map((prompt) => ({ name: prompt })),
    };
    offers.replace(name, readOffers(upstream, raw, log));
  };
  const owner = (uri: string): string => {
    const route = offers.routeResource(uri);
    return route.kind === "found" ? route.upstream : route.kind;
  };
  return { offers, log, list, owner };
}

describe("a URI leads", () => {
  test("to the upstream that lists it, before any template, and else nowhere", () => {
    const { list, owner } = openOffers(config("one"), config("two"));
    list("one", { templates: ["memo://{id}"] });
    list("two", { uris: ["memo://1"] });
    expect(["memo://1", "memo://2", "memo://2/3", "other://1"].map(owner)).toEqual([
      "two",
      "one",
      "unknown",
      "unknown",
    ]);
  });

  test("to the first in the configuration, whichever came up first", () => {
    const { list, owner, offers } = openOffers(config("one"), config("two"));
    list("two", { uris: ["x://1"], templates: ["t://{a}"] });
    expect([owner("x://1"), owner("t://1")]).toEqual(["two", "two"]);
    list("one", { uris: ["x://1"], templates: ["t://{b}"] });
    expect([owner("x://1"), owner("t://1")]).toEqual(["one", "one"]);
    expect(offers.listResources()).toHaveLength(1);
  });

  test("by a template only if it can be read in one way; as listed, whatever it looks like", () => {
    const { list, owner } = openOffers(config("one"));
    list("one", { uris: ["file:///srv/../a"], templates: ["file:///srv/{+path}"] });
    expect(["file:///srv/../a", "file:///srv/../b", "file:///srv/b"].map(owner)).toEqual([
      "one",
      "ambiguous",
      "one",
    ]);
  });

  test("never to an upstream that may not answer for it", () => {
    const { list, owner, offers } = openOffers(config("one", { resources: ["a://*"] }));
    list("one", { uris: ["a://1", "b://1"], templates: ["{+any}"] });
    expect(["a://1", "a://2", "b://1", "b://2"].map(owner)).toEqual(["one", "one", "unknown", "unknown"]);
    expect(offers.listResources().map(({ uri }) => uri)).toEqual(["a://1"]);
  });
});

describe("what comes later", () => {
  test("does not take a URI, not even when its owner drops it", () => {
    const { list, owner, log } = openOffers(config("one"), config("two"));
    list("one", { uris: ["x://own"] });
    list("two", { uris: ["x://1"] });
    list("one", { uris: ["x://own", "x://1"] });
    expect(owner("x://1")).toBe("two");
    list("two", { uris: [] });
    expect(owner("x://1")).toBe("quarantined");
    list("one", { uris: ["x://own", "x://1"] });
    expect(owner("x://1")).toBe("quarantined");
    list("two", { uris: ["x://1"] });
    expect(owner("x://1")).toBe("two");
    expect(log.lines).toMatchObject([{ level: "warn", fields: { upstream: "one", quarantined: 1 } }]);
    expect(JSON.stringify(log.lines)).not.toContain("x://1");
  });

  test("does not take a URI out of another's template by listing it, nor by a template", () => {
    const { list, owner } = openOffers(config("one"), config("two"));
    list("one", {});
    list("two", { templates: ["memo://{id}"] });
    list("one", { uris: ["memo://1"], templates: ["memo://{any}"] });
    expect([owner("memo://1"), owner("memo://2")]).toEqual(["two", "two"]);
    list("two", {});
    expect([owner("memo://1"), owner("memo://2")]).toEqual(["quarantined", "one"]);
  });

  test("is free again once the upstream that came second does not list it any more", () => {
    const { list, owner } = openOffers(config("one"), config("two"));
    list("one", { uris: [] });
    list("two", { uris: ["x://1"] });
    list("one", { uris: ["x://1"] });
    list("two", { uris: [] });
    list("one", { uris: [] });
    expect(owner("x://1")).toBe("unknown");
  });

  test("does not take a prompt's name", () => {
    const { list, offers } = openOffers(config("one"), config("two"));
    list("one", {});
    list("two", { prompts: ["ask"] });
    list("one", { prompts: ["ask"] });
    expect(offers.findPrompt("ask")).toMatchObject({ upstream: "two" });
    list("two", {});
    expect(offers.findPrompt("ask")).toBe("quarantined");
    expect(offers.listPrompts()).toEqual([]);
  });
});

describe("another configuration", () => {
  test("settles whose a URI is that was quarantined", () => {
    const { list, owner, offers } = openOffers(config("one"), config("two"));
    list("one", {});
    list("two", { uris: ["x://1", "y://1"] });
    list("one", { uris: ["x://1"] });
    list("two", { uris: ["y://1"] });
    expect(owner("x://1")).toBe("quarantined");
    offers.configure([config("one"), config("two")]);
    expect(owner("x://1")).toBe("quarantined");
    offers.configure([config("one"), config("two", { resources: ["y://*"] })]);
    expect([owner("x://1"), owner("y://1")]).toEqual(["one", "two"]);
    offers.configure([config("one", { resources: [] }), config("two", { resources: ["y://*"] })]);
    expect([owner("x://1"), owner("y://1")]).toEqual(["unknown", "two"]);
  });

  test("takes away what a removed or moved upstream offered, and renames prompts", () => {
    const { list, owner, offers } = openOffers(config("one"), config("two"));
    list("one", { uris: ["x://1"], templates: ["t://{a}"], prompts: ["ask"] });
    list("two", { uris: ["y://1"], prompts: ["tell"] });
    offers.configure([{ ...config("one"), fingerprint: sha256("moved") }, config("two", { prefix: "p_" })]);
    expect([owner("x://1"), owner("t://1"), owner("y://1")]).toEqual(["unknown", "unknown", "two"]);
    expect(offers.listPrompts().map(({ exposedName }) => exposedName)).toEqual(["p_tell"]);
    offers.configure([]);
    expect([offers.listResources(), offers.listPrompts(), owner("y://1")]).toEqual([[], [], "unknown"]);
  });
});

describe("prompts", () => {
  test("carry the upstream's prefix, and the gateway's own name is its own", () => {
    const { list, offers } = openOffers(config("one", { prefix: "governance_" }));
    list("one", { prompts: ["protocol", "other"] });
    expect(offers.findPrompt("governance_protocol")).toBeUndefined();
    expect(offers.findPrompt("governance_other")).toMatchObject({ name: "other" });
    expect(offers.findPrompt("other")).toBeUndefined();
  });
});

describe("listing", () => {
  test("leaves out what is malformed or comes twice, and says how much", () => {
    const { list, offers, log } = openOffers(config("one"));
    list("one", { uris: ["x://1", "x://1", 7, "", `x://${"a".repeat(2_048)}`], templates: ["{", "t://{a}"] });
    expect(offers.listResources().map(({ uri }) => uri)).toEqual(["x://1"]);
    expect(offers.listTemplates().map(({ uriTemplate }) => uriTemplate)).toEqual(["t://{a}"]);
    expect(log.lines).toMatchObject([{ level: "warn", fields: { left_out: 5 } }]);
  });

  test("bounds the work that templates can make", () => {
    const { list, offers } = openOffers(config("one"));
    list("one", { templates: Array.from({ length: 100 }, (_, at) => `t${at}://${"a".repeat(1_000)}{x}`) });
    expect(offers.listTemplates().length).toBeLessThan(34);
  });

  test("tells of changes and only of changes", () => {
    const { list, offers } = openOffers(config("one"));
    const listener = vi.fn<(change: OffersChange) => void>();
    offers.onChange(listener);
    list("one", { uris: ["x://1"] });
    list("one", { uris: ["x://1"] });
    list("one", { uris: ["x://1"], prompts: ["ask"] });
    expect(listener.mock.calls).toEqual([
      [{ resources: true, prompts: false }],
      [{ resources: false, prompts: true }],
    ]);
  });
});
