import type { Config, UpstreamConfig } from "../../config/config.ts";
import { systemClock } from "../../domain/clock.ts";
import { reasonOf } from "../../mcp/upstream/connect.ts";
import { openConnection } from "../../mcp/upstream/connection.ts";
import { silentLog } from "../../telemetry/log.ts";
import { type Finding, fine, problem } from "./finding.ts";

/** Connects to every upstream as a gateway would, on a connection of its own, and lists its tools. */
export function checkUpstreams(
  config: Pick<Config, "upstreams" | "maxResultBytes">,
): Promise<readonly Finding[]> {
  return Promise.all(config.upstreams.map((upstream) => checkUpstream(upstream, config.maxResultBytes)));
}

async function checkUpstream(config: UpstreamConfig, maxResultBytes: number): Promise<Finding> {
  const topic = `upstream ${config.name}`;
  const began = performance.now();
  try {
    const connection = await openConnection({
      config,
      clock: systemClock,
      log: silentLog,
      era: { verdict: null },
      probe: true,
      client: null,
      maxResultBytes,
    });
    try {
      const tools = await connection.listTools();
      const ms = Math.round(performance.now() - began);
      return fine(topic, `${tools.length} tools, protocol ${connection.protocolVersion}, ${ms} ms`);
    } finally {
      await connection.close();
    }
  } catch (error) {
    return problem(topic, `${reasonOf(error).replace(/\.$/u, "")}.`, adviceFor(config));
  }
}

function adviceFor(config: UpstreamConfig): string {
  return config.kind === "stdio"
    ? "Run its command by hand, in its `cwd`, and see what it says."
    : "See whether this machine reaches the URL, and whether its headers still open it.";
}
