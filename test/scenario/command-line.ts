import { vi } from "vitest";
import { runCli } from "../../src/cli/main.ts";

export interface CommandAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The command line in this process, many times faster than a process of its own.
 *
 * @throws what the process would die of with a stack
 */
export async function runCommand(args: readonly string[]): Promise<CommandAnswer> {
  const said = { stdout: "", stderr: "" };
  const hear = (stream: keyof typeof said, end: string) => (text: unknown) => {
    said[stream] += `${String(text)}${end}`;
    return true;
  };
  const spies = [
    vi.spyOn(console, "log").mockImplementation(hear("stdout", "\n")),
    vi.spyOn(console, "warn").mockImplementation(hear("stderr", "\n")),
    vi.spyOn(console, "error").mockImplementation(hear("stderr", "\n")),
    vi.spyOn(process.stdout, "write").mockImplementation(hear("stdout", "")),
    vi.spyOn(process.stderr, "write").mockImplementation(hear("stderr", "")),
  ];
  try {
    return { code: await runCli(["node", "atlas", ...args]), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
