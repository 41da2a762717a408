import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  FIRST_CREDENTIALS_FILE,
  type FirstCredentials,
  firstCredentialsSchema,
} from "../../src/bootstrap.ts";
import { callText } from "../scenario/agent.ts";
import { countingUpstream } from "../scenario/gateway.ts";
import { listDefinitions } from "../servers/counting-tools.ts";
import { CRM_TOOLS } from "../servers/crm-tools.ts";
import { type FakeChatCompletions, startFakeChatCompletions } from "../servers/fake-chat-completions.ts";
import { COMPILE_CACHE, type GatewayProcess, startGatewayProcess } from "../servers/gateway-process.ts";
import { knows } from "../servers/model-reply.ts";
import { type Block, ROOT } from "./blocks.ts";

/** A folder with what the pages speak of: a running gateway, its tool server `crm`, and a case that waits. */
export interface DocsWorld {
  /** Runs the block as a shell script, line by line until one fails. */
  run(block: Block): Promise<{ readonly code: number | null; readonly output: string }>;
  close(): Promise<void>;
}

const MODEL_KEY = "key-of-the-model";

/** What a block needs before it, beside a case that waits; by heading. */
const BEFORE: Readonly<Record<string, string>> = {
  Undo: "npx atlas cases approve evt_… >&2",
  Restore: `[ -e /srv/backups/atlas-monday.db ] || npx atlas backup /srv/backups/atlas-monday.db >&2
kill "$(node -p 'JSON.parse(fs.readFileSync(process.env.ATLAS_DATA + "/gateway.json", "utf8")).pid')"
while [ -e "$ATLAS_DATA/gateway.json" ]; do sleep 0.1; done`,
};

export async function openDocsWorld(): Promise<DocsWorld> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-docs-"));
  const model = await startFakeChatCompletions({
    apiKey: MODEL_KEY,
    reply: knows({}),
  });
  writeShims(join(folder, "bin"));
  const config = join(folder, "atlas.yaml");
  writeFileSync(config, yaml(folder, model));
  writeFileSync(join(folder, "audit_log.jsonl"), '{"tool":"request_extension","status":"AUTHORIZED"}\n');
  writeFileSync(join(folder, "secret.txt"), "correct horse battery staple\n");
  mkdirSync(join(folder, "srv/backups"), { recursive: true });
  const dataDir = join(folder, "data");
  const gateway = await startGatewayProcess({ config, dataDir });
  const credentials = firstCredentialsSchema.parse(
    JSON.parse(readFileSync(join(dataDir, FIRST_CREDENTIALS_FILE), "utf8")),
  );
  let calls = 0;
  return {
    run: async (block) => {
      calls += 1;
      const script = `${BEFORE[block.heading] ?? ""}\n${block.text}`;
      const ref = script.includes("evt_…") ? await openCase(gateway, credentials, calls) : "";
      const text = script
        .replaceAll("evt_…", ref)
        // Another one in each block: the name of one that was revoked is never given again.
        .replaceAll("billing-bot", `billing-bot-${calls}`)
        .replaceAll("/srv/", `${folder}/srv/`)
        .replaceAll("http://127.0.0.1:8000", gateway.url);
      return runShell(text, {
        cwd: folder,
        env: {
          PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
          HOME: folder,
          NODE_COMPILE_CACHE: COMPILE_CACHE,
          ATLAS_DATA: dataDir,
          ATLAS_REVIEWER_TOKEN: credentials.reviewer.token,
        },
      });
    },
    close: async () => {
      await gateway.stop();
      await model.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Everything waits for a reviewer, who has time to undo. */
function yaml(folder: string, model: FakeChatCompletions): string {
  const controlFile = join(folder, "control.json");
  const own = listDefinitions(null).map((tool) => tool["name"]);
  const sync = { name: "sync", description: "Brings accounts up to date.", inputSchema: { type: "object" } };
  writeFileSync(controlFile, JSON.stringify({ remove: own, add: [...CRM_TOOLS, sync] }));
  return `
upstreams:
  ${countingUpstream({ name: "crm", recordFile: join(folder, "calls.jsonl"), controlFile })}
review: { undo_within: 30s }
risk:
  model: { kind: openai, model: scripted, base_url: "${model.baseUrl}", api_key: ${MODEL_KEY} }
policy:
  - { tool: "*", verdict: review }
`;
}

/** \`npx\` of a clone, which knows one program of its own and fetches nothing. */
function writeShims(bin: string): void {
  mkdirSync(bin);
  const atlas = `exec "${process.execPath}" "${join(ROOT, "bin/atlas.js")}" "$@"`;
  const shims = {
    atlas,
    npx: `case "$1" in atlas|atlas-gateway) shift;; *) echo "npx $1 would be fetched" >&2; exit 1;; esac\n${atlas}`,
    npm: 'echo "npm is not for these tests" >&2; exit 1',
  };
  for (const [name, text] of Object.entries(shims)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
}

async function openCase(
  gateway: GatewayProcess,
  { agent }: FirstCredentials,
  count: number,
): Promise<string> {
  const response = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${agent.key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: callText({ tool: "crm_delete_contact", argumentsText: `{"contact":"C-${count}"}` }),
  });
  const text = await response.text();
  const ref = /evt_[a-z2-7]{32}/u.exec(text)?.[0];
  if (ref === undefined) throw new Error(`no case: ${text}`);
  return ref;
}

async function runShell(
  text: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn("bash", ["-c", `set -e -o pipefail\n${text}`], options);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (said: string) => (output += said));
  }
  // For whoever asks for a line of standard input.
  child.stdin.end("correct horse battery staple\n");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
