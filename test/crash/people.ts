import { z } from "zod";

/** The gateway died before its answer was complete. */
export class GatewayGone extends Error {}

/** Only ends a request that nobody would ever answer. */
const GUARD_MS = 90_000;

const caseMetaSchema = z.object({ ref: z.string().nullable(), state: z.string().optional() });

const toolResultSchema = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string() })),
  isError: z.boolean().optional(),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  _meta: z.object({ "atlas-gateway/case": caseMetaSchema }).optional(),
});
export type ToolResult = z.infer<typeof toolResultSchema>;

const answerSchema = z.union([
  z.object({ result: toolResultSchema }),
  z.object({ error: z.object({ code: z.number(), message: z.string() }) }),
]);

const caseListSchema = z.object({ cases: z.array(z.object({ ref: z.string(), state: z.string() })) });
const caseDetailSchema = z.object({ arguments: z.string().nullable() });

/** An agent, as little of one as there can be: it posts JSON-RPC and reads the answer. */
export interface Agent {
  /** @throws GatewayGone when no answer came. */
  call(tool: string, args: object, meta?: object): Promise<ToolResult>;
}

export function createAgent(url: string, key: string): Agent {
  let id = 0;
  return {
    call: async (name, args, meta) => {
      id += 1;
      const params = { name, arguments: args, ...(meta !== undefined && { _meta: meta }) };
      const { text } = await post(`${url}/mcp`, key, { jsonrpc: "2.0", id, method: "tools/call", params });
      const answer = answerSchema.parse(JSON.parse(frameOf(text)));
      if ("error" in answer) throw new Error(`${name} was answered with ${JSON.stringify(answer.error)}`);
      return answer.result;
    },
  };
}

export interface Reviewer {
  /** @returns HTTP status and body. @throws GatewayGone when no answer came. */
  decide(ref: string, decision: "APPROVED" | "REJECTED"): Promise<{ status: number; text: string }>;
  /** States of all cases with these arguments. */
  statesOf(argumentsText: string): Promise<readonly string[]>;
}

export function createReviewer(url: string, token: string): Reviewer {
  const argumentsByRef = new Map<string, string | null>();
  const read = async (path: string): Promise<unknown> =>
    JSON.parse((await request(`${url}${path}`, token, {})).text);
  const argumentsOf = async (ref: string): Promise<string | null> => {
    const known = argumentsByRef.get(ref);
    if (known !== undefined) return known;
    const detail = caseDetailSchema.parse(await read(`/api/v1/cases/${ref}`));
    argumentsByRef.set(ref, detail.arguments);
    return detail.arguments;
  };
  return {
    decide: (ref, decision) => post(`${url}/webhook/approval`, token, { decision, event_id: ref }),
    statesOf: async (argumentsText) => {
      const { cases } = caseListSchema.parse(await read("/api/v1/cases?limit=500"));
      const states: string[] = [];
      for (const { ref, state } of cases) {
        if ((await argumentsOf(ref)) === argumentsText) states.push(state);
      }
      return states;
    },
  };
}

function post(url: string, credential: string, body: object): Promise<{ status: number; text: string }> {
  return request(url, credential, { method: "POST", body: JSON.stringify(body) });
}

async function request(
  url: string,
  credential: string,
  init: { method?: string; body?: string },
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      ...init,
      headers: {
        authorization: `Bearer ${credential}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      signal: AbortSignal.timeout(GUARD_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    if (cause instanceof DOMException) throw cause;
    throw new GatewayGone(`no answer from ${url}`, { cause });
  }
}

/** The one message in a JSON or event-stream body. @throws GatewayGone when the stream ended without it. */
function frameOf(body: string): string {
  if (body.startsWith("{")) return body;
  const data = /^data: (\{.*)$/m.exec(body)?.[1];
  if (data === undefined) throw new GatewayGone(`the answer broke off: ${JSON.stringify(body)}`);
  return data;
}
