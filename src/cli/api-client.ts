import { z } from "zod";
import { AtlasError } from "../domain/errors.ts";

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export interface ApiRequest {
  readonly url: string;
  readonly path: string;
  readonly token: string;
  /** Sent as a JSON POST when present; a text goes out as it is. */
  readonly body?: object | string;
}

/**
 * One request to a gateway's HTTP interface.
 *
 * @throws AtlasError `resource.conflict` with the gateway's own sentence when it refuses, `store.failed` when it cannot be reached
 */
export async function callApi(request: ApiRequest): Promise<unknown> {
  if (!/^[\x21-\x7e]+$/.test(request.token)) {
    throw new AtlasError(
      "auth.missing",
      "The token holds characters that no token has; copy it again, without spaces or line breaks.",
    );
  }
  let response: Response;
  try {
    response = await fetch(request.url + request.path, {
      method: request.body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${request.token}`, "content-type": "application/json" },
      ...(request.body !== undefined && {
        body: typeof request.body === "string" ? request.body : JSON.stringify(request.body),
      }),
    });
  } catch (error) {
    throw new AtlasError("store.failed", `No gateway answers at ${request.url}. Is it running?`, {
      cause: error,
    });
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body;
  const refusal = errorSchema.safeParse(body);
  const sentence = refusal.success
    ? `${refusal.data.error.message} [${refusal.data.error.code}]`
    : `HTTP ${response.status}`;
  throw new AtlasError("resource.conflict", `${request.path}: ${sentence}`);
}
