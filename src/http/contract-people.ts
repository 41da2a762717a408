import { z } from "zod";
import { ID_PATTERN } from "../domain/ids.ts";
import { ROLES } from "../domain/principal.ts";

/** Requests and responses about people, agents and signing in; `contract.ts` names them all. */

/** Longer than anything that can be right; what is longer is not even hashed. */
const MAX_SECRET_LENGTH = 1_024;

const secretSchema = z
  .string()
  .min(1, "must not be empty")
  .max(MAX_SECRET_LENGTH, `must have at most ${MAX_SECRET_LENGTH} characters`);
const idSchema = z
  .string()
  .regex(
    ID_PATTERN,
    "must be letters, digits, dots, dashes and underscores, 64 at most, none of . _ - first",
  );
const rolesSchema = z.array(z.enum(ROLES, `must be one of ${ROLES.join(", ")}`));
const timeSchema = z.iso.datetime();

/** `token` alone, or `account` and `password`. */
export const signInRequestSchema = z
  .strictObject({
    token: secretSchema.optional(),
    account: z.string().min(1, "must not be empty").optional(),
    password: secretSchema.optional(),
  })
  .refine(
    (body) => isOneOf(body.token !== undefined, body.account !== undefined && body.password !== undefined),
    {
      path: ["token"],
      message: 'must be there alone, or "account" and "password" instead of it',
    },
  )
  .meta({ oneOf: [{ required: ["token"] }, { required: ["account", "password"] }] });

export const signOutQuerySchema = z.strictObject({
  /** Every browser of the person, not only this one. */
  everywhere: z
    .enum(["true", "false"], "must be true or false")
    .transform((text) => text === "true")
    .optional(),
});

/** `old_password`; of a person who has no password yet, their `token`. */
export const passwordRequestSchema = z
  .strictObject({
    old_password: secretSchema.optional(),
    token: secretSchema.optional(),
    new_password: z.string(),
  })
  .refine((body) => isOneOf(body.old_password !== undefined, body.token !== undefined), {
    path: ["old_password"],
    message: 'must be there; of a person who has no password yet, the "token" instead of it',
  })
  .meta({ oneOf: [{ required: ["old_password"] }, { required: ["token"] }] });

function isOneOf(first: boolean, second: boolean): boolean {
  return first !== second;
}

const personSchema = z.object({
  id: z.string(),
  roles: z.array(z.enum(ROLES)),
  /** What they can sign in with. */
  password: z.boolean(),
  token: z.boolean(),
  revoked_at: timeSchema.nullable(),
});

export const peopleSchema = z.object({ people: z.array(personSchema) });
export type PeopleBody = z.infer<typeof peopleSchema>;

export const addPersonRequestSchema = z.strictObject({ id: idSchema, roles: rolesSchema });

export const rolesRequestSchema = z.strictObject({ roles: rolesSchema });

/** The only answer that ever holds this token. */
export const personTokenSchema = z.object({ id: z.string(), token: z.string() });
export type PersonTokenBody = z.infer<typeof personTokenSchema>;

const agentSchema = z.object({ id: z.string(), owner: z.string(), revoked_at: timeSchema.nullable() });

export const agentsSchema = z.object({ agents: z.array(agentSchema) });
export type AgentsBody = z.infer<typeof agentsSchema>;

/** The owner answers for the agent, and so never decides its cases. */
export const addAgentRequestSchema = z.strictObject({ id: idSchema, owner: idSchema });

/** The only answer that ever holds this key. */
export const agentKeySchema = z.object({ id: z.string(), owner: z.string(), key: z.string() });
export type AgentKeyBody = z.infer<typeof agentKeySchema>;
