import { createMCPClient } from "@ai-sdk/mcp";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount } from "ai";
import type { Framework } from "./framework.ts";

export const aiSdk: Framework = {
  name: "Vercel AI SDK",
  async connect({ mcpUrl, headers, modelUrl }) {
    const client = await createMCPClient({ transport: { type: "http", url: mcpUrl.href, headers } });
    const model = createOpenAICompatible({ name: "scripted", baseURL: modelUrl })("scripted");
    const tools = await client.tools();
    return {
      say: async (prompt) => (await generateText({ model, tools, prompt, stopWhen: isStepCount(5) })).text,
      close: () => client.close(),
    };
  },
};
