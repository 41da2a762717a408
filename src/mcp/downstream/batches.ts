import { AtlasError } from "../../domain/errors.ts";

/** Revision that took JSON-RPC batches out again; they came with the one before it. Revisions are dates, so they compare as texts. */
const NO_MORE_BATCHES = "2025-06-18";

/**
 * Why a body may not be answered as a batch; null when it may, or is none.
 *
 * @param versions revisions that the request and its session are of, as far as they say; clients did not before they had to
 */
export function batchProblem(
  body: unknown,
  versions: readonly (string | null | undefined)[],
): AtlasError | null {
  if (!Array.isArray(body)) return null;
  if (versions.some((version) => (version ?? "") >= NO_MORE_BATCHES))
    return invalid(`Revision ${NO_MORE_BATCHES} and later have no batches; send each message by itself.`);
  if (body.length === 0) return invalid("The batch is empty.");
  const initializes = body.some((message: unknown) => methodOf(message) === "initialize");
  return initializes ? invalid("initialize may not be part of a batch; send it by itself.") : null;
}

function methodOf(message: unknown): unknown {
  return typeof message === "object" && message !== null ? Reflect.get(message, "method") : undefined;
}

function invalid(message: string): AtlasError {
  return new AtlasError("request.invalid", message);
}
