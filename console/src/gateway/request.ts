import type { ErrorBody } from "../../../src/http/contract.ts";
import { setGatewayClock } from "./clock.ts";

/** What the gateway refused, with its code and the state that stands. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, error: ErrorBody["error"] | undefined) {
    super(error?.message ?? `The gateway answered with status ${status}.`);
    this.status = status;
    this.code = error?.code ?? "";
  }
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof Refused && error.status === 401;
}

export interface RequestParams {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1/`. */
  readonly path: string;
  /** As JSON. */
  readonly body?: object;
  /** JSON text instead of `body`, for what must not be written anew. */
  readonly text?: string;
  readonly signal?: AbortSignal;
}

/**
 * One request to the API, relative to the page, so that it works under every path prefix.
 *
 * @returns the answer; its shape is the contract's, which the gateway keeps: page and API come from the same build
 * @throws Refused, or an Error when the gateway cannot be reached
 */
export async function request<Answer>(params: RequestParams): Promise<Answer> {
  const text = params.text ?? (params.body === undefined ? undefined : JSON.stringify(params.body));
  const response = await send(params, text);
  const answer = response.status === 204 ? null : await readJson(response);
  if (!response.ok) throw new Refused(response.status, (answer as ErrorBody | null)?.error);
  if (isTimed(answer)) setGatewayClock(answer.now);
  return answer as Answer;
}

async function send(
  { method = "GET", path, signal }: RequestParams,
  text: string | undefined,
): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json", "x-atlas-csrf": "1" };
  if (text !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(`../api/v1/${path}`, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(text !== undefined && { body: text }),
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new Error(
      "The gateway cannot be reached. Nothing was sent, or its answer was lost: look again before you repeat it.",
      { cause: error },
    );
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null; // A proxy's page, not an answer of the gateway; its status says enough.
  }
}

function isTimed(answer: unknown): answer is { readonly now: string } {
  return typeof answer === "object" && answer !== null && "now" in answer && typeof answer.now === "string";
}
