import { describe, expect, test, vi } from "vitest";
import { createRecordingLog } from "../../../test/servers/upstream-bench.ts";
import type { UpstreamConfig } from "../../config/config.ts";
import { sha256, toolPin } from "../../domain/digest.ts";
import { createCatalog, pinTools } from "./catalog.ts";

const config = (name: string, prefix = ""): UpstreamConfig => ({
  kind: "http",
  name,
  prefix,
  resources: ["*"],
  url: "http://127.0.0.1:1/",
  headers: {},
  callDeadlineMs: 1,
  connectDeadlineMs: 1,
  trusted: false,
  observe: false,
  isolation: "shared",
  transport: "streamable",
  safeToRepeat: ["read"],
  firstSight: "accept",
  fingerprint: sha256(name),
});

const definition = (name: string, more: object = {}) => ({ name, inputSchema: { type: "object" }, ...more });

describe("pinTools", () => {
  test("pins raw definitions, unknown members included", () => {
    const log = createRecordingLog();
    const plain = definition("a");
    const vendor = definition("a", { "x-vendor": 1 });
    expect(pinTools("u", [plain], log)[0]?.pin).toBe(toolPin(plain));
    expect(pinTools("u", [vendor], log)[0]?.pin).not.toBe(toolPin(plain));
  });

  test("leaves out what cannot be pinned or is listed twice, with a warning", () => {
    const log = createRecordingLog();
    const listed = [
      definition("bad", { description: "\ud800" }),
      { name: "x" },
      7,
      definition("a"),
      definition("a", { v: 2 }),
    ];
    expect(pinTools("u", listed, log).map((tool) => tool.pin)).toEqual([toolPin(definition("a"))]);
    expect(log.lines.map((line) => line.level)).toEqual(["warn", "warn", "warn", "warn"]);
  });
});

describe("createCatalog", () => {
  test("gives a name to the first upstream in the configuration, whichever came up first", () => {
    const log = createRecordingLog();
    const catalog = createCatalog({ upstreams: [config("one"), config("two")], log });
    catalog.replace("two", pinTools("two", [definition("same"), definition("own")], log));
    expect(catalog.find("same")?.upstream).toBe("two");
    catalog.replace("one", pinTools("one", [definition("same")], log));
    expect(catalog.find("same")?.upstream).toBe("one");
    expect(catalog.list().map((tool) => `${tool.upstream}/${tool.name}`)).toEqual(["one/same", "two/own"]);
    expect(catalog.toolsOf("two").map((tool) => tool.name)).toEqual(["same", "own"]);
    expect(log.lines).toEqual([
      expect.objectContaining({ level: "warn", fields: { upstream: "two", tool: "same", problem: "taken" } }),
    ]);
  });

  test("a name stays with the tool that the store says has had it for longer, whatever the configuration's order", () => {
    const log = createRecordingLog();
    const catalog = createCatalog({ upstreams: [config("one"), config("two")], log });
    catalog.replace("two", pinTools("two", [definition("same")], log));
    catalog.replace("one", pinTools("one", [definition("same"), definition("own")], log), new Set(["same"]));
    expect(catalog.find("same")?.upstream).toBe("two");
    expect(catalog.find("own")?.upstream).toBe("one");
    expect(log.lines.map((line) => line.fields["problem"])).toEqual(["taken"]);
  });

  test("never exposes a name with characters that are not seen", () => {
    const log = createRecordingLog();
    const catalog = createCatalog({ upstreams: [config("one")], log });
    const names = ["re\u200bad", "re\u202ead", "re\nad", "read"];
    catalog.replace(
      "one",
      pinTools(
        "one",
        names.map((name) => definition(name)),
        log,
      ),
    );
    expect(catalog.list().map((tool) => tool.name)).toEqual(["read"]);
  });

  test("keeps the gateway's own names, and warns of long ones", () => {
    const log = createRecordingLog();
    const catalog = createCatalog({ upstreams: [config("one", "check_")], log });
    const long = "x".repeat(60);
    catalog.replace(
      "one",
      pinTools("one", [definition("status"), definition(long), definition("read")], log),
    );
    expect(catalog.find("check_status")).toBeUndefined();
    expect(catalog.find(`check_${long}`)).toBeDefined();
    expect(catalog.find("check_read")).toMatchObject({ name: "read", safeToRepeat: true });
    expect(log.lines.map((line) => line.fields["problem"])).toEqual(["reserved", "long"]);
  });

  test("tells of changes and only of changes", () => {
    const log = createRecordingLog();
    const catalog = createCatalog({ upstreams: [config("one")], log });
    const listener = vi.fn<() => void>();
    const stop = catalog.onChange(listener);
    catalog.replace("one", pinTools("one", [definition("a")], log));
    catalog.replace("one", pinTools("one", [definition("a")], log));
    expect(listener).toHaveBeenCalledTimes(1);
    catalog.replace("one", pinTools("one", [definition("a", { v: 2 })], log));
    expect(listener).toHaveBeenCalledTimes(2);
    stop();
    catalog.replace("one", []);
    expect(listener).toHaveBeenCalledTimes(2);
  });
});
