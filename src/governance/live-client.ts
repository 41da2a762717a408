/** A request or notification that an upstream has for a client, as the upstream wrote it. */
export interface ClientMessage {
  readonly method: string;
  readonly params?: { readonly [key: string]: unknown };
}

/** What the client said to a request of an upstream. */
export type ClientReply =
  | { readonly kind: "result"; readonly result: { readonly [key: string]: unknown } }
  | {
      readonly kind: "error";
      readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
    };

/**
 * The client behind a live call, as far as an upstream with connections of its own for each session may know and ask it.
 * What it answers is input for the tool, and never an approval.
 */
export interface LiveClient {
  /** Names its session; null when it has none, and each of its calls is then a session of its own. */
  readonly session: string | null;
  /** What it declared of itself. */
  readonly capabilities: { readonly [key: string]: unknown };
  /** How a question reaches it: as a request on its session, or as the result of its call, which it then sends again with the answer. */
  readonly asked: "by_request" | "by_result";
  /** Passes a request on and waits for the reply, at most until the signal aborts. Never throws. */
  ask(request: ClientMessage, signal: AbortSignal): Promise<ClientReply>;
  /** Passes a notification on, if the client can hear it now. Never throws. */
  tell(notification: ClientMessage): void;
}

/** Whose live call it is, for the choice of the connection that carries it. */
export interface LiveCaller {
  /** The agent's session, or one that lasts as long as the call. */
  readonly session: string;
  /** null: nobody can be asked. */
  readonly client: LiveClient | null;
}
