import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readEnvFile } from "../../src/setup/env-file.ts";
import { BIN, type InitFolder, openInitFolder } from "./init-folder.ts";

let place: InitFolder;
let folder: string;
let home: string;
const init: InitFolder["init"] = (args, how) => place.init(args, how);
const read: InitFolder["read"] = (name) => place.read(name);

beforeEach(() => {
  place = openInitFolder();
  ({ folder, home } = place);
});
afterEach(() => place.close());

describe("atlas init --no-start", () => {
  test("asks nothing with --yes, and a second time writes the same bytes", async () => {
    const first = await init(["--yes", "--no-start"]);
    expect(first).toMatchObject({ code: 0, err: "" });
    const files = () =>
      readdirSync(folder)
        .filter((name) => name !== "home")
        .map((name) => [name, read(name)]);
    const before = files();
    expect(before.map(([name]) => name)).toEqual([".gitignore", "atlas.yaml"]);
    expect(read("atlas.yaml")).toContain("welfare:");
    expect((await init(["--yes", "--no-start"])).code).toBe(0);
    expect(files()).toEqual(before);
  });

  test("writes what was piped in, shows no secret, and proposes it the next time", async () => {
    const answers = [
      "modal",
      "",
      "ak-token-id",
      "as-token-secret",
      "",
      "",
      "crm=https://crm.example.org/mcp",
      "notes=node 'my notes.js' --all",
      "",
      "none",
      "8123",
    ];
    const done = await init(["--no-start"], { input: `${answers.join("\n")}\n` });
    expect(done).toMatchObject({ code: 0, err: "" });
    expect(done.out).not.toMatch(/ak-token-id|as-token-secret/);
    expect(statSync(join(folder, ".env")).mode & 0o777).toBe(0o600);
    expect(read(".gitignore")).toBe(".env\n");
    expect(readEnvFile(join(folder, ".env"))).toEqual({
      MODAL_FUNCTION_NAME: "nislam-mics/ATLAS-NIST-Measure",
      MODAL_TOKEN_ID: "ak-token-id",
      MODAL_TOKEN_SECRET: "as-token-secret",
    });
    const written = read("atlas.yaml");
    expect(written).toContain("kind: modal");
    expect(written).toContain("- my notes.js");
    expect(written).toContain("port: 8123");
    expect(written).not.toContain("token-secret");
    const env = read(".env");
    const again = await init(["--no-start"]);
    expect(again).toMatchObject({ code: 0, err: "" });
    expect(again.out).toContain("Modal token secret (as-…) [kept]:");
    expect([read("atlas.yaml"), read(".env")]).toEqual([written, env]);
  });

  test("keeps what is there, and says what to change where it is told otherwise", async () => {
    writeFileSync(
      join(folder, "atlas.yaml"),
      "# mine\nupstreams: {} # none yet\nrisk:\n  model: { kind: ollama, model: mine }\n",
    );
    writeFileSync(join(folder, ".env"), "# keep\nMODAL_TOKEN_ID=ak-old-one\nOTHER=1\n");
    const done = await init([
      "--yes",
      "--no-start",
      "--judge",
      "modal",
      "--modal-token-secret",
      "as-new-one",
    ]);
    expect(done.code).toBe(0);
    expect(done.err).toMatch(
      /^note: atlas.yaml says something else under `risk.model`.*write there: \{"kind":"modal"\}$/m,
    );
    expect(read("atlas.yaml")).toContain("# mine");
    expect(read("atlas.yaml")).toContain("{ kind: ollama, model: mine }");
    expect(read(".env")).toContain("# keep\nMODAL_TOKEN_ID=ak-old-one\nOTHER=1\n");
    expect(read(".env")).toContain("MODAL_TOKEN_SECRET=as-new-one");
  });

  test("keeps Inngest's keys and the database's address in .env, and says in atlas.yaml what drives the cases", async () => {
    const secrets = {
      INNGEST_EVENT_KEY: "event-MARKER",
      INNGEST_SIGNING_KEY: `signkey-test-${"ab".repeat(16)}`,
      ATLAS_DATABASE_URL: "postgres://u:MARKER@db.example.org/atlas",
    };
    const done = await init(["--yes", "--no-start"], { env: secrets });
    expect(done.code).toBe(0);
    expect(done.out + done.err + read("atlas.yaml")).not.toContain("MARKER");
    expect(read("atlas.yaml")).toContain("\nengine: inngest\n");
    expect(readEnvFile(join(folder, ".env"))).toEqual(secrets);
  });

  test("takes answers from flags before variables, and variables before questions", async () => {
    const env = {
      ATLAS_JUDGE: "ollama",
      ATLAS_MODEL: "from-variable",
      ATLAS_MODEL_URL: "http://127.0.0.1:9/v1",
      ATLAS_UPSTREAMS: "a=https://a.example.org/mcp; b=https://b.example.org/mcp",
    };
    const done = await init(["--yes", "--no-start", "--model", "from-flag"], { env });
    expect(done.code).toBe(0);
    expect(read("atlas.yaml")).toContain("model: from-flag");
    expect(read("atlas.yaml")).toMatch(/a:\n +url: https:\/\/a.example.org\/mcp\n +b:/);
  });

  test.each([
    [
      ["--judge", "openai", "--openai-key", "MARKER"],
      "--openai-key: This is no OpenAI key: one begins with sk-; make one at",
    ],
    [
      ["--judge", "modal"],
      "MODAL_TOKEN_ID (or --modal-token-id): This is no Modal token id: one begins with ak-;",
    ],
    [
      ["--upstream", "x=no-such-program --MARKER"],
      "The tool server x starts with no-such-program, which is not there or may not be run; install it",
    ],
    [
      ["--upstream", "MARKER"],
      "A tool server is written as name=command with its arguments, or name=https://host/mcp",
    ],
    [["--port", "99999"], "--port: A port is a number from 1 to 65535."],
    [
      ["--inngest-event-key", "evt", "--inngest-signing-key", "MARKER"],
      "--inngest-signing-key: This is no Inngest signing key",
    ],
    [["--database-url", "mysql://MARKER"], "--database-url: This is no Postgres URL"],
    [["--clients", "emacs"], "There is no client emacs; write all, none, or some of claude-desktop"],
  ])("refuses %j with a sentence, and changes nothing", async (args, sentence) => {
    const done = await init(["--yes", "--no-start", ...args]);
    expect(done.code).toBe(1);
    expect(done.err).toContain(sentence);
    expect(done.out + done.err).not.toContain("MARKER");
    expect(readdirSync(folder)).toEqual(["home"]);
  });
});

describe("clients", () => {
  const cursor = () => join(home, ".cursor/mcp.json");
  const JSONC = `{
  // by hand
  "mcpServers": {
    "crm": { "url": "https://crm.example.org/mcp", "headers": { "authorization": "Bearer MARKER" } }, // sales
    "lib": { "command": "node", "args": ["lib.js", "--token", "MARKER"], "env": { "KEY": "MARKER", "LEVEL": "\${env:LEVEL}" } },
    "gone": { "command": "no-such-program" }
  }
}
`;

  beforeEach(() => {
    mkdirSync(join(home, ".cursor"));
    writeFileSync(cursor(), JSONC);
    writeFileSync(
      join(home, ".claude.json"),
      JSON.stringify({ projects: { [folder]: { mcpServers: { lib2: { command: "node" } } } } }),
    );
  });

  test("are left alone unless they are chosen", async () => {
    const done = await init(["--no-start"]);
    expect(done.out).toContain("mcp.json: crm, lib, gone");
    expect(done.out).not.toContain("MARKER");
    expect(readFileSync(cursor(), "utf8")).toBe(JSONC);
  });

  test("get the gateway in the place of their servers, secrets go to .env, and one undo gives all back", async () => {
    const done = await init(["--yes", "--no-start", "--clients", "all"], { env: { LEVEL: "1" } });
    expect(done.code).toBe(0);
    expect(done.err).toMatch(/gone stays in .*mcp\.json: The tool server gone starts with no-such-program/);
    expect(done.out + done.err + read("atlas.yaml")).not.toContain("MARKER");
    expect(readEnvFile(join(folder, ".env"))).toEqual({
      MCP_CRM_AUTHORIZATION: "Bearer MARKER",
      MCP_LIB_ARG_3: "MARKER",
      MCP_LIB_KEY: "MARKER",
    });
    expect(read("atlas.yaml")).toContain("authorization: ${MCP_CRM_AUTHORIZATION}");
    expect(read("atlas.yaml")).toContain("LEVEL: ${LEVEL}");
    expect(read("atlas.yaml")).not.toContain("welfare");
    const { mcpServers } = JSON.parse(readFileSync(cursor(), "utf8").replace("// by hand", ""));
    expect(Object.keys(mcpServers)).toEqual(["gone", "atlas"]);
    expect(mcpServers.atlas.args).toEqual([
      BIN,
      "stdio",
      "--config",
      join(folder, "atlas.yaml"),
      "--data",
      join(folder, ".atlas"),
    ]);
    expect(readFileSync(join(home, ".claude.json"), "utf8")).toContain('"atlas"');

    const files = [read("atlas.yaml"), read(".env"), readFileSync(cursor(), "utf8")];
    expect((await init(["--yes", "--no-start", "--clients", "all"], { env: { LEVEL: "1" } })).code).toBe(0);
    expect([read("atlas.yaml"), read(".env"), readFileSync(cursor(), "utf8")]).toEqual(files);

    const undone = await init(["--undo"]);
    expect(undone).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(cursor(), "utf8")).toBe(JSONC);
    expect(readFileSync(join(home, ".claude.json"), "utf8")).not.toContain('"atlas"');
    expect(readdirSync(join(home, ".cursor"))).toEqual(["mcp.json"]);
  });
});
