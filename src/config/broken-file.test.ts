import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AtlasError } from "../domain/errors.ts";
import { folder, load, path, SECRET } from "./config.testing.ts";
import { loadConfig } from "./load.ts";

function messageOf(text: string): string {
  try {
    load(text);
  } catch (error) {
    if (!(error instanceof AtlasError) || error.code !== "config.invalid") throw error;
    return error.message.replaceAll(path, "atlas.yaml").replaceAll(folder, ".");
  }
  throw new Error("the file was accepted");
}

describe("what loadConfig says of a broken file", () => {
  it.each([
    ["lisen: { port: 1 }", "atlas.yaml:1:1 lisen: this key is not known; did you mean `listen`?"],
    [
      "xyzzyx: 1",
      "atlas.yaml:1:1 xyzzyx: this key is not known; use one of public_url, listen, agents, engine, inngest, database, upstreams, policy, risk, review, hold, notify, max_result, retention, metrics, portals, mode, single_operator",
    ],
    [
      "upstreams:\n  a:\n    command: x\n    callDeadline: 1s",
      "atlas.yaml:4:5 upstreams.a.callDeadline: this key is not known; did you mean `call_deadline`?",
    ],
    [
      "policy:\n  - { tol: x, verdict: allow }",
      "atlas.yaml:2:7 policy[0].tol: this key is not known; did you mean `tool`?",
    ],
    [
      "notify: { webhook: { uri: x } }",
      "atlas.yaml:1:11 notify.webhook.url: it is missing; write a text\natlas.yaml:1:11 notify.webhook.secret: it is missing; write a text\natlas.yaml:1:22 notify.webhook.uri: this key is not known; did you mean `url`?",
    ],
    ["listen: { port: 70000 }", "atlas.yaml:1:11 listen.port: the number is too large; write 65535 or less"],
    ["listen: { port: -1 }", "atlas.yaml:1:11 listen.port: the number is too small; write 0 or more"],
    ["listen: { port: 1.5 }", "atlas.yaml:1:11 listen.port: this is a fraction; write a whole number"],
    ["listen: { port: abc }", "atlas.yaml:1:11 listen.port: this is a text; write a number"],
    ["listen: 8000", "atlas.yaml:1:1 listen: this is a number; write a group of keys"],
    ["listen: { host: 5 }", "atlas.yaml:1:11 listen.host: this is a number; write a text, in quotes"],
    ["listen: { host: }", "atlas.yaml:1:11 listen.host: it has no value; write a text or leave the key out"],
    ["single_operator: yes please", "atlas.yaml:1:1 single_operator: this is a text; write true or false"],
    ["policy: allow", "atlas.yaml:1:1 policy: this is a text; write a list"],
    [
      "policy:\n  - { verdict: permit }",
      "atlas.yaml:2:7 policy[0].verdict: this value is not known; write one of allow, deny, assess, review",
    ],
    [
      "policy:\n  - { tool: x, resource: y, verdict: deny }",
      "atlas.yaml:2:16 policy[0].resource: a rule speaks of `tool`, `resource` or `prompt`; write one rule for each",
    ],
    [
      "policy:\n  - { tool: x }",
      "atlas.yaml:2:5 policy[0].verdict: it is missing; write one of allow, deny, assess, review",
    ],
    [
      "policy:\n  - { id: a, verdict: deny }\n  - { id: a, verdict: deny }",
      "atlas.yaml:3:7 policy[1].id: an earlier rule has this id; choose another",
    ],
    [
      "review: { deadline: 1 day }",
      "atlas.yaml:1:11 review.deadline: this is no duration; write a whole number and a unit: 500ms, 10s, 5m, 24h or 7d",
    ],
    [
      "review: { deadline: 0s }",
      "atlas.yaml:1:11 review.deadline: the duration is out of range; use 1s to 365d",
    ],
    [
      "review: { run_within: 10s, undo_within: 10s }",
      "atlas.yaml:1:28 review.undo_within: the time to undo is not shorter than `run_within`, so nothing could ever run; shorten it",
    ],
    [
      "upstreams: { a: {} }",
      "atlas.yaml:1:14 upstreams.a: it says neither how to start nor where to find the server; add `command` or `url`",
    ],
    [
      "upstreams: { a: { command: x, url: 'http://x' } }",
      "atlas.yaml:1:31 upstreams.a.url: an upstream has either `command` or `url`; remove one of them",
    ],
    [
      "upstreams: { a: { command: x, headers: { a: b } } }",
      "atlas.yaml:1:31 upstreams.a.headers: headers need a `url`; use `env` to give a command its secrets",
    ],
    [
      "upstreams: { a: { url: 'http://x', args: [a] } }",
      "atlas.yaml:1:36 upstreams.a.args: `args` needs a `command`; remove it",
    ],
    [
      "upstreams: { a: { url: 'ftp://x' } }",
      "atlas.yaml:1:19 upstreams.a.url: the URL is neither http nor https; use https://",
    ],
    [
      "upstreams: { a: { url: '/mcp' } }",
      "atlas.yaml:1:19 upstreams.a.url: this is no absolute URL; write one such as https://tools.example.org/mcp",
    ],
    [
      `upstreams: { a: { url: 'https://u:${SECRET}@x/' } }`,
      "atlas.yaml:1:19 upstreams.a.url: the URL holds credentials; put them into headers as ${VARIABLE}",
    ],
    [
      "upstreams: { 'a b': { command: x } }",
      "atlas.yaml:1:14 upstreams.a b: this name is not allowed; use letters, digits and `_` (and `-` where it names an upstream or header)",
    ],
    [
      "upstreams: { a: { command: '' } }",
      "atlas.yaml:1:19 upstreams.a.command: it is empty; write a value or leave the key out",
    ],
    [
      "upstreams: { a: { command: '${NOPE}' } }",
      "atlas.yaml:1:19 upstreams.a.command: the environment variable NOPE is not set; set it before the start",
    ],
    [
      "upstreams: { a: { command: x, args: [y, '${NOPE}'] } }",
      "atlas.yaml:1:41 upstreams.a.args[1]: the environment variable NOPE is not set; set it before the start",
    ],
    [
      "listen: { host: '${file:none}' }",
      "atlas.yaml:1:11 listen.host: the file none cannot be read (ENOENT); check its path and permissions",
    ],
    [
      "listen: { host: '${NOT-A-NAME}' }",
      "atlas.yaml:1:11 listen.host: a reference is malformed; write ${NAME} or ${file:/path}, and $${ for a literal ${",
    ],
    [
      "notify: { webhook: { url: 'https://x', secret: '${SECRET}' } }",
      "atlas.yaml:1:40 notify.webhook.secret: this is no webhook secret; write whsec_ and 24 to 64 random bytes as base64",
    ],
    ["risk: {}\nrisk: {}", "atlas.yaml:2:1: this key is given twice; keep one of them"],
    [
      "risk: [a",
      "atlas.yaml:1:9: the indentation does not fit, or a bracket before it is not closed; align it with its neighbours",
    ],
    ["- a", "atlas.yaml:1:1: this is a list; write a group of keys"],
    ["1: a", "atlas.yaml:1:1: a key here is not a text; put it in quotes"],
  ])("%j", (text, expected) => {
    expect(messageOf(text)).toBe(expected);
  });

  it("names a file that does not exist", () => {
    expect(() => loadConfig({ path: join(folder, "none.yaml"), env: {}, dataDir: ".atlas" })).toThrow(
      "the file cannot be read (ENOENT); check its path and permissions",
    );
  });

  it.each([
    "listen: { port: '${SECRET}' }",
    "single_operator: '${SECRET}'",
    "review: { deadline: '${SECRET}' }",
    "policy: [{ verdict: '${SECRET}' }]",
    "policy: [{ verdict: deny, id: '${SECRET} x' }]",
    "upstreams: { a: { url: '${SECRET}' } }",
    "upstreams: { a: { url: 'https://x', headers: { a: \"${SECRET}\\n\" } } }",
    "upstreams: { a: '${SECRET}' }",
    `upstreams: { a: { url: https://x, headers: { a: "${SECRET} } }`,
    `host: "${SECRET}" ${SECRET}`,
    `host: *${SECRET}`,
    `host: !${SECRET} x`,
  ])("never prints a secret: %s", (text) => {
    expect(messageOf(text)).not.toContain(SECRET);
  });
});
