import { Agent } from "@mastra/core/agent";
import { MCPClient } from "@mastra/mcp";
import type { Framework } from "./framework.ts";

export const mastra: Framework = {
  name: "Mastra",
  async connect({ mcpUrl, headers, modelUrl }) {
    const client = new MCPClient({ servers: { atlas: { url: mcpUrl, requestInit: { headers } } } });
    const agent = new Agent({
      id: "clerk",
      name: "clerk",
      instructions: "You are a clerk.",
      model: { id: "custom/scripted", url: modelUrl, apiKey: "scripted" },
      tools: await client.listTools(),
    });
    return {
      say: async (text) => (await agent.generate(text)).text,
      close: () => client.disconnect(),
    };
  },
};
