/**
 * An MCP server over stdio with one tool: it reports two steps, and answers only when the file `until_file` is there.
 * So nobody who listens can miss the steps because the answer came right behind them.
 */
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

export const PROGRESS_UPSTREAM = import.meta.filename;

const TOOL = { name: "in_steps", description: "Works in steps.", inputSchema: { type: "object" } };

const requestSchema = z.object({
  id: z.union([z.string(), z.number()]),
  method: z.string(),
  params: z
    .object({
      protocolVersion: z.string().optional(),
      arguments: z.object({ until_file: z.string() }).optional(),
      _meta: z.object({ progressToken: z.union([z.string(), z.number()]).optional() }).optional(),
    })
    .optional(),
});

type Request = z.infer<typeof requestSchema>;

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

async function answer({ id, method, params }: Request): Promise<void> {
  switch (method) {
    case "initialize": {
      const serverInfo = { name: "progress-upstream", version: "1.0.0" };
      const { protocolVersion } = params ?? {};
      return send({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo } });
    }
    case "tools/list":
      return send({ id, result: { tools: [TOOL] } });
    case "tools/call": {
      const progressToken = params?._meta?.progressToken;
      for (const progress of [1, 2]) {
        const step = { progressToken, progress, total: 2, message: `step ${progress}` };
        if (progressToken !== undefined) send({ method: "notifications/progress", params: step });
      }
      while (!existsSync(params?.arguments?.until_file ?? "")) await delay(10);
      return send({ id, result: { content: [{ type: "text", text: "both steps done" }] } });
    }
    default:
      return send({ id, error: { code: -32601, message: "Method not found" } });
  }
}

if (import.meta.main) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const request = requestSchema.safeParse(JSON.parse(line));
    if (request.success) void answer(request.data);
  });
  lines.on("close", () => process.exit(0));
}
