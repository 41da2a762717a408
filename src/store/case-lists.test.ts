import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256 } from "../domain/digest.ts";
import { agentId } from "../domain/ids.ts";
import type { CaseFilter } from "../governance/ports.ts";
import { createRig } from "../governance/rig.testing.ts";
import { approvedCallsQuery } from "./approved-calls.ts";
import { casesQuery } from "./case-lists.ts";
import { kyselyOn } from "./sqlite/kysely.ts";

let db: DatabaseSync;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "atlas-plan-"));
  const rig = await createRig({ dir });
  await rig.store.close();
  db = new DatabaseSync(join(dir, "atlas.db"));
});
afterAll(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

function planOf(filter: Omit<CaseFilter, "limit">): string {
  const { sql, parameters } = casesQuery(kyselyOn(db), { ...filter, limit: 100 }, 0).compile();
  const rows = db.prepare(`explain query plan ${sql}`).all(...(parameters as readonly SQLInputValue[]));
  return rows.map((row) => String(row["detail"])).join("\n");
}

const WAITING = ["AWAITING_REVIEW", "UNKNOWN"] as const;

test.each(["deadline", "risk"] as const)(
  "the queue by %s reads only what has not ended, in its order",
  (order) => {
    const position = { key: 1, ref: `evt_${"a".repeat(32)}` } as NonNullable<CaseFilter["after"]>;
    for (const after of [{}, { after: position }]) {
      const plan = planOf({ states: WAITING, order, ...after });
      expect(plan).toContain(`USING INDEX cases_open_by_${order}`);
      expect(plan).not.toContain("TEMP B-TREE");
    }
  },
);

test("the newest of the queue, and what one agent did with one tool, are found by an index", () => {
  expect(planOf({ states: WAITING })).toMatch(/USING INDEX cases_(by_state|open_by_time)/);
  const history = { agentId: agentId("teller"), upstream: "bank", tool: "send_money" };
  expect(planOf(history)).toContain("USING INDEX cases_by_tool (agent_id=? AND upstream=? AND tool=?)");
  expect(planOf({ refPrefix: "evt_ab" })).toContain("(ref>? AND ref<?)");
});

test("what people keep approving is counted by the index of what people decided", () => {
  const call = { agentId: agentId("teller"), upstream: "bank", tool: "send_money", toolPin: sha256("pin") };
  for (const of of [call, null]) {
    const { sql, parameters } = approvedCallsQuery(kyselyOn(db), { of, atLeast: 10 }).compile();
    const rows = db.prepare(`explain query plan ${sql}`).all(...(parameters as readonly SQLInputValue[]));
    const plan = rows.map((row) => String(row["detail"])).join("\n");
    expect(plan).toContain("c USING INDEX cases_decided_by_call");
    expect(plan).toContain("SEARCH d USING INDEX");
  }
});

test("no list without a search for a place scans the table", () => {
  for (const filter of [{}, { states: WAITING }, { reviewed: true }, { unreported: true }])
    expect(planOf(filter)).toMatch(/USING INDEX/);
});
