import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { CaseState } from "../domain/case.ts";
import { AtlasError, type AtlasErrorCode, ERRORS } from "../domain/errors.ts";
import type { ReasonId } from "../domain/reasons.ts";
import type { Log } from "../telemetry/log.ts";
import type { ErrorBody } from "./contract.ts";

/** Reasons that refuse a request of a person, and the status each has. */
export const REASON_STATUS = {
  "review.not_open": 409,
  "review.stale_digest": 409,
  "review.not_entitled": 403,
  "review.taken": 409,
  "review.edit_invalid": 400,
  "review.edit_denied": 409,
  "case.unknown": 404,
} as const satisfies Partial<Record<ReasonId, ContentfulStatusCode>>;

export type RefusalCode = AtlasErrorCode | keyof typeof REASON_STATUS;

function errorStatus(code: AtlasErrorCode): ContentfulStatusCode {
  return ERRORS[code].httpStatus;
}

function isReason(code: RefusalCode): code is keyof typeof REASON_STATUS {
  return code in REASON_STATUS;
}

export interface Refusal {
  readonly code: RefusalCode;
  /** A sentence for people: what happened, to what, what to do. Never quotes the request. */
  readonly message: string;
  /** The state that stands, when the case is not in the one the request needs. */
  readonly state?: CaseState;
  /** Who has the case, and until when, when that is what refuses the request. */
  readonly taken?: { readonly by: string; readonly until: string };
  /** For a source that asks too often: when to come back, whole seconds. */
  readonly retryAfterS?: number;
}

/** Context variable with the code of a refusal, for the access log. */
export const REASON_OF_ANSWER = "reasonOfAnswer";

/** The answer to a request that is refused; the only place where codes become HTTP. */
export function refuse(c: Context, refusal: Refusal): Response {
  const status = statusOf(refusal);
  c.set(REASON_OF_ANSWER, refusal.code);
  c.header("cache-control", "no-store");
  if (status === 401) c.header("www-authenticate", 'Bearer realm="atlas"');
  if (refusal.retryAfterS !== undefined) c.header("retry-after", String(refusal.retryAfterS));
  const body: ErrorBody = {
    error: {
      code: refusal.code,
      message: refusal.message,
      ...(refusal.state === undefined ? {} : { state: refusal.state }),
      ...(refusal.taken && { taken_by: refusal.taken.by, taken_until: refusal.taken.until }),
    },
  };
  return c.json(body, status);
}

function statusOf(refusal: Refusal): ContentfulStatusCode {
  if (refusal.retryAfterS !== undefined) return 429;
  const { code } = refusal;
  return isReason(code) ? REASON_STATUS[code] : errorStatus(code);
}

/** A refusal that a deeper function raises because only it knows the reason. */
export class RefusalError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = "RefusalError";
    this.refusal = refusal;
  }
}

/** The answer to a request that threw. What went wrong inside stays inside, and in the log. */
export function errorResponse(c: Context, error: unknown, log: Log): Response {
  if (error instanceof RefusalError) return refuse(c, error.refusal);
  const known = error instanceof AtlasError ? error : undefined;
  if (known !== undefined && ERRORS[known.code].httpStatus < 500) {
    return refuse(c, { code: known.code, message: known.message });
  }
  log.error({ error, method: c.req.method, path: c.req.path }, "A request failed.");
  if (known === undefined || known.code === "internal") {
    const message =
      "The gateway failed to answer this request. Its log says why; nothing more is known here.";
    return refuse(c, { code: "internal", message });
  }
  return refuse(c, { code: known.code, message: known.message });
}
