/**
 * Errors are broken promises; ordinary answers are values. Each code has one HTTP status and one
 * JSON-RPC code, mapped in exactly two places (`http/error-response.ts`, `mcp/downstream/error-response.ts`).
 */
export const ERRORS = {
  "config.invalid": { httpStatus: 500, jsonRpcCode: -32603, retry: false },
  "data.locked": { httpStatus: 503, jsonRpcCode: -32603, retry: false },
  "store.failed": { httpStatus: 503, jsonRpcCode: -32603, retry: true },
  "ledger.broken": { httpStatus: 503, jsonRpcCode: -32603, retry: false },
  "request.invalid": { httpStatus: 400, jsonRpcCode: -32600, retry: false },
  "request.too_large": { httpStatus: 413, jsonRpcCode: -32600, retry: false },
  "request.unsupported_media_type": { httpStatus: 415, jsonRpcCode: -32600, retry: false },
  "request.forbidden_host": { httpStatus: 403, jsonRpcCode: -32600, retry: false },
  "auth.missing": { httpStatus: 401, jsonRpcCode: -32001, retry: false },
  "auth.wrong_principal": { httpStatus: 403, jsonRpcCode: -32001, retry: false },
  "auth.insufficient_scope": { httpStatus: 403, jsonRpcCode: -32001, retry: false },
  "auth.unavailable": { httpStatus: 503, jsonRpcCode: -32603, retry: true },
  "resource.not_found": { httpStatus: 404, jsonRpcCode: -32602, retry: false },
  "resource.conflict": { httpStatus: 409, jsonRpcCode: -32600, retry: false },
  "upstream.unreachable": { httpStatus: 502, jsonRpcCode: -32603, retry: true },
  "gateway.stopping": { httpStatus: 503, jsonRpcCode: -32603, retry: true },
  internal: { httpStatus: 500, jsonRpcCode: -32603, retry: true },
} as const satisfies Record<string, { httpStatus: number; jsonRpcCode: number; retry: boolean }>;

export type AtlasErrorCode = keyof typeof ERRORS;

/** The one error class. `message` is for people and safe to show; what must stay private goes into `cause`. */
export class AtlasError extends Error {
  readonly code: AtlasErrorCode;

  constructor(code: AtlasErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AtlasError";
    this.code = code;
  }
}

/** An ordinary answer that may be a refusal. */
export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure };

export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function fail<Failure>(failure: Failure): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure };
}
