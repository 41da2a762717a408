import { z } from "zod";
import { DEFAULT_RISK_THRESHOLD, VERDICTS } from "../domain/assessment.ts";
import { RULE_KINDS } from "../policy/policy.ts";
import { ISOLATIONS, TRANSPORTS } from "./config.ts";
import { databaseSchema } from "./database.ts";
import { DURATION_FORMS, parseDuration } from "./duration.ts";
import { engineSchema, inngestSchema } from "./engine.ts";
import { duration, filled, httpUrl, size, text } from "./fields.ts";
import { issuersSchema, listenSchema, publicUrlSchema } from "./front-schema.ts";
import { domainName, modelSchema, RISK_PACKS } from "./risk-schema.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const callDeadline = duration({ minMs: 1, maxMs: DAY_MS, says: "1ms to 24h" });
const waiting = duration({ minMs: 1_000, maxMs: 365 * DAY_MS, says: "1s to 365d" });

/** How long something is kept after its case ended. */
const kept = z
  .string()
  .regex(/^(?:forever|\d{1,9}(?:ms|s|m|h|d))$/u, {
    error: `this is no time to keep; write \`forever\`, or ${DURATION_FORMS}`,
    abort: true,
  })
  .refine((value) => {
    const ms = value === "forever" ? HOUR_MS : (parseDuration(value) ?? -1);
    return ms >= 60_000 && ms <= 3_650 * DAY_MS;
  }, "the duration is out of range; use 1m to 3650d, or `forever`");

/** `observe` lets everything through and records what would have been held. */
const mode = z.enum(["enforce", "observe"]).default("enforce");

const upstreamSchema = z
  .strictObject({
    command: filled.optional(),
    args: z.array(text).optional(),
    cwd: filled.optional(),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u), text).optional(),
    url: httpUrl.optional(),
    transport: z.enum(TRANSPORTS).optional(),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u),
        z
          .string()
          .regex(
            /^[\t\x20-\x7e\x80-\xff]*$/u,
            "a header value may not hold line breaks or control characters; remove them",
          ),
      )
      .optional(),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{0,64}$/u, "a prefix may hold letters, digits, `_`, `-` and `.`; choose another")
      .optional(),
    resources: z.array(filled).default(["*"]),
    trusted: z.boolean().default(false),
    mode,
    isolation: z.enum(ISOLATIONS).optional(),
    safe_to_repeat: z.array(filled).default([]),
    /** What becomes of its tools when it is listed for the first time: accepted as they are, or each waits for an admin. */
    first_sight: z.enum(["accept", "review"]).default("accept"),
    call_deadline: callDeadline.default("60s"),
    connect_deadline: callDeadline.default("10s"),
  })
  .superRefine((upstream, context) => {
    const add = (path: readonly string[], message: string) =>
      context.addIssue({ code: "custom", path: [...path], message });
    if (upstream.command === undefined && upstream.url === undefined) {
      add([], "it says neither how to start nor where to find the server; add `command` or `url`");
    }
    if (upstream.command !== undefined && upstream.url !== undefined) {
      add(["url"], "an upstream has either `command` or `url`; remove one of them");
    }
    if (upstream.url === undefined && upstream.headers !== undefined) {
      add(["headers"], "headers need a `url`; use `env` to give a command its secrets");
    }
    if (upstream.url === undefined && upstream.transport !== undefined) {
      add(["transport"], "a transport needs a `url`; a command always speaks over its pipes");
    }
    if (upstream.command === undefined) {
      for (const key of ["args", "cwd", "env"] as const) {
        if (upstream[key] !== undefined) add([key], `\`${key}\` needs a \`command\`; remove it`);
      }
    }
  });

const ruleSchema = z
  .strictObject({
    id: z
      .string()
      .regex(
        /^[A-Za-z0-9][\w.-]{0,63}$/u,
        "a rule's id may hold letters, digits, `_`, `-` and `.`; choose another",
      )
      .optional(),
    upstream: filled.default("*"),
    tool: filled.optional(),
    resource: filled.optional(),
    prompt: filled.optional(),
    agent: filled.default("*"),
    verdict: z.enum(VERDICTS),
    mode,
  })
  .superRefine((rule, context) => {
    const [, second] = RULE_KINDS.filter((kind) => rule[kind] !== undefined);
    if (second === undefined) return;
    const message = "a rule speaks of `tool`, `resource` or `prompt`; write one rule for each";
    context.addIssue({ code: "custom", path: [second], message });
  });

/** What holds without a `policy`: calls are assessed, and what the operator's own upstreams offer to read may be read. */
const DEFAULT_POLICY: readonly z.output<typeof ruleSchema>[] = [
  { id: "default", upstream: "*", tool: "*", agent: "*", verdict: "assess", mode: "enforce" },
  {
    id: "default-resources",
    upstream: "*",
    resource: "*",
    agent: "*",
    verdict: "allow",
    mode: "enforce",
  },
  { id: "default-prompts", upstream: "*", prompt: "*", agent: "*", verdict: "allow", mode: "enforce" },
];

/** Standard Webhooks: `whsec_` and 24 to 64 bytes as base64. */
const webhookSecret = z.string().refine((value) => {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/u.exec(value)?.[1];
  const bytes = encoded === undefined ? 0 : Buffer.from(encoded, "base64").length;
  return bytes >= 24 && bytes <= 64;
}, "this is no webhook secret; write whsec_ and 24 to 64 random bytes as base64");

const webhookSchema = z.strictObject({
  url: httpUrl,
  secret: webhookSecret,
  console_url: httpUrl.optional(),
});

const portalSchema = z.strictObject({
  secret: webhookSecret,
  reviewers: z.record(filled, filled),
});

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/u);

const ruleList = z.array(ruleSchema).superRefine((rules, context) => {
  const seen = new Set<string>();
  for (const [index, rule] of rules.entries()) {
    const id = rule.id ?? `rule-${index + 1}`;
    if (seen.has(id))
      context.addIssue({
        code: "custom",
        path: [index, "id"],
        message: "an earlier rule has this id; choose another",
      });
    seen.add(id);
  }
});

const reviewSchema = z
  .strictObject({
    deadline: waiting.default("24h"),
    run_within: waiting.default("24h"),
    undo_within: duration({ minMs: 0, maxMs: HOUR_MS, says: "0s to 1h" }).default("0s"),
    take_for: waiting.default("30m"),
  })
  .superRefine((review, context) => {
    // An approval that cannot run before it expires would be one for nothing.
    if ((parseDuration(review.undo_within) ?? 0) < (parseDuration(review.run_within) ?? 0)) return;
    const message =
      "the time to undo is not shorter than `run_within`, so nothing could ever run; shorten it";
    context.addIssue({ code: "custom", path: ["undo_within"], message });
  });
const riskSchema = z
  .strictObject({
    threshold: z.int().min(0).max(100).default(DEFAULT_RISK_THRESHOLD),
    packs: z.array(z.enum(RISK_PACKS)).default([...RISK_PACKS]),
    money_floor: z.number().min(0).optional(),
    inside_domains: z.array(domainName).default([]),
    model: modelSchema.optional(),
  })
  .prefault({});

/** The file as an operator writes it. Defaults here are the defaults everywhere. */
const fileSchema = z.strictObject({
  public_url: publicUrlSchema.optional(),
  listen: listenSchema.prefault({}),
  agents: z.strictObject({ issuers: issuersSchema(name).default({}) }).prefault({}),
  engine: engineSchema,
  inngest: inngestSchema,
  database: databaseSchema.optional(),
  upstreams: z.record(name, upstreamSchema).default({}),
  policy: ruleList.default([...DEFAULT_POLICY]),
  risk: riskSchema,
  review: reviewSchema.prefault({}),
  hold: z
    .strictObject({ call: duration({ minMs: 0, maxMs: HOUR_MS, says: "0s to 1h" }).default("10s") })
    .prefault({}),
  notify: z.strictObject({ webhook: webhookSchema.optional() }).prefault({}),
  max_result: size({ min: 64 * 1024, max: 64 * 1024 ** 2, says: "64KiB to 64MiB" }).default("10MiB"),
  retention: z.strictObject({ payloads: kept.default("365d"), results: kept.default("7d") }).prefault({}),
  metrics: z
    .strictObject({
      token: z
        .string()
        .regex(/^[\x21-\x7e]{24,256}$/u, "this is no token; write 24 to 256 characters without spaces")
        .optional(),
    })
    .prefault({}),
  portals: z.record(name, portalSchema).default({}),
  mode,
  single_operator: z.boolean().default(false),
});

export const configFileSchema = fileSchema.superRefine(({ public_url, agents }, context) => {
  if (public_url !== undefined || Object.keys(agents.issuers).length === 0) return;
  const message =
    "agents learn from `public_url` where to get a token and for what; add it at the top of the file";
  context.addIssue({ code: "custom", path: ["agents", "issuers"], message });
});

export type ConfigFile = z.output<typeof configFileSchema>;
export type UpstreamFile = ConfigFile["upstreams"][string];

/** JSON Schema of the file, for editors. An editor will mark a reference (`${PORT}`) that stands for a number or a switch, though loading accepts it. */
export function configJsonSchema(): object {
  return {
    ...z.toJSONSchema(configFileSchema, { io: "input", target: "draft-2020-12" }),
    title: "ATLAS Governance Gateway configuration",
  };
}
