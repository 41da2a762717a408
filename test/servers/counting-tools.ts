import { existsSync, readFileSync } from "node:fs";

export interface JsonObject {
  readonly [key: string]: unknown;
}

const anyObject = { type: "object" };

const DEFINITIONS: readonly JsonObject[] = [
  {
    name: "write_thing",
    description: "Writes a thing.",
    inputSchema: { type: "object", properties: { text: { type: "string" } } },
  },
  {
    name: "read_thing",
    description: "Reads a thing.",
    inputSchema: anyObject,
    annotations: { readOnlyHint: true },
  },
  {
    name: "slow_thing",
    description: "Answers when the file `until_file` exists, or after `ms` milliseconds, or never.",
    inputSchema: { type: "object", properties: { until_file: { type: "string" }, ms: { type: "number" } } },
  },
  { name: "die_before", description: "Dies before it has done anything.", inputSchema: anyObject },
  {
    name: "die_after",
    description: "Dies when it has done its work and before it answers.",
    inputSchema: anyObject,
  },
  {
    name: "vendor_thing",
    description: "Answers with more than the protocol knows.",
    inputSchema: anyObject,
    "x-vendor": { lives: true },
    annotations: { readOnlyHint: false, vendorHint: "kept" },
  },
  {
    name: "schema_thing",
    description: "Answers with structured content.",
    inputSchema: anyObject,
    outputSchema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] },
  },
  { name: "progress_thing", description: "Reports progress twice.", inputSchema: anyObject },
  { name: "error_thing", description: "Answers with a JSON-RPC error.", inputSchema: anyObject },
  { name: "failing_thing", description: "Runs and reports a tool error.", inputSchema: anyObject },
  { name: "asks_back", description: "Asks the client for input.", inputSchema: anyObject },
];

/**
 * The tools as the control file wants them now: `{"change": {"write_thing": {"description": "…"}},
 * "remove": ["read_thing"], "add": [{…}]}`.
 */
export function listDefinitions(controlFile: string | null): readonly JsonObject[] {
  const control = readControl(controlFile);
  const changes = isObject(control["change"]) ? control["change"] : {};
  const removed = Array.isArray(control["remove"]) ? control["remove"] : [];
  const added = Array.isArray(control["add"]) ? control["add"] : [];
  const kept = DEFINITIONS.filter((tool) => !removed.includes(tool["name"])).map((tool) => {
    const change = changes[String(tool["name"])];
    return isObject(change) ? Object.assign({}, tool, change) : tool;
  });
  return [...kept, ...added];
}

function readControl(controlFile: string | null): JsonObject {
  if (controlFile === null || !existsSync(controlFile)) return {};
  try {
    const control: unknown = JSON.parse(readFileSync(controlFile, "utf8"));
    return isObject(control) ? control : {};
  } catch {
    // Caught in the middle of being written; the next look sees all of it.
    return {};
  }
}

export interface CallContext {
  readonly tool: string;
  readonly args: JsonObject;
  readonly progressToken: unknown;
  /** Appends the line that counts this call, synced, before anything is answered. */
  readonly record: () => void;
  readonly notify: (method: string, params: JsonObject) => void;
  /** Settles when nobody can be answered any more. */
  readonly gone: AbortSignal;
}

/** `die`: the server ends here. `silent`: no answer, ever. `stray`: an answer to a request that nobody made. `half`: the connection ends in the middle of the answer. */
export type CallAnswer =
  | { readonly kind: "result"; readonly result: JsonObject }
  | { readonly kind: "error"; readonly error: JsonObject }
  | { readonly kind: "die" }
  | { readonly kind: "stray" }
  | { readonly kind: "half" }
  | { readonly kind: "silent" };

const text = (words: string): JsonObject => ({ content: [{ type: "text", text: words }] });
const result = (value: JsonObject): CallAnswer => ({ kind: "result", result: value });

const BEHAVIOURS: Readonly<Record<string, (call: CallContext) => Promise<CallAnswer> | CallAnswer>> = {
  slow_thing: async (call) => ((await slowly(call)) ? result(text("slow done")) : { kind: "silent" }),
  die_after: () => ({ kind: "die" }),
  vendor_thing: () =>
    result({
      content: [
        { type: "x-vendor-block", payload: { deep: [1, { two: 2 }] }, unknown: true },
        { type: "text", text: "plain", annotations: { vendor: "kept" } },
      ],
      structuredContent: { b: 1, a: [null] },
      _meta: { "vendor.example/trace": { id: "t-1" } },
      "x-top-level": { kept: true },
    }),
  schema_thing: () => result({ ...text('{"ok":true}'), structuredContent: { ok: true } }),
  progress_thing: (call) => {
    for (const progress of [1, 2]) {
      const params = {
        progressToken: call.progressToken,
        progress,
        total: 2,
        message: `step ${progress}`,
        vendor: "kept",
      };
      if (call.progressToken !== undefined) call.notify("notifications/progress", params);
    }
    return result(text("progressed"));
  },
  error_thing: () => ({
    kind: "error",
    error: { code: -32042, message: "the thing is broken", data: { why: "vendor reason", list: [1] } },
  }),
  failing_thing: () => result({ ...text("it failed"), isError: true }),
  // Not in the list of tools; the control file can add them.
  huge_thing: ({ args }) => result(text("x".repeat(Number(args["bytes"])))),
  flood_thing: ({ args, notify }) => {
    const data = "x".repeat(Number(args["bytes"]));
    for (let line = 0; line < Number(args["lines"]); line += 1)
      notify("notifications/message", { level: "info", data });
    return result(text("flooded"));
  },
  stray_thing: () => ({ kind: "stray" }),
  half_thing: () => ({ kind: "half" }),
  asks_back: () =>
    result({
      resultType: "input_required",
      inputRequests: { ask: { method: "elicitation/create", params: { mode: "form", message: "Sure?" } } },
      requestState: "state-1",
    }),
};

/** Does what the tool does. */
export async function answerCall(call: CallContext): Promise<CallAnswer> {
  if (call.tool === "die_before") return { kind: "die" };
  call.record();
  const behaviour = BEHAVIOURS[call.tool];
  return behaviour === undefined ? result(text(`${call.tool} done`)) : await behaviour(call);
}

async function slowly(call: CallContext): Promise<boolean> {
  const { until_file: file, ms } = call.args;
  const began = Date.now();
  while (!call.gone.aborted) {
    if (typeof file === "string" && existsSync(file)) return true;
    if (typeof ms === "number" && Date.now() - began >= ms) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
