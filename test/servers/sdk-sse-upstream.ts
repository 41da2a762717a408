import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { z } from "zod";

/** A server of the SDK's first version over its HTTP+SSE transport. */
export interface SdkSseUpstream {
  readonly url: string;
  /** Headers of each GET and POST so far. */
  readonly requests: readonly { readonly method: string; readonly headers: NodeJS.Dict<string | string[]> }[];
  close(): Promise<void>;
}

/** Tools: `connection` (who this connection is), `ask` (elicits a name from its client), `echo`. */
function createTools(): McpServer {
  const id = randomUUID();
  const server = new McpServer({ name: "sdk-sse", version: "1.0.0" });
  const text = (words: string) => ({ content: [{ type: "text" as const, text: words }] });
  server.registerTool("connection", {}, () => text(JSON.stringify({ id })));
  server.registerTool("echo", { inputSchema: { words: z.string() } }, ({ words }) => text(words));
  server.registerTool("ask", {}, async () => {
    const requestedSchema = { type: "object" as const, properties: { name: { type: "string" as const } } };
    return text(JSON.stringify(await server.server.elicitInput({ message: "Who?", requestedSchema })));
  });
  return server;
}

export async function startSdkSseUpstream(): Promise<SdkSseUpstream> {
  const transports = new Map<string, SSEServerTransport>();
  const requests: { method: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? "", headers: request.headers });
    const url = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "GET" && url.pathname === "/sse") {
      const transport = new SSEServerTransport("/messages", response);
      transports.set(transport.sessionId, transport);
      response.once("close", () => transports.delete(transport.sessionId));
      void createTools().connect(transport);
      return;
    }
    const transport = transports.get(url.searchParams.get("sessionId") ?? "");
    if (transport === undefined) response.writeHead(404).end();
    else void transport.handlePostMessage(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/sse`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
