import { type AtlasError, ERRORS } from "../../domain/errors.ts";

/** A refusal before any message was dispatched: HTTP status for the client's transport, JSON-RPC error for its reader. */
export function rpcErrorResponse(
  error: AtlasError,
  headers: { readonly [name: string]: string } = {},
): Response {
  const { httpStatus, jsonRpcCode } = ERRORS[error.code];
  return Response.json(
    {
      jsonrpc: "2.0",
      id: null,
      error: { code: jsonRpcCode, message: error.message, data: { code: error.code } },
    },
    { status: httpStatus, headers },
  );
}
