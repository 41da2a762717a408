import { readFileSync } from "node:fs";

export interface Settings {
  readonly gateway: { readonly url: string; readonly key: string };
  /** A server that speaks `/v1/chat/completions`. */
  readonly model: { readonly name: string; readonly url: string; readonly key: string | undefined };
}

const FIRST_CREDENTIALS = ".atlas/first-credentials.json";

/**
 * What the environment says: OpenAI where there is `OPENAI_API_KEY`, else Ollama on this machine.
 *
 * @throws Error with a sentence when there is no key for the gateway
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const openAiKey = env["OPENAI_API_KEY"] || undefined;
  const defaults =
    openAiKey === undefined
      ? { name: "llama3.2", url: "http://127.0.0.1:11434/v1" }
      : { name: "gpt-4.1-mini", url: "https://api.openai.com/v1" };
  return {
    gateway: {
      url: (env["ATLAS_URL"] || "http://127.0.0.1:8000").replace(/\/$/u, ""),
      key: env["ATLAS_API_KEY"] || firstAgentKey(),
    },
    model: {
      name: env["AGENT_MODEL"] || defaults.name,
      url: env["AGENT_MODEL_URL"] || defaults.url,
      key: openAiKey,
    },
  };
}

/** The key of a gateway that was first started in this folder. */
function firstAgentKey(): string {
  try {
    const credentials: { agent: { key: string } } = JSON.parse(readFileSync(FIRST_CREDENTIALS, "utf8"));
    return credentials.agent.key;
  } catch (cause) {
    throw new Error(
      `No key for the gateway: set ATLAS_API_KEY to the agent's key, or start the gateway here, which writes ${FIRST_CREDENTIALS}.`,
      { cause },
    );
  }
}
