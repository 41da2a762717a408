import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { checkConfig } from "./check.ts";
import { load } from "./config.testing.ts";
import { configJsonSchema } from "./schema.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../docs/policy.md"), "utf8");
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
const UPSTREAMS = "upstreams: { welfare: { command: x }, files: { command: y } }\n";

it.each(examples)("the example in docs/policy.md loads without a warning: %s", (example) => {
  const text = example.includes("upstreams:") ? example : UPSTREAMS + example;
  expect(checkConfig(load(text))).toEqual([]);
});

it("docs/policy.md shows the policy that holds without one", () => {
  const shown = examples.find((example) => example.includes("id: default,"));
  expect(load(UPSTREAMS + shown)).toEqual(load(UPSTREAMS));
});

it("docs/policy.md describes every member of a rule", () => {
  const schema = JSON.parse(JSON.stringify(configJsonSchema()));
  const members: readonly string[] = Object.keys(schema.properties.policy.items.properties);
  const [, section = ""] = page.split("## Members of a rule");
  const [table = ""] = section.split("\n## ");
  const described = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, member]) => member);
  expect(new Set(described)).toEqual(new Set(members));
});
