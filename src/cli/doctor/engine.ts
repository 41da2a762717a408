import type { Config, EngineConfig } from "../../config/config.ts";
import { type Finding, fine, problem, warning } from "./finding.ts";

const ANSWER_WITHIN_MS = 5_000;
const CLOUD = { events: "https://inn.gs", api: "https://api.inngest.com" } as const;
/** No run has this id: only whether the question is let in is of interest. */
const SOME_RUN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** What drives waiting cases: whether it is there, and knows the gateway's keys. Sends no event. */
export async function checkEngine(config: Config): Promise<readonly Finding[]> {
  const { engine } = config;
  if (engine.kind === "embedded") return [fine("engine", "embedded")];
  const server = serversOf(engine);
  if (!(await answers(`${server.api}/health`))) {
    const advice = "Start it, or correct `inngest.base_url`. Waiting cases stay, and their deadlines fire.";
    return [problem("engine", `No answer of the Inngest server at ${server.api}.`, advice)];
  }
  return [
    fine("engine", `Inngest at ${server.api}`),
    ...(await checkKeys(engine, server)),
    ...checkNames(config),
  ];
}

type InngestConfig = Extract<EngineConfig, { kind: "inngest" }>;

function serversOf({ baseUrl }: InngestConfig): { readonly events: string; readonly api: string } {
  const url = baseUrl?.replace(/\/+$/u, "");
  return url === undefined ? CLOUD : { events: url, api: url };
}

async function checkKeys(
  { keys }: InngestConfig,
  server: ReturnType<typeof serversOf>,
): Promise<readonly Finding[]> {
  if (keys === null) {
    const advice = "Only on your own machine: unset INNGEST_DEV and set both keys elsewhere.";
    return [warning("engine keys", "Development mode: nobody checks who calls /api/inngest.", advice)];
  }
  const event = await statusOf(`${server.events}/e/${keys.event}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "[]",
  });
  const signing = await statusOf(`${server.api}/v1/runs/${SOME_RUN}`, {
    headers: { authorization: `Bearer ${keys.signing}` },
  });
  const unknown = [
    ...(event === 401 ? ["INNGEST_EVENT_KEY"] : []),
    ...(signing === 401 ? ["INNGEST_SIGNING_KEY"] : []),
  ];
  if (unknown.length === 0) return [fine("engine keys", "the Inngest server knows them")];
  const advice = "Give the server and every gateway the same keys, and restart them.";
  return [problem("engine keys", `The Inngest server does not know ${unknown.join(" and ")}.`, advice)];
}

function checkNames({ engine, listen, database }: Config): readonly Finding[] {
  if (engine.kind !== "inngest" || engine.serveOrigin !== null || database.kind === "sqlite") return [];
  const sentence = `Inngest is told to call this gateway at its own address (${listen.host}), not at one for all gateways.`;
  return [warning("engine", sentence, "Set `inngest.serve_origin` to the address of all gateways.")];
}

async function answers(url: string): Promise<boolean> {
  return (await statusOf(url, {})) !== null;
}

/** null: no answer. */
async function statusOf(url: string, init: RequestInit): Promise<number | null> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    await response.body?.cancel();
    return response.status;
  } catch {
    // Refused, reset or too late: what matters is that nobody would get an answer.
    return null;
  }
}
