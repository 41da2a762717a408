import { fail, ok, type Result } from "../../domain/errors.ts";
import { MAX_ANSWER_BYTES, type ProviderFailure } from "./provider.ts";

export interface HttpQuestion {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** Puts one question by HTTP POST, once, and reads the JSON of its answer. Never throws. */
export async function askByHttp(
  { url, headers, body }: HttpQuestion,
  signal: AbortSignal,
): Promise<Result<unknown, ProviderFailure>> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/json",
        accept: "application/json",
        "user-agent": "atlas-gateway",
      },
      body: JSON.stringify(body),
      // A redirect would carry the call, and the key, to somebody the operator did not name.
      redirect: "error",
      signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      return fail(ofStatus(response.status));
    }
    const text = await readCapped(response);
    if (text === null) return fail({ cause: "malformed", detail: "The model's answer is too long." });
    return parse(text);
  } catch {
    // The error's text may hold the address, and the address a secret.
    return fail({ cause: "unreachable", detail: "The model could not be reached, or broke off its answer." });
  }
}

function ofStatus(status: number): ProviderFailure {
  const misconfigured = status === 401 || status === 403 || status === 404;
  return {
    cause: misconfigured ? "misconfigured" : "refused",
    detail: `The model's server answered HTTP ${status}.`,
  };
}

async function readCapped(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): Result<unknown, ProviderFailure> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return fail({ cause: "malformed", detail: "The model's server did not answer with JSON." });
  }
}
