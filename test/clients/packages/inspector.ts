import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Framework } from "./framework.ts";

const LAUNCHER = fileURLToPath(
  import.meta.resolve("@modelcontextprotocol/inspector/clients/launcher/build/index.js"),
);

/** No model: a turn is the call itself, made by a process of the Inspector's command line. */
export const inspector: Framework = {
  name: "MCP Inspector",
  async connect({ mcpUrl, headers }) {
    const given = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
    return {
      say: async (text) => {
        const move: { call: string; with: Record<string, unknown> } = JSON.parse(text);
        const args = Object.entries(move.with).flatMap(([name, value]) => [
          "--tool-arg",
          `${name}=${String(value)}`,
        ]);
        const call = ["--method", "tools/call", "--tool-name", move.call, ...args];
        const { stdout } = await promisify(execFile)(process.execPath, [
          LAUNCHER,
          "--cli",
          mcpUrl.href,
          ...given,
          ...call,
        ]);
        return stdout;
      },
      close: async () => undefined,
    };
  },
};
