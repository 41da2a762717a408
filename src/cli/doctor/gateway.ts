import { readFileSync } from "node:fs";
import path from "node:path";
import { RELOAD_FILE, reloadOutcomeSchema } from "../../reload.ts";
import type { LockHolder } from "../../store/sqlite/lock.ts";
import { type Finding, fine, problem, warning } from "./finding.ts";

const ANSWER_WITHIN_MS = 5_000;

/** The gateway that runs on the data folder, if one does. */
export async function checkGateway(folder: string, holder: LockHolder | null): Promise<readonly Finding[]> {
  if (holder === null) return [fine("gateway", "none runs on the data folder")];
  const who = `process ${holder.pid}, since ${holder.startedAt}`;
  return [await checkReadiness(holder.url, who), ...checkReload(folder, holder)];
}

async function checkReadiness(url: string | null, who: string): Promise<Finding> {
  if (url === null)
    return warning("gateway", `It is starting, or cannot listen (${who}).`, "Look at its log if this stays.");
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const body = await response.text();
    return response.ok
      ? fine("gateway", `ready at ${url} (${who})`)
      : problem("gateway", `Not ready at ${url}: ${body.slice(0, 200)}`, "Look at its log.");
  } catch {
    // Refused, reset or too late: what matters is that nobody would get an answer.
    return problem("gateway", `No answer at ${url} (${who}).`, "Look at its log, and restart it.");
  }
}

function checkReload(folder: string, holder: LockHolder): readonly Finding[] {
  try {
    const outcome = reloadOutcomeSchema.parse(
      JSON.parse(readFileSync(path.join(folder, RELOAD_FILE), "utf8")),
    );
    if (outcome.taken || outcome.pid !== holder.pid || outcome.at < holder.startedAt) return [];
    const sentence = `The reload at ${outcome.at} was refused, so another configuration than the file's is in force.`;
    return [warning("reload", sentence, "Correct the file (atlas check), then: atlas reload")];
  } catch {
    // No reload yet.
    return [];
  }
}
