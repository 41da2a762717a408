import { fail, type Result } from "../../domain/errors.ts";
import type { ProviderFailure } from "./provider.ts";

/** Whether a signal aborted because time was up, and not because somebody broke off. */
export function isTimeout(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof Error && signal.reason.name === "TimeoutError";
}

/** The answer, or the failure that the signal means: a provider that does not let go holds nobody. Never throws. */
export async function unlessAborted<Value>(
  signal: AbortSignal,
  answer: Promise<Result<Value, ProviderFailure>>,
): Promise<Result<Value, ProviderFailure>> {
  const ended = Promise.withResolvers<undefined>();
  const end = () => ended.resolve(undefined);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  try {
    const given = await Promise.race([answer, ended.promise]);
    return given === undefined || signal.aborted ? fail(abortedBy(signal)) : given;
  } catch {
    return fail({ cause: "unreachable", detail: "The model could not be asked." });
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function abortedBy(signal: AbortSignal): ProviderFailure {
  return isTimeout(signal)
    ? { cause: "timeout", detail: "The model did not answer before the deadline." }
    : { cause: "stopped", detail: "The question was broken off." };
}
