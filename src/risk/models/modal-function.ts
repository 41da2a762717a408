import { AsyncLocalStorage } from "node:async_hooks";
import type { Function_, ModalClient } from "modal-labs";
import { AtlasError, fail, ok } from "../../domain/errors.ts";
import { type ModalFunctionName, parseModalName } from "./modal-name.ts";
import { alpaca } from "./prompt.ts";
import { MAX_ANSWER_TOKENS, type Provider, type ProviderFailure } from "./provider.ts";

export interface ModalFunctionParams {
  /** See {@link parseModalName}. */
  readonly name: string;
  readonly tokenId: string;
  readonly tokenSecret: string;
}

type ClientParams = NonNullable<ConstructorParameters<typeof ModalClient>[0]>;
type Middleware = NonNullable<ClientParams["grpcMiddleware"]>[number];

/** One question on its way through the client, which has no signal and no deadline of its own. */
interface Question {
  readonly signal: AbortSignal;
  /** Set once Modal has taken the input. */
  functionCallId?: string;
}

const questions = new AsyncLocalStorage<Question>();

/** Time to tell Modal that an answer is not needed any more. */
const CANCEL_WITHIN_MS = 5_000;

/**
 * A deployed Modal function or class method, by the official client.
 *
 * @throws AtlasError `config.invalid` when the name cannot be read, or the installed package is not Modal's client
 */
export async function createModalFunction(params: ModalFunctionParams): Promise<Provider> {
  const name = parseModalName(params.name);
  if (name === null)
    throw new AtlasError(
      "config.invalid",
      `${params.name} is no name of a Modal function; write workspace/App/function.`,
    );
  const client = await openClient(params);
  let found: Promise<Function_> | undefined;
  const lookUp = () => {
    found ??= find(client, name).catch((error: unknown) => {
      // The next question looks again: a deployment may have come in between.
      found = undefined;
      throw error;
    });
    return found;
  };
  return {
    id: `modal:${params.name}`,
    render: alpaca,
    ask(prompt, signal) {
      const question: Question = { signal };
      return questions.run(question, async () => {
        try {
          const fn = await lookUp();
          return ok(
            await fn.remote([], { prompt: alpaca(prompt), max_tokens: MAX_ANSWER_TOKENS, temperature: 0 }),
          );
        } catch (error) {
          if (signal.aborted) cancel(client, question);
          return fail(explain(error, name));
        }
      });
    },
  };
}

/** The one place where the package is loaded: it is optional, and another package has its name on the registry. */
async function openClient({ tokenId, tokenSecret }: ModalFunctionParams): Promise<ModalClient> {
  const loaded: { ModalClient?: typeof ModalClient } = await import("modal-labs").catch(() => ({}));
  if (typeof loaded.ModalClient !== "function")
    throw new AtlasError(
      "config.invalid",
      "Modal's client is not installed; run npm install modal-labs@npm:modal@0.11.1, not npm install modal.",
    );
  const client = new loaded.ModalClient({
    tokenId,
    tokenSecret,
    grpcMiddleware: [withSignal],
    maxThrottleWaitSecs: 0,
  });
  if (typeof client.version() !== "string")
    throw new AtlasError("config.invalid", "The package modal-labs is not Modal's client.");
  return client;
}

/**
 * Outermost of the client's middleware. Gives each request the question's signal, takes the client's own
 * retries away, and refuses its requests to run a failed input again: one question is one run.
 */
const withSignal: Middleware = async function* withSignal(call, options) {
  const question = questions.getStore();
  if (/\/(?:FunctionRetryInputs|AttemptRetry)$/u.test(call.method.path))
    throw new Error("The run failed inside Modal.");
  const once = { ...options, retries: 0, ...(question !== undefined && { signal: question.signal }) };
  const response = yield* call.next(call.request, once);
  const { functionCallId } = Object(response);
  if (question !== undefined && typeof functionCallId === "string" && functionCallId !== "")
    question.functionCallId = functionCallId;
  return response;
};

async function find(client: ModalClient, name: ModalFunctionName): Promise<Function_> {
  const params = name.environment === null ? {} : { environment: name.environment };
  const [first = "", method] = name.function.split(".", 2);
  if (method === undefined) return client.functions.fromName(name.app, first, params);
  const cls = await client.cls.fromName(name.app, first, params);
  return (await cls.instance()).method(method);
}

/** Tells Modal that nobody waits any more, so that a GPU does not work for nothing. Best effort. */
function cancel(client: ModalClient, { functionCallId }: Question): void {
  if (functionCallId === undefined) return;
  void questions
    .run({ signal: AbortSignal.timeout(CANCEL_WITHIN_MS) }, async () => {
      const running = await client.functionCalls.fromId(functionCallId);
      await running.cancel();
    })
    .catch(() => undefined);
}

/** By the error's name: its text may hold what the function printed, and so the call. */
function explain(error: unknown, { app, function: fn }: ModalFunctionName): ProviderFailure {
  const name = error instanceof Error ? error.name : "";
  const text = error instanceof Error ? error.message : "";
  const what = `Modal function ${fn} of app ${app}`;
  if (name === "NotFoundError")
    return {
      cause: "misconfigured",
      detail: `There is no ${what} in the token's workspace; name it as workspace/App/function.`,
    };
  if (/UNAUTHENTICATED|PERMISSION_DENIED|credentials/u.test(text))
    return {
      cause: "misconfigured",
      detail: "Modal does not accept the token; check MODAL_TOKEN_ID and MODAL_TOKEN_SECRET.",
    };
  if (/Modal Python SDK|PICKLE|pickle/u.test(text))
    return {
      cause: "misconfigured",
      detail: `The ${what} must be deployed again with Modal's Python SDK 1.2 or later.`,
    };
  if (/webhook Function/u.test(text))
    return { cause: "misconfigured", detail: `The ${what} is a web endpoint; configure its url.` };
  if (name === "RemoteError" || name === "FunctionTimeoutError" || name === "InternalFailure")
    return { cause: "refused", detail: `The ${what} failed.` };
  return { cause: "unreachable", detail: "Modal could not be reached." };
}
