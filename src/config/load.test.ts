import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { env, folder, load, SECRET } from "./config.testing.ts";
import { loadConfig } from "./load.ts";

describe("loadConfig", () => {
  it("gives the defaults without a file", () => {
    const config = loadConfig({ path: null, env: {}, dataDir: ".atlas" });
    expect(config).toMatchObject({
      listen: { host: "127.0.0.1", port: 8000 },
      dataDir: join(process.cwd(), ".atlas"),
      upstreams: [],
      policy: {
        rules: [
          { id: "default", upstream: "*", tool: "*", agent: "*", verdict: "assess" },
          { id: "default-resources", upstream: "*", resource: "*", agent: "*", verdict: "allow" },
          { id: "default-prompts", upstream: "*", prompt: "*", agent: "*", verdict: "allow" },
        ],
      },
      risk: { threshold: 70 },
      review: { deadlineMs: 86_400_000, runWithinMs: 86_400_000 },
      hold: { callMs: 10_000 },
      notify: { webhook: null },
      singleOperator: false,
    });
  });

  it("gives the same for an empty file", () => {
    expect(load("# nothing yet\n")).toEqual(loadConfig({ path: null, env: {}, dataDir: ".atlas" }));
  });

  it("names the data folder to the file", () => {
    const config = load('upstreams: { a: { command: x, env: { DB: "${ATLAS_DATA}/a.db" } } }', {
      dataDir: "/srv/atlas",
    });
    expect(config.upstreams[0]).toMatchObject({ env: { DB: "/srv/atlas/a.db" } });
  });

  it("normalises everything a file can say", () => {
    const config = load(
      `
listen: { host: 0.0.0.0, port: "\${PORT}" }
upstreams:
  welfare:
    command: node
    args: [server.ts, "$\${literal}"]
    env: { DB: "db-\${SECRET}" }
    safe_to_repeat: [check_payment_status]
    call_deadline: 500ms
    trusted: \${SWITCH}
  tools:
    url: https://tools.example.org/mcp
    headers: { authorization: "Bearer \${SECRET}" }
    transport: sse
    isolation: session
    prefix: ""
    connect_deadline: 5m
policy:
  - { tool: "get_*", verdict: allow }
  - { id: rest, verdict: assess }
risk: { threshold: 60 }
review: { deadline: 7d, run_within: 2h, undo_within: 5s, take_for: 1h }
hold: { call: 0s }
notify: { webhook: { url: https://hooks.example.org/x, secret: "\${WEBHOOK}" } }
retention: { payloads: forever, results: 2d }
portals: { desk: { secret: "\${WEBHOOK}", reviewers: { "s.miller@example.org": sarah } } }
single_operator: true
`,
      { dataDir: "/srv/atlas" },
    );
    const hidden: { upstreams: object[]; policy: object } = JSON.parse(
      JSON.stringify(config).replaceAll(folder, "/etc/atlas"),
    );
    for (const upstream of hidden.upstreams) Object.assign(upstream, { fingerprint: "…" });
    Object.assign(hidden.policy, { version: "…" });
    expect(hidden).toMatchInlineSnapshot(`
      {
        "agents": {
          "issuers": [],
        },
        "dataDir": "/srv/atlas",
        "database": {
          "kind": "sqlite",
        },
        "engine": {
          "kind": "embedded",
        },
        "hold": {
          "callMs": 0,
        },
        "listen": {
          "allowedHosts": [],
          "host": "0.0.0.0",
          "port": 9000,
          "trustedProxies": [],
        },
        "maxResultBytes": 10485760,
        "metrics": {
          "token": null,
        },
        "notify": {
          "webhook": {
            "consoleUrl": "http://0.0.0.0:9000/console",
            "secret": "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
            "url": "https://hooks.example.org/x",
          },
        },
        "observe": false,
        "policy": {
          "rules": [
            {
              "agent": "*",
              "id": "rule-1",
              "observe": false,
              "tool": "get_*",
              "upstream": "*",
              "verdict": "allow",
            },
            {
              "agent": "*",
              "id": "rest",
              "observe": false,
              "tool": "*",
              "upstream": "*",
              "verdict": "assess",
            },
          ],
          "version": "…",
        },
        "portals": [
          {
            "name": "desk",
            "reviewers": {
              "s.miller@example.org": "sarah",
            },
            "secret": "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
          },
        ],
        "publicPath": "",
        "publicUrl": null,
        "retention": {
          "resultsMs": 172800000,
          "textsMs": null,
        },
        "review": {
          "deadlineMs": 604800000,
          "runWithinMs": 7200000,
          "takeForMs": 3600000,
          "undoWithinMs": 5000,
        },
        "risk": {
          "insideDomains": [],
          "model": null,
          "moneyFloor": null,
          "packs": [
            "welfare",
          ],
          "threshold": 60,
        },
        "singleOperator": true,
        "upstreams": [
          {
            "args": [
              "server.ts",
              "\${literal}",
            ],
            "callDeadlineMs": 500,
            "command": "node",
            "connectDeadlineMs": 10000,
            "cwd": "/etc/atlas",
            "env": {
              "DB": "db-hunter2-do-not-print",
            },
            "fingerprint": "…",
            "firstSight": "accept",
            "isolation": "agent",
            "kind": "stdio",
            "name": "welfare",
            "observe": false,
            "prefix": "welfare_",
            "resources": [
              "*",
            ],
            "safeToRepeat": [
              "check_payment_status",
            ],
            "trusted": true,
          },
          {
            "callDeadlineMs": 60000,
            "connectDeadlineMs": 300000,
            "fingerprint": "…",
            "firstSight": "accept",
            "headers": {
              "authorization": "Bearer hunter2-do-not-print",
            },
            "isolation": "session",
            "kind": "http",
            "name": "tools",
            "observe": false,
            "prefix": "",
            "resources": [
              "*",
            ],
            "safeToRepeat": [],
            "transport": "sse",
            "trusted": false,
            "url": "https://tools.example.org/mcp",
          },
        ],
      }
    `);
  });

  it("freezes all of it", () => {
    const config = load("upstreams: { a: { command: x, args: [y] } }");
    const parts = [
      config,
      config.listen,
      config.upstreams,
      config.upstreams[0],
      config.policy.rules,
      config.policy.rules[0],
    ];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });

  it("lets overrides win", () => {
    const config = load("listen: { port: 1 }", { overrides: { port: 0, host: "::1" } });
    expect(config).toMatchObject({ listen: { host: "::1", port: 0 } });
    expect(() => load("", { overrides: { port: 70_000 } })).toThrow("--port: this is no port");
  });

  it("never reads structure out of a value", () => {
    const config = load('upstreams: { a: { command: "${STRUCTURE}" } }');
    expect(config.upstreams[0]).toMatchObject({ command: env.STRUCTURE, trusted: false });
  });

  it("does not resolve what a reference gave", () => {
    const config = load('upstreams: { a: { command: "${OUTER}" } }', { env: { OUTER: "${SECRET}", SECRET } });
    expect(config.upstreams[0]).toMatchObject({ command: "${SECRET}" });
  });

  it("reads a file reference relative to the file, without its last newline", () => {
    writeFileSync(join(folder, "token"), `${SECRET}\n`);
    const config = load(
      "upstreams: { a: { url: 'https://x.example/mcp', headers: { a: '${file:token}' } } }",
    );
    expect(config.upstreams[0]).toMatchObject({ headers: { a: SECRET } });
  });

  it.each([
    ["a file that is too large", Buffer.alloc(64 * 1024 + 1, "x"), "is larger than 64 KiB"],
    ["a file that is no text", Buffer.from([0xff, 0xfe, 0x00]), "is not text in UTF-8"],
  ])("refuses %s as a value", (_what, bytes, problem) => {
    writeFileSync(join(folder, "blob"), bytes);
    expect(() => load("upstreams: { a: { command: '${file:blob}' } }")).toThrow(`the file blob ${problem}`);
  });

  describe("fingerprint of an upstream", () => {
    const print = (text: string, variables = env) =>
      load(`upstreams: { a: { ${text} } }`, { env: variables }).upstreams[0]?.fingerprint;

    it("stays when secrets rotate", () => {
      const rotated = { ...env, SECRET: "new" };
      expect(print("command: x, env: { A: '${SECRET}' }", rotated)).toBe(
        print("command: x, env: { A: '${SECRET}' }"),
      );
      const http = "url: 'https://x.example/mcp', headers: { a: '${SECRET}' }";
      expect(print(http, rotated)).toBe(print(http));
    });

    it.each(["command: y", "command: x, args: [a]", "command: x, cwd: sub", "url: 'https://x.example/mcp'"])(
      "differs for %s",
      (text) => {
        expect(print(text)).not.toBe(print("command: x"));
      },
    );
  });
});
