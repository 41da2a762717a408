import { createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Gateway, startGateway } from "../../src/app.ts";
import { FIRST_CREDENTIALS_FILE, firstCredentialsSchema } from "../../src/bootstrap.ts";
import { withAdminStore } from "../../src/cli/admin-store.ts";
import type { WhereOptions } from "../../src/cli/where.ts";
import { loadConfig } from "../../src/config/load.ts";
import { sha256 } from "../../src/domain/digest.ts";
import { type AgentId, newCredential, type PersonId, secureRandomBytes } from "../../src/domain/ids.ts";
import type { Role } from "../../src/domain/principal.ts";
import { SIGNING_KEY_FILE } from "../../src/ledger/signing-key.ts";
import { type LedgerReport, verifyLedger } from "../../src/ledger/verify.ts";
import { DATABASE_FILE } from "../../src/open-store.ts";
import type { ReloadOutcome } from "../../src/reload.ts";
import { openLedgerReader } from "../../src/store/sqlite/ledger-reader.ts";
import { createLog } from "../../src/telemetry/log.ts";

const COUNTING_UPSTREAM = join(import.meta.dirname, "../servers/counting-upstream.ts");

export interface ScenarioParams {
  /** The configuration file's text; `listen` is left to the scenario. */
  readonly yaml: (folder: string) => string;
}

/** A whole gateway in this process: real port, real database in a folder of its own, real child processes. */
export interface Scenario {
  /** Holds the configuration, and whatever the upstreams of the scenario write. */
  readonly folder: string;
  readonly dataDir: string;
  readonly url: string;
  /** Key of the first start's agent, which `operator` owns. */
  readonly agentKey: string;
  /** Token of the first start's reviewer, `sarah`. */
  readonly reviewerToken: string;
  /** Everything the gateway logged, of every start. */
  readonly logText: () => string;
  /** Adds an agent beside the running gateway. @returns its key */
  addAgent(id: string, ownerId?: string): Promise<string>;
  /** Adds a person beside the running gateway. @returns their token */
  addPerson(id: string, roles: readonly Role[]): Promise<string>;
  /** Writes another configuration file and lets the running gateway read it. */
  reload(yaml: string): Promise<ReloadOutcome>;
  /** Closes the gateway; the folder stays. */
  stop(): Promise<void>;
  /** Starts it again on the same folder, on another port. */
  start(): Promise<void>;
  /** What an auditor finds who trusts the folder's own key. */
  verifyLedger(): LedgerReport;
  /** All events, as they are stored. */
  ledgerText(): string;
  close(): Promise<void>;
}

export async function openScenario(params: ScenarioParams): Promise<Scenario> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-scenario-"));
  const dataDir = join(folder, "data");
  const file = join(folder, "atlas.yaml");
  writeFileSync(file, params.yaml(folder));
  const where = { data: dataDir, config: file };
  const lines: string[] = [];
  const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
  const load = () => loadConfig({ path: file, env: process.env, dataDir, overrides: { port: 0 } });

  let gateway: Gateway | null = await startGateway(load(), log);
  const credentials = firstCredentialsSchema.parse(
    JSON.parse(readFileSync(join(dataDir, FIRST_CREDENTIALS_FILE), "utf8")),
  );
  const stop = async (): Promise<void> => {
    const running = gateway;
    gateway = null;
    await running?.close();
  };
  return {
    folder,
    dataDir,
    get url() {
      if (gateway === null) throw new Error("the gateway is stopped");
      return gateway.url;
    },
    agentKey: credentials.agent.key,
    reviewerToken: credentials.reviewer.token,
    logText: () => lines.join(""),
    addAgent: (id, ownerId = "operator") => addAgent(where, id as AgentId, ownerId as PersonId),
    addPerson: (id, roles) => addPerson(where, id as PersonId, roles),
    reload: (yaml) => {
      if (gateway === null) throw new Error("the gateway is stopped");
      writeFileSync(file, yaml);
      return gateway.reload(load);
    },
    stop,
    start: async () => {
      gateway = await startGateway(load(), log);
    },
    verifyLedger: () => verifyDataFolder(dataDir),
    ledgerText: () => readLedger(dataDir),
    close: async () => {
      try {
        await stop();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

async function addAgent(where: WhereOptions, id: AgentId, ownerId: PersonId): Promise<string> {
  const key = newCredential("agent", secureRandomBytes);
  await withAdminStore(where, async (store) => {
    if ((await store.getPerson(ownerId)) === null) {
      await store.addPerson({ id: ownerId, roles: [], tokenSha256: null, by: null });
    }
    await store.addAgent({ id, ownerId, keySha256: sha256(key), by: null });
  });
  return key;
}

async function addPerson(where: WhereOptions, id: PersonId, roles: readonly Role[]): Promise<string> {
  const token = newCredential("person", secureRandomBytes);
  await withAdminStore(where, (store) =>
    store.addPerson({ id, roles, tokenSha256: sha256(token), by: null }),
  );
  return token;
}

function verifyDataFolder(dataDir: string): LedgerReport {
  const reader = openLedgerReader(join(dataDir, DATABASE_FILE));
  try {
    return verifyLedger({
      events: reader.events(),
      heads: reader.heads(),
      publicKey: createPublicKey(readFileSync(join(dataDir, SIGNING_KEY_FILE), "utf8")),
      cases: reader.cases(),
      payloads: reader.payloads(),
    });
  } finally {
    reader.close();
  }
}

function readLedger(dataDir: string): string {
  const reader = openLedgerReader(join(dataDir, DATABASE_FILE));
  try {
    return [...reader.events()].map((event) => event.bytes).join("\n");
  } finally {
    reader.close();
  }
}

/** One entry of `upstreams:` that starts the counting server; JSON is YAML, too. */
export function countingUpstream(params: {
  readonly name: string;
  readonly recordFile: string;
  readonly controlFile?: string;
}): string {
  const control = params.controlFile === undefined ? [] : ["--control", params.controlFile];
  const args = [COUNTING_UPSTREAM, "--record", params.recordFile, ...control];
  return `${params.name}: ${JSON.stringify({ command: process.execPath, args })}`;
}
