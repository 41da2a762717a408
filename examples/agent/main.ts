/** A chat in the terminal with an agent whose tools are behind the gateway. See README.md beside this file. */
import { createInterface } from "node:readline/promises";
import { createMCPClient } from "@ai-sdk/mcp";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { type Chat, openChat } from "./chat.ts";
import { readSettings } from "./settings.ts";

/** The longest that `check_status` waits. */
const WAIT_SECONDS = 25;

const HELP =
  "/status asks about calls that wait, /wait waits up to 25 seconds for news, /quit ends. The calls go on without you.";

async function main(): Promise<void> {
  const { gateway, model } = readSettings(process.env);
  const headers = { authorization: `Bearer ${gateway.key}` };
  const client = await createMCPClient({
    clientName: "atlas-example-agent",
    transport: { type: "http", url: `${gateway.url}/mcp`, headers },
  }).catch((cause: unknown) => {
    throw new Error(
      `The gateway at ${gateway.url} does not let this agent in. Does it run, and is the key right?`,
      { cause },
    );
  });
  try {
    const provider = createOpenAICompatible({
      name: "chat",
      baseURL: model.url,
      ...(model.key !== undefined && { apiKey: model.key }),
    });
    const chat = await openChat({
      client,
      model: provider(model.name),
      tell: (sentence) => console.log(`  * ${sentence}`),
    });
    console.log(`${model.name}, with the tools of ${gateway.url}. ${HELP}`);
    await converse(chat);
  } finally {
    await client.close();
  }
}

async function converse(chat: Chat): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: "you> " });
  terminal.prompt();
  for await (const line of terminal) {
    const text = line.trim();
    if (text === "/quit") break;
    try {
      await answer(text, chat);
    } catch (error) {
      console.log(`  * ${error instanceof Error ? error.message : String(error)} Calls that wait are kept.`);
    }
    terminal.prompt();
  }
  terminal.close();
}

/** Between two turns it looks for news by itself. */
async function answer(text: string, chat: Chat): Promise<void> {
  for (const { ref, state, said } of await chat.lookUp(text === "/wait" ? WAIT_SECONDS : 0)) {
    console.log(`  * ${state} (Ref: ${ref})\nagent> ${said}`);
  }
  if (text === "/status" || text === "/wait") {
    const refs = chat.waiting();
    console.log(refs.length === 0 ? "  * Nothing waits." : `  * Waiting for a human: ${refs.join(", ")}`);
  } else if (text !== "") {
    console.log(`agent> ${await chat.say(text)}`);
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
