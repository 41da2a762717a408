import { z } from "zod";
import { duration, filled, httpUrl } from "./fields.ts";

/** Names of the risk packs; `src/risk/packs.ts` has what they mean. */
export const RISK_PACKS = ["welfare"] as const;

export const domainName = z
  .string()
  .regex(
    /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/u,
    "this is no domain; write one in lower case, such as example.org",
  );

/** Keys that only one kind of model has. */
const KEYS_OF = {
  modal: ["function", "token_id", "token_secret", "url", "proxy_key", "proxy_secret"],
  openai: ["model", "base_url", "api_key"],
  ollama: ["model", "base_url", "api_key"],
} as const;

const deadline = duration({ minMs: 100, maxMs: 600_000, says: "100ms to 10m" });

/** A model that is asked for a score. */
export const modelSchema = z
  .strictObject({
    kind: z.enum(["modal", "openai", "ollama"]),
    function: filled.optional(),
    token_id: filled.optional(),
    token_secret: filled.optional(),
    url: httpUrl.optional(),
    proxy_key: filled.optional(),
    proxy_secret: filled.optional(),
    model: filled.optional(),
    base_url: httpUrl.optional(),
    api_key: filled.optional(),
    answer: z.enum(["json", "text"]).default("json"),
    deadline: deadline.default("20s"),
    per_minute: z.int().min(2).max(100_000).default(120),
  })
  .superRefine((model, context) => {
    const add = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
    const own: readonly string[] = KEYS_OF[model.kind];
    for (const key of new Set(Object.values(KEYS_OF).flat())) {
      if (model[key] !== undefined && !own.includes(key))
        add(key, `a model of kind ${model.kind} has no such key; remove it`);
    }
    if (model.kind !== "modal" && model.model === undefined)
      add("model", "it is missing; write the model's name");
    if (model.url !== undefined) {
      for (const key of ["function", "token_id", "token_secret"] as const) {
        if (model[key] !== undefined)
          add(key, "a model has either a `url` or a `function` with its token; remove one");
      }
    }
    if ((model.proxy_key === undefined) !== (model.proxy_secret === undefined))
      add("proxy_key", "`proxy_key` and `proxy_secret` belong together; write both or neither");
    if (model.url === undefined && model.proxy_key !== undefined)
      add("proxy_key", "`proxy_key` needs a `url`; remove it");
  });

export type ModelFile = z.output<typeof modelSchema>;
