import { closeSync, openSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { startGateway } from "../app.ts";
import { checkConfig } from "../config/check.ts";
import { loadConfig } from "../config/load.ts";
import { createLog } from "../telemetry/log.ts";
import { configOption, configPath, dataDir, dataOption, type WhereOptions } from "./where.ts";

interface ServeOptions extends WhereOptions {
  readonly port?: number;
  readonly host?: string;
}

export function serveCommand(): Command {
  return new Command("serve")
    .description("run the gateway until it is stopped (Ctrl-C)")
    .option("--port <number>", "port to listen on (default: 8000)", parsePort)
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .addOption(configOption())
    .addOption(dataOption())
    .action(serve);
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("a port is a number from 0 to 65535.");
  return port;
}

export async function serve(options: ServeOptions): Promise<void> {
  const file = configPath(options);
  const load = () =>
    loadConfig({
      path: file,
      env: process.env,
      dataDir: dataDir(options),
      overrides: {
        ...(options.port !== undefined && { port: options.port }),
        ...(options.host !== undefined && { host: options.host }),
      },
    });
  const config = load();
  for (const warning of checkConfig(config)) console.warn(`warning: ${warning}`);
  const log = createLog();
  const gateway = await startGateway(config, log);

  console.log(`ATLAS Governance Gateway is ready on ${gateway.url}`);
  console.log(`  configuration   ${file}`);
  console.log(`  data folder     ${config.dataDir}`);
  const url = config.publicUrl ?? gateway.url;
  console.log(`  for agents      ${url}/mcp   (older clients: ${url}/mcp/sse)`);
  console.log(`  for reviewers   ${url}/console`);
  if (gateway.firstCredentialsFile !== null) {
    console.log(
      `\nFirst start: the agent's key and the reviewer's token are in ${gateway.firstCredentialsFile}`,
    );
    console.log(`Sign in at ${url}/console with the reviewer's token.`);
    console.log("Make the first case with:  npx atlas handshake");
  }
  await stopSignal(() => void gateway.reload(load));
  console.log("Stopping: finishing what is in flight.");
  await gateway.close();
}

/** Settles when the process is asked to stop; a hang-up asks to reload, unless the terminal itself is gone. */
export function stopSignal(reload: () => void): Promise<void> {
  const inTerminal = hasTerminal();
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
    process.on("SIGHUP", () => (inTerminal && !hasTerminal() ? resolve() : reload()));
  });
}

/** Whether a terminal controls this process; a terminal that was closed does not any more. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
