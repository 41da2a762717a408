import { z } from "zod";

/** Upstreams; part of the contract of `contract.ts`. */

export const upstreamSchema = z.object({
  name: z.string(),
  transport: z.enum(["stdio", "streamable", "sse"]),
  /** Whose live calls share a connection. */
  isolation: z.enum(["shared", "agent", "session"]),
  status: z.enum(["connecting", "up", "down"]),
  /** Since when the status is what it is. */
  since: z.iso.datetime(),
  /** Why it is down. */
  reason: z.string().nullable(),
  /** Agreed with the upstream; null before the first connection. */
  protocol_version: z.string().nullable(),
  /** Tools as last listed; they stay while it is down. */
  tools: z.int(),
  /** Of these, held for their name until an admin has looked at them. */
  quarantined: z.int(),
});

export const upstreamListSchema = z.object({ upstreams: z.array(upstreamSchema) });
export type UpstreamListBody = z.infer<typeof upstreamListSchema>;
