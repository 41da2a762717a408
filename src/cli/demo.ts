import { mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { type Gateway, startGateway } from "../app.ts";
import { loadConfig } from "../config/load.ts";
import { AtlasError } from "../domain/errors.ts";
import { createLog } from "../telemetry/log.ts";
import { connectAgent } from "./agent-client.ts";
import { parsePort, stopSignal } from "./serve.ts";
import { readFirstCredentials } from "./where.ts";

const WELFARE = fileURLToPath(new URL("../../examples/welfare/atlas.yaml", import.meta.url));

interface DemoOptions {
  readonly folder: string;
  readonly port: number;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description("start a gateway with the welfare example behind it and a first case to decide")
    .option("--folder <folder>", "where everything is kept, and nowhere else", "atlas-demo")
    .option("--port <number>", "port to listen on; 0 takes any free one", parsePort, 8000)
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const folder = path.resolve(options.folder);
  mkdirSync(folder, { recursive: true });
  const config = loadConfig({
    path: WELFARE,
    env: process.env,
    dataDir: folder,
    overrides: { port: options.port },
  });
  const gateway = await startGateway(config, createLog({ level: "warn" }));
  try {
    await introduce(gateway, folder);
    await stopSignal(() => undefined);
  } finally {
    await gateway.close();
  }
  console.log(`Stopped. Delete ${folder} to leave nothing behind, or run the demo again to go on with it.`);
}

/** Makes the first case as an agent would, and says how to decide it. */
async function introduce(gateway: Gateway, folder: string): Promise<void> {
  const credentials = readFirstCredentials({ data: folder });
  if (credentials === null) {
    throw new AtlasError(
      "config.invalid",
      `${folder} was used before and its first credentials are gone. Name another folder with --folder.`,
    );
  }
  const agent = await connectAgent({ name: "atlas-demo", url: gateway.url, agentKey: credentials.agent.key });
  const call = { beneficiary_id: "BEN-123", reason: "Hardship" };
  const answer = await agent.callTool("request_payment_extension", call);
  await agent.close();
  console.log(`ATLAS runs on ${gateway.url}; everything is kept in ${folder}

An agent just asked to extend a payment, and was told:
  ${answer.text}

Decide it as the reviewer:
  1. open   ${gateway.url}/console
  2. token  ${credentials.reviewer.token}

Connect an agent of your own to ${gateway.url}/mcp with the header
  Authorization: Bearer ${credentials.agent.key}

Stop with Ctrl-C.`);
}
