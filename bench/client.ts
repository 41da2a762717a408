import { Agent, request as httpRequest } from "node:http";

/** A minimal MCP client, hand-written: the cost of a full one would hide what is measured. */
export interface BenchClient {
  open(): Promise<void>;
  call(message: string, tool?: string): Promise<string>;
  close(): void;
}

/** @param key agent's key; null for servers that ask for none */
export function createClient(url: string, key: string | null): BenchClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 128, timeout: 2_000 });
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(key !== null && { authorization: `Bearer ${key}` }),
  };
  let next = 1;

  function post(message: object): Promise<{ readonly text: string; readonly session: string | undefined }> {
    const { promise, resolve, reject } = Promise.withResolvers<{
      text: string;
      session: string | undefined;
    }>();
    const request = httpRequest(url, { method: "POST", headers, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.on("end", () => {
        const session = response.headers["mcp-session-id"];
        if ((response.statusCode ?? 500) < 400) resolve({ text, session: session?.toString() });
        else reject(new Error(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`));
      });
    });
    request.once("error", reject);
    request.end(JSON.stringify({ jsonrpc: "2.0", ...message }));
    return promise;
  }

  return {
    open: async () => {
      const protocolVersion = "2025-06-18";
      const params = { protocolVersion, capabilities: {}, clientInfo: { name: "bench", version: "1" } };
      const { session } = await post({ id: 0, method: "initialize", params });
      if (session !== undefined) headers["mcp-session-id"] = session;
      headers["mcp-protocol-version"] = protocolVersion;
      await post({ method: "notifications/initialized" });
    },
    call: async (message, tool = "echo") => {
      const params = { name: tool, arguments: { message } };
      const { text } = await post({ id: next++, method: "tools/call", params });
      if (tool === "echo" && !text.includes(message)) throw new Error(`wrong answer: ${text.slice(0, 200)}`);
      return text;
    },
    close: () => agent.destroy(),
  };
}
