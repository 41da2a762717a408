import { Command } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { type BridgeTarget, runBridge } from "./bridge.ts";
import {
  dataDir,
  dataOption,
  gatewayUrl,
  readFirstCredentials,
  urlOption,
  type WhereOptions,
} from "./where.ts";

interface ConnectOptions extends WhereOptions {
  readonly agentKey?: string;
}

export function connectCommand(): Command {
  return new Command("connect")
    .description("bridge an MCP client that only speaks stdio to a running gateway")
    .addOption(urlOption())
    .addOption(dataOption())
    .option("--agent-key <key>", "the agent's key (default: ATLAS_API_KEY, else the first start's)")
    .addHelpText(
      "after",
      "\nName it as the command in the client's MCP configuration. Standard output carries protocol only; everything else goes to standard error.",
    )
    .action(connect);
}

async function connect(options: ConnectOptions): Promise<void> {
  const url = options.url === undefined ? undefined : checkedUrl(options.url);
  const agentKey = checkedKey(options.agentKey ?? process.env["ATLAS_API_KEY"]);
  const target = (): BridgeTarget => {
    const address = url ?? gatewayUrl(options);
    return { url: address, agentKey: agentKey ?? firstAgentKey(options) };
  };
  if (url !== undefined && agentKey === undefined && !isLoopback(url)) {
    throw new AtlasError(
      "auth.missing",
      "The first start's key is only for the gateway on this machine: give the agent's key for this address in ATLAS_API_KEY or with --agent-key.",
    );
  }
  await bridgeStdio(target);
}

/** Bridges this process's standard input and output; settles when the client has closed its end. */
export async function bridgeStdio(target: () => BridgeTarget): Promise<void> {
  await runBridge({ target, input: process.stdin, output: process.stdout, tell: tellPeople });
}

/** Standard output belongs to the protocol. */
export function tellPeople(sentence: string): void {
  console.error(sentence);
}

/** @throws AtlasError when the data folder has no first credentials, or no longer */
export function firstAgentKey(options: WhereOptions): string {
  const key = readFirstCredentials(options)?.agent.key;
  if (key !== undefined) return key;
  throw new AtlasError(
    "auth.missing",
    `No agent's key: give it in ATLAS_API_KEY or with --agent-key. There are no first credentials in ${dataDir(options)}.`,
  );
}

/**
 * The key that was given; an empty one, as forms of clients write it, is none.
 *
 * @throws AtlasError when it cannot be sent as a header; the key itself is not repeated
 */
export function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || key === "") return undefined;
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new AtlasError(
    "auth.missing",
    "The agent's key holds characters that no key has; copy it again, without spaces or line breaks.",
  );
}

/** Without the path of the agents' endpoint, which people copy along. */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new AtlasError(
      "config.invalid",
      "--url is not an address; it looks like http://127.0.0.1:8000 or https://atlas.example.org",
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "").replace(/\/mcp$/, "");
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}
