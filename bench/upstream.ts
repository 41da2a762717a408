// The cheapest MCP server there can be, so that what stands in front of it shows. `node bench/upstream.ts PORT`
import { createServer } from "node:http";

const TOOLS = ["echo", "reviewed"].map((name) => ({
  name,
  description: "Echoes the message",
  inputSchema: { type: "object", properties: { message: { type: "string" } }, required: ["message"] },
}));

interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params: {
    readonly protocolVersion: string;
    readonly name: string;
    readonly arguments: { readonly message: string };
  };
}

function resultOf({ method, params }: Message): object | undefined {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: "echo", version: "1" },
      };
    case "tools/list":
      return { tools: TOOLS };
    case "tools/call":
      return { content: [{ type: "text", text: params.arguments.message }] };
    default:
      return undefined;
  }
}

/** @param onCall told of each tool call as it arrives */
export function startUpstream(port: number, onCall: (tool: string) => void = () => undefined) {
  const server = createServer((request, response) => {
    if (request.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      const message: Message = JSON.parse(body);
      if (message.method === "tools/call") onCall(message.params.name);
      if (message.id === undefined) {
        response.writeHead(202).end();
        return;
      }
      const result = resultOf(message);
      const error = { code: -32601, message: "Method not found" };
      const answer = { jsonrpc: "2.0", id: message.id, ...(result ? { result } : { error }) };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  server.listen(port, "127.0.0.1");
  return server;
}

if (import.meta.main) startUpstream(Number(process.argv[2]));
