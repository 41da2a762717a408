/** What can be said of an upstream without asking it. */
export interface UpstreamHealth {
  readonly upstream: string;
  readonly transport: "stdio" | "streamable" | "sse";
  /** Whose live calls share a connection. */
  readonly isolation: "shared" | "agent" | "session";
  readonly status: "connecting" | "up" | "down";
  /** Since when the status is what it is; epoch milliseconds. */
  readonly sinceMs: number;
  readonly tools: number;
  /** Tools that an admin must look at before they are like others: held for their name. */
  readonly quarantined: number;
  /** Agreed with the upstream; null before the first connection. */
  readonly protocolVersion: string | null;
  /** Why it is down, without anything secret. */
  readonly reason: string | null;
}
