/**
 * A welfare office's tool server, over stdio or, with `--http PORT`, over Streamable HTTP on 127.0.0.1.
 * Its records are in the SQLite file named by the first argument, by `WELFARE_DB`, or `welfare.db`.
 */
import { parseArgs } from "node:util";
import { serve } from "@hono/node-server";
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { openWelfareDatabase, type WelfareDatabase } from "./database.ts";
import { createWelfareServer } from "./tools.ts";

const { values, positionals } = parseArgs({
  options: { http: { type: "string" } },
  allowPositionals: true,
});
const database = openWelfareDatabase(positionals[0] ?? process.env["WELFARE_DB"] ?? "welfare.db");

if (values.http === undefined) serveStdio(() => createWelfareServer(database));
else serveHttp(database, Number(values.http));

/** @param port 0 for one of the system's choice; the URL is printed either way */
function serveHttp(database: WelfareDatabase, port: number): void {
  const handler = createMcpHandler(() => createWelfareServer(database));
  // A page in somebody's browser must not reach a server on their machine under a name of its own.
  const fetch = async (request: Request): Promise<Response> =>
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ?? (await handler.fetch(request));
  const server = serve({ fetch, port, hostname: "127.0.0.1" }, ({ port }) => {
    process.stdout.write(`http://127.0.0.1:${port}/mcp\n`);
  });
  const stop = (): void => {
    server.close(() => process.exit(0));
    if ("closeAllConnections" in server) server.closeAllConnections();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}
