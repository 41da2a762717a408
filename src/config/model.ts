import type { ModelConfig } from "./config.ts";
import { parseDuration } from "./duration.ts";
import type { Environment } from "./references.ts";
import type { ModelFile } from "./risk-schema.ts";

const DEFAULT_FUNCTION = "nislam-mics/ATLAS-NIST-Measure";
const OPENAI = "https://api.openai.com/v1";
const LOCAL_OLLAMA = "http://127.0.0.1:11434/v1";

/** The model of the file, with what the environment says where the file is silent; a text says what is missing. */
export function normaliseModel(file: ModelFile, env: Environment): ModelConfig | string {
  const limits = {
    form: file.answer,
    deadlineMs: parseDuration(file.deadline) ?? Number.NaN,
    perMinute: file.per_minute,
  };
  if (file.kind !== "modal") {
    const baseUrl = file.base_url ?? (file.kind === "openai" ? OPENAI : LOCAL_OLLAMA);
    // The key of the environment is OpenAI's: no other server is shown it.
    const isOpenAi = new URL(baseUrl).hostname === new URL(OPENAI).hostname;
    const apiKey = file.api_key ?? (isOpenAi ? given(env, "OPENAI_API_KEY") : undefined);
    if (isOpenAi && apiKey === undefined) return "OpenAI needs a key; set OPENAI_API_KEY, or write `api_key`";
    return { kind: file.kind, baseUrl, model: file.model ?? "", apiKey: apiKey ?? null, ...limits };
  }
  if (file.url !== undefined) {
    const { proxy_key: key, proxy_secret: secret } = file;
    const proxyAuth = key === undefined || secret === undefined ? null : { key, secret };
    return { kind: "modal-web", url: file.url, proxyAuth, ...limits };
  }
  const tokenId = file.token_id ?? given(env, "MODAL_TOKEN_ID");
  const tokenSecret = file.token_secret ?? given(env, "MODAL_TOKEN_SECRET");
  if (tokenId === undefined || tokenSecret === undefined)
    return "Modal needs a token; set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, or write `token_id` and `token_secret`";
  const name = file.function ?? given(env, "MODAL_FUNCTION_NAME") ?? DEFAULT_FUNCTION;
  return { kind: "modal", name, tokenId, tokenSecret, ...limits };
}

/** A variable that is set and not empty: `.env` files name what they do not set. */
function given(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
