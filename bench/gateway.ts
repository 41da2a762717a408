import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FIRST_CREDENTIALS_FILE, firstCredentialsSchema } from "../src/bootstrap.ts";
import { startProcess } from "./process.ts";

const config = (upstreamPort: number) => `
upstreams:
  bench: { url: "http://127.0.0.1:${upstreamPort}/mcp", prefix: "", safe_to_repeat: [echo] }
policy:
  - { upstream: bench, tool: echo, verdict: allow }
  - { upstream: bench, tool: reviewed, verdict: review }
`;

/** A gateway process as an operator starts it, in a folder of its own. */
export async function startGatewayProcess(upstreamPort: number, port: number) {
  const folder = mkdtempSync(join(tmpdir(), "atlas-bench-"));
  const file = join(folder, "atlas.yaml");
  const data = join(folder, "data");
  writeFileSync(file, config(upstreamPort));
  const cli = join(import.meta.dirname, "../bin/atlas.js");
  const args = [cli, "serve", "--config", file, "--data", data, "--port", String(port)];
  const gateway = await startProcess(args, port);
  const credentials = firstCredentialsSchema.parse(
    JSON.parse(readFileSync(join(data, FIRST_CREDENTIALS_FILE), "utf8")),
  );
  return {
    pid: gateway.pid,
    url: `http://127.0.0.1:${port}`,
    agentKey: credentials.agent.key,
    reviewerToken: credentials.reviewer.token,
    stop: async () => {
      await gateway.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
