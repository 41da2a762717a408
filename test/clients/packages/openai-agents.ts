import {
  Agent,
  MCPServerStreamableHttp,
  OpenAIChatCompletionsModel,
  run,
  setTracingDisabled,
} from "@openai/agents";
import { OpenAI } from "openai";
import type { Framework } from "./framework.ts";

export const openAiAgents: Framework = {
  name: "OpenAI Agents SDK",
  async connect({ mcpUrl, headers, modelUrl }) {
    setTracingDisabled(true);
    const server = new MCPServerStreamableHttp({ name: "atlas", url: mcpUrl.href, requestInit: { headers } });
    await server.connect();
    const client = new OpenAI({ baseURL: modelUrl, apiKey: "scripted" });
    const agent = new Agent({
      name: "clerk",
      model: new OpenAIChatCompletionsModel(client, "scripted"),
      mcpServers: [server],
    });
    return {
      say: async (text) => String((await run(agent, text)).finalOutput),
      close: () => server.close(),
    };
  },
};
