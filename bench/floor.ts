// What no gateway can beat: a proxy, and a proxy that parses, matches a rule and writes one audit row.
// `node bench/floor.ts proxy|audit PORT UPSTREAM_PORT FILE`
import { createHash, randomUUID } from "node:crypto";
import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { DatabaseSync } from "node:sqlite";

const [, , kind = "proxy", port = "0", upstreamPort = "0", file = ":memory:"] = process.argv;
const agent = new Agent({ keepAlive: true, maxSockets: 128, timeout: 2_000 });
const rules = [/^delete_/, /^drop_/, /^transfer_/, /^echo$/];
const record = kind === "audit" ? audit() : () => undefined;

function audit(): (body: string, answer: string) => void {
  const db = new DatabaseSync(file);
  db.exec(
    "pragma journal_mode = wal; pragma synchronous = normal; create table audit (id text primary key, at, tool, hash, decision, result)",
  );
  const insert = db.prepare("insert into audit values (?, ?, ?, ?, ?, ?)");
  let previous = "";
  return (body, answer) => {
    const message: { method: string; params: { name: string } } = JSON.parse(body);
    if (message.method !== "tools/call") return;
    JSON.parse(answer);
    const { name } = message.params;
    previous = createHash("sha256").update(previous).update(body).digest("hex");
    const decision = rules.some((rule) => rule.test(name)) ? "allow" : "pass";
    insert.run(randomUUID(), Date.now(), name, previous, decision, answer);
  };
}

async function read(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

createServer((request, response) => {
  void (async () => {
    const body = await read(request);
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const options = { port: upstreamPort, path: "/mcp", method: request.method, headers, agent };
    httpRequest(options, resolve).once("error", reject).end(body);
    const upstream = await promise;
    const answer = await read(upstream);
    record(body, answer);
    const type = upstream.headers["content-type"];
    response
      .writeHead(upstream.statusCode ?? 502, type === undefined ? {} : { "content-type": type })
      .end(answer);
  })();
}).listen(Number(port), "127.0.0.1");
