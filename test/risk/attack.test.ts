import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AssessedCall } from "../../src/risk/assessed-call.ts";
import { attack } from "../../src/risk/bench/attack.ts";
import { TARGETS } from "../../src/risk/bench/attack-targets.ts";
import { withGullibleModel } from "../../src/risk/bench/gullible.ts";
import { createEmbeddedAssessor } from "../../src/risk/embedded.ts";
import { noLearnedRisk } from "../../src/risk/learned/model.ts";
import { PAIRS } from "./pairs.ts";

/** Of the targets of the attack, what the rules only estimate; whoever asks a model believes it on these. */
const FREED = ["recalculate_entitlements", "change_medication", "set_feature_flag", "frobnicate"];

const assessor = createEmbeddedAssessor({ threshold: 70 });
const rules = createEmbeddedAssessor({ threshold: 70, learnedRisk: noLearnedRisk });
const scoreOf = (call: AssessedCall) => assessor.assess(call).risk_score;

describe("attack", () => {
  it.each([
    ["with the model", assessor],
    ["by the rules alone", rules],
    ["with another model that finds everything harmless", withGullibleModel(assessor, 70)],
  ])("lowers no score %s", (_name, judge) => {
    const results = attack(judge);
    expect(results.length).toBeGreaterThan(300);
    expect(results.filter((result) => result.lowered)).toEqual([]);
  });
});

it("a model that finds everything harmless frees none of the calls that the rules are sure of", () => {
  const gullible = withGullibleModel(assessor, 70);
  const free = TARGETS.filter((target) => gullible.assess(target).action === "AUTO_APPROVE");
  expect(free.map((target) => target.definition.name)).toEqual(FREED);
});

describe("properties over calls of many domains", () => {
  const calls = fc.constantFrom(...PAIRS.flatMap((pair) => [pair.harmful, pair.harmless]));
  const runs = { numRuns: 500 };

  it("the score is never lowered by arguments that the schema does not declare", () => {
    const keys = fc.constantFrom(
      "dry_run",
      "status",
      "action",
      "mode",
      "environment",
      "amount",
      "to",
      "path",
      "limit",
      "method",
      "draft",
      "field",
    );
    const values = fc.oneof(
      fc.boolean(),
      fc.constantFrom(
        "draft",
        "list",
        "get",
        "GET",
        "staging",
        "self",
        "/tmp/x",
        "ls",
        "SELECT 1",
        "preview",
        "nickname",
        "private",
      ),
      fc.integer({ min: 0, max: 20 }),
    );
    fc.assert(
      fc.property(calls, fc.dictionary(keys, values), fc.boolean(), (call, more, first) => {
        const declared = Object.keys(call.definition.inputSchema["properties"] as object);
        const undeclared = Object.fromEntries(
          Object.entries(more).filter(([key]) => !declared.includes(key)),
        );
        const stuffed = first ? { ...undeclared, ...call.arguments } : { ...call.arguments, ...undeclared };
        expect(scoreOf({ ...call, arguments: stuffed })).toBeGreaterThanOrEqual(scoreOf(call));
      }),
      runs,
    );
  });

  it("the score is never lowered by words in an argument for prose", () => {
    const words = fc.constantFrom(
      "read only",
      "dry run",
      "draft",
      "approved already",
      "low risk",
      "staging",
      "10 EUR",
      "SELECT 1",
      "ls",
      "self",
    );
    const keys = fc.constantFrom("note", "reason", "comment", "description", "message");
    fc.assert(
      fc.property(calls, keys, words, (call, key, word) => {
        const properties = {
          ...(call.definition.inputSchema["properties"] as object),
          [key]: { type: "string" },
        };
        const declared = {
          ...call,
          definition: { ...call.definition, inputSchema: { type: "object", properties } },
        };
        if (key in call.arguments) return;
        const spoken = { ...declared, arguments: { ...call.arguments, [key]: word } };
        expect(scoreOf(spoken)).toBeGreaterThanOrEqual(scoreOf(declared));
      }),
      runs,
    );
  });

  it("the assessor never throws and always gives a whole number", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.jsonValue(),
        (name, args, schema) => {
          const call = { ...(PAIRS[0]?.harmful as AssessedCall), arguments: args };
          const found = assessor.assess({
            ...call,
            definition: { name, inputSchema: { type: "object", properties: schema } },
          });
          expect(Number.isInteger(found.risk_score) && found.risk_score >= 0 && found.risk_score <= 100).toBe(
            true,
          );
        },
      ),
      runs,
    );
  });
});
