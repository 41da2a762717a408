import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import type { Framework } from "./framework.ts";

export const langChain: Framework = {
  name: "LangChain.js MCP adapters",
  async connect({ mcpUrl, headers, modelUrl }) {
    const client = new MultiServerMCPClient({
      mcpServers: { atlas: { transport: "http", url: mcpUrl.href, headers } },
    });
    const model = new ChatOpenAI({
      model: "scripted",
      apiKey: "scripted",
      configuration: { baseURL: modelUrl },
    });
    const agent = createAgent({ model, tools: await client.getTools() });
    return {
      say: async (content) => {
        const { messages } = await agent.invoke({ messages: [{ role: "user", content }] });
        return String(messages.at(-1)?.text);
      },
      close: () => client.close(),
    };
  },
};
