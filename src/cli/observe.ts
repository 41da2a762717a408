import { Command } from "commander";
import type { Case } from "../domain/case.ts";
import { withAdminStore } from "./admin-store.ts";
import { dataOption, type WhereOptions } from "./where.ts";

/** Cases looked at; more than this is no report that anybody reads. */
const MAX_CASES = 10_000;

export function observeCommand(): Command {
  const observe = new Command("observe").description("what a gateway in mode observe let through");
  observe
    .command("report")
    .description("calls that would have paused or been denied, by tool and reason, most frequent first")
    .option("--json", "print it as JSON")
    .addOption(dataOption())
    .action(report);
  return observe;
}

interface Line {
  readonly tool: string;
  readonly reason: string;
  readonly calls: number;
  /** Highest score among them; null when policy decided without one. */
  readonly highestScore: number | null;
}

async function report(options: WhereOptions & { readonly json?: boolean }): Promise<void> {
  const cases = await withAdminStore(options, (store) =>
    store.listCases({ observed: true, limit: MAX_CASES }),
  );
  const lines = linesOf(cases);
  if (options.json === true) {
    console.log(JSON.stringify({ calls: cases.length, lines }, null, 2));
    return;
  }
  for (const line of lines) {
    console.log(
      [
        String(line.calls).padStart(6),
        String(line.highestScore ?? "-").padStart(3),
        line.tool,
        line.reason,
      ].join("  "),
    );
  }
  console.log(
    cases.length === 0
      ? "Nothing was let through that would have been held."
      : `${cases.length} calls would not have run at once.`,
  );
}

function linesOf(cases: readonly Case[]): readonly Line[] {
  const groups = Map.groupBy(cases, (c) => `${c.upstream}/${c.tool}\n${c.observedReasonId}`);
  const lines = [...groups.entries()].map(([key, group]): Line => {
    const [tool = "", reason = ""] = key.split("\n");
    const scores = group.flatMap((c) => (c.riskScore === null ? [] : [c.riskScore]));
    return {
      tool,
      reason,
      calls: group.length,
      highestScore: scores.length === 0 ? null : Math.max(...scores),
    };
  });
  return lines.toSorted((a, b) => b.calls - a.calls);
}
