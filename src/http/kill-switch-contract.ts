import { z } from "zod";
import { KILL_SWITCH_SCOPES } from "../domain/kill-switch.ts";
import { MAX_REASON_LENGTH } from "./contract.ts";

/** Kill switches; part of the contract of `contract.ts`. */

const scope = z.enum(KILL_SWITCH_SCOPES, `must be one of ${KILL_SWITCH_SCOPES.join(", ")}`);

/** The same for engaging and releasing: what is meant, and why. */
export const killSwitchRequestSchema = z.strictObject({
  scope,
  /** Name of the upstream or agent, or `upstream/tool`; not given for `all`. */
  target: z.string().min(1, "must not be empty").max(400, "must have at most 400 characters").optional(),
  reason: z
    .string()
    .trim()
    .min(1, "must say why")
    .max(MAX_REASON_LENGTH, `must have at most ${MAX_REASON_LENGTH} characters`),
});

export const killSwitchSchema = z.object({
  scope,
  /** `*` for all. */
  target: z.string(),
  /** null: from the machine's own command line. */
  engaged_by: z.string().nullable(),
  engaged_at: z.iso.datetime(),
  reason: z.string(),
});

export const killSwitchListSchema = z.object({
  /** What is stopped now; empty when nothing is. */
  kill_switches: z.array(killSwitchSchema),
  /** Whether the person who asks may engage and release. */
  may_change: z.boolean(),
});
export type KillSwitchListBody = z.infer<typeof killSwitchListSchema>;

/** Data of a `kill_switches` event of the live stream: how many are engaged now; which, the reader fetches. */
export const killSwitchEventSchema = z.object({ engaged: z.int() });
export type KillSwitchEvent = z.infer<typeof killSwitchEventSchema>;
