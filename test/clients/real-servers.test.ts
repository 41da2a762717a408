import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { approve, refIn, type ToolResult, words } from "../scenario/agent.ts";
import { eventually } from "../scenario/eventually.ts";
import { openScenario, type Scenario } from "../scenario/gateway.ts";
import { connectBridge, connectSdk, SDK_CLIENTS, type SdkAgent } from "./sdk-agent.ts";

const ROOT = join(import.meta.dirname, "../..");
const PACKAGES = join(ROOT, "node_modules");
const ORDER_DESK = join(ROOT, "examples/fastmcp/server.ts");

let gateway: Scenario;
let orderDesk: ChildProcess;

beforeAll(async () => {
  const port = await freePort();
  let folder = "";
  gateway = await openScenario({
    yaml: (made) => {
      folder = made;
      prepare(folder);
      orderDesk = spawn(process.execPath, [ORDER_DESK, join(folder, "web-orders.json"), "--http", `${port}`]);
      return yaml(folder, port);
    },
  });
  await allListed();
});
afterAll(async () => {
  await gateway.close();
  orderDesk.kill();
  await once(orderDesk, "exit");
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A child process takes its time to start, and the first list comes without those that are late. */
async function allListed(): Promise<void> {
  const agent = await connectSdk(SDK_CLIENTS[0], gateway.url, gateway.agentKey);
  await eventually(async () => {
    const names = (await agent.listTools()).map((tool) => tool.name);
    for (const { upstream } of SERVERS)
      expect(names.some((name) => name.startsWith(`${upstream}_`))).toBe(true);
  });
  await agent.close();
}

function prepare(folder: string): void {
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files", "notes.txt"), "opening hours: 9 to 5\n");
  const entities = CLIENTS.map(({ id }) => ({
    type: "entity",
    name: id,
    entityType: "client",
    observations: [],
  }));
  writeFileSync(join(folder, "memory.jsonl"), entities.map((entity) => JSON.stringify(entity)).join("\n"));
  const database = new DatabaseSync(join(folder, "books.db"));
  database.exec("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT)");
  database.exec("INSERT INTO books (title) VALUES ('Emma')");
  database.close();
}

function yaml(folder: string, port: number): string {
  const run = (args: readonly string[], env = {}) => JSON.stringify({ command: process.execPath, args, env });
  const server = (name: string) => join(PACKAGES, "@modelcontextprotocol", name, "dist/index.js");
  return `
upstreams:
  files: ${run([server("server-filesystem"), join(folder, "files")])}
  memory: ${run([server("server-memory")], { MEMORY_FILE_PATH: join(folder, "memory.jsonl") })}
  books: ${run([join(PACKAGES, "mcp-sqlite/mcp-sqlite-server.js"), join(folder, "books.db")])}
  orders: ${run([ORDER_DESK, join(folder, "orders.json")])}
  web: ${JSON.stringify({ url: `http://127.0.0.1:${port}/mcp` })}
`;
}

/** One harmless and one weighty call of a server, and how its world shows that the weighty one ran. */
interface RealServer {
  readonly what: string;
  readonly upstream: string;
  readonly harmless: () => readonly [tool: string, args: Record<string, unknown>];
  readonly answer: string;
  /** @param mark belongs to one client only */
  readonly weighty: (mark: string) => readonly [tool: string, args: Record<string, unknown>];
  /** All that the weighty call could change. */
  readonly world: () => unknown;
}

const SERVERS: readonly RealServer[] = [
  {
    what: "server-filesystem",
    upstream: "files",
    harmless: () => ["files_read_text_file", { path: join(gateway.folder, "files", "notes.txt") }],
    answer: "opening hours: 9 to 5",
    weighty: (mark) => ["files_write_file", { path: join(gateway.folder, "files", mark), content: mark }],
    world: () => readdirSync(join(gateway.folder, "files")),
  },
  {
    what: "server-memory",
    upstream: "memory",
    harmless: () => ["memory_search_nodes", { query: "nobody" }],
    answer: '"entities": []',
    weighty: (mark) => ["memory_delete_entities", { entityNames: [mark] }],
    world: () => readWorld("memory.jsonl"),
  },
  {
    what: "mcp-sqlite, which annotates nothing",
    upstream: "books",
    harmless: () => ["books_query", { sql: "SELECT title FROM books" }],
    answer: "Emma",
    weighty: (mark) => ["books_query", { sql: `CREATE TABLE "${mark}" (id INTEGER)` }],
    world: tables,
  },
  {
    what: "a server written with fastmcp, over stdio",
    upstream: "orders",
    harmless: () => ["orders_get_order", { order: "ORD-1001" }],
    answer: "Ada Quist",
    weighty: (mark) => ["orders_refund_order", { order: "ORD-1001", amount_eur: 10, reason: mark }],
    world: () => readWorld("orders.json"),
  },
  {
    what: "a server written with fastmcp, over Streamable HTTP",
    upstream: "web",
    harmless: () => ["web_get_order", { order: "ORD-1002" }],
    answer: "Ben Rao",
    weighty: (mark) => ["web_refund_order", { order: "ORD-1002", amount_eur: 1, reason: mark }],
    world: () => readWorld("web-orders.json"),
  },
];

function tables(): readonly unknown[] {
  const database = new DatabaseSync(join(gateway.folder, "books.db"), { readOnly: true });
  try {
    return database
      .prepare("SELECT name FROM sqlite_master")
      .all()
      .map((row) => row["name"]);
  } finally {
    database.close();
  }
}

function readWorld(file: string): string {
  return readFileSync(join(gateway.folder, file), "utf8");
}

const CLIENTS = [
  ...SDK_CLIENTS.map((client) => ({
    client: client.client,
    id: `${client.sdk}-${client.wire}-${client.mode}`,
    connect: (key: string) => connectSdk(client, gateway.url, key),
  })),
  {
    client: "SDK v2 over the stdio bridge",
    id: "bridge",
    connect: (key: string) => connectBridge(gateway.url, key),
  },
];

describe.each(CLIENTS)("$client", ({ id, connect }) => {
  let agent: SdkAgent;

  beforeAll(async () => {
    agent = await connect(await gateway.addAgent(id));
  });
  afterAll(() => agent.close());

  test.each(SERVERS)("$what: a harmless call is answered at once", async ({ harmless, answer }) => {
    const result = await agent.call(...harmless());
    expect(result.isError, words(result)).not.toBe(true);
    expect(words(result)).toContain(answer);
  });

  test.each(SERVERS)(
    "$what: a weighty call runs only when a person approved",
    async ({ harmless, weighty, world }) => {
      await agent.call(...harmless());
      const before = world();
      const ref = refIn(await agent.call(...weighty(id)));
      expect(world()).toEqual(before);
      await approve(gateway, ref);
      const ended = await endOf(agent, ref);
      expect(words(ended)).toContain(`SUCCEEDED (Ref: ${ref})`);
      expect(world()).not.toEqual(before);
    },
  );
});

async function endOf(agent: SdkAgent, ref: string): Promise<ToolResult> {
  let status: ToolResult = {};
  await eventually(async () => {
    status = await agent.call("check_status", { ref, wait_seconds: 10 });
    expect(words(status)).not.toContain("AUTHORIZED");
    expect(words(status)).not.toContain("EXECUTING");
  });
  return status;
}
