import { askByHttp } from "./http-question.ts";
import { alpaca } from "./prompt.ts";
import { MAX_ANSWER_TOKENS, type Provider } from "./provider.ts";

export interface ModalWebParams {
  /** Address of the web endpoint. */
  readonly url: string;
  /** Proxy-auth token of the workspace (`wk-…`, `ws-…`); null for an endpoint without. */
  readonly proxyAuth: { readonly key: string; readonly secret: string } | null;
}

/** A Modal function that is published as a web endpoint (modal.com/docs/guide/webhook-proxy-auth). */
export function createModalWeb({ url, proxyAuth }: ModalWebParams): Provider {
  const headers: Record<string, string> =
    proxyAuth === null ? {} : { "Modal-Key": proxyAuth.key, "Modal-Secret": proxyAuth.secret };
  return {
    id: `modal-web:${new URL(url).hostname}`,
    render: alpaca,
    ask: (prompt, signal) =>
      askByHttp(
        { url, headers, body: { prompt: alpaca(prompt), max_tokens: MAX_ANSWER_TOKENS, temperature: 0 } },
        signal,
      ),
  };
}
