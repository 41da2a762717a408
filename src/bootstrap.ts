import { existsSync } from "node:fs";
import { open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { sha256 } from "./domain/digest.ts";
import { AtlasError } from "./domain/errors.ts";
import { agentId, newCredential, personId, type RandomBytes } from "./domain/ids.ts";
import type { PrincipalStore } from "./governance/ports.ts";

export const FIRST_CREDENTIALS_FILE = "first-credentials.json";

export const firstCredentialsSchema = z.object({
  note: z.string(),
  agent: z.object({ id: z.string(), key: z.string() }),
  reviewer: z.object({ id: z.string(), token: z.string() }),
});

export type FirstCredentials = z.infer<typeof firstCredentialsSchema>;

/** Three principals, so that nobody decides on a call of their own agent: the agent, its owner, and the reviewer. */
const FIRST_AGENT = agentId("first-agent");
const FIRST_OWNER = personId("operator");
const FIRST_REVIEWER = personId("sarah");

export interface BootstrapParams {
  readonly dataDir: string;
  readonly store: PrincipalStore;
  readonly random: RandomBytes;
  /** `ATLAS_API_KEY`: the first agent's key, when the operator brings their own. */
  readonly agentKey: string | undefined;
}

/**
 * On the first start, makes an agent and a reviewer and writes their credentials to a file that only
 * this user can read; the database keeps their hashes only. Safe to repeat after a crash at any point.
 *
 * @returns the path of the file when this call wrote it, else null
 * @throws AtlasError `config.invalid` when `ATLAS_API_KEY` is too short to be a key
 */
export async function bootstrapPrincipals(params: BootstrapParams): Promise<string | null> {
  const { store } = params;
  const file = path.join(params.dataDir, FIRST_CREDENTIALS_FILE);
  const others = (await store.listPeople()).filter((p) => p.id !== FIRST_OWNER && p.id !== FIRST_REVIEWER);
  if ((await store.getAgent(FIRST_AGENT)) !== null || others.length > 0) return null;

  const credentials = await readOrWriteCredentials(file, params);
  if ((await store.getPerson(FIRST_OWNER)) === null) {
    await store.addPerson({ id: FIRST_OWNER, roles: [], tokenSha256: null, by: null });
  }
  if ((await store.getPerson(FIRST_REVIEWER)) === null) {
    const tokenSha256 = sha256(credentials.reviewer.token);
    await store.addPerson({ id: FIRST_REVIEWER, roles: ["reviewer"], tokenSha256, by: null });
  }
  // Last, because its presence says that the first start is complete.
  await store.addAgent({
    id: FIRST_AGENT,
    ownerId: FIRST_OWNER,
    keySha256: sha256(credentials.agent.key),
    by: null,
  });
  return file;
}

/** The file is on disk before the database knows its credentials; a start that died in between leaves it to the next. */
async function readOrWriteCredentials(file: string, params: BootstrapParams): Promise<FirstCredentials> {
  if (existsSync(file)) return firstCredentialsSchema.parse(JSON.parse(await readFile(file, "utf8")));
  if (params.agentKey !== undefined && params.agentKey.length < 24) {
    throw new AtlasError(
      "config.invalid",
      "ATLAS_API_KEY is shorter than 24 characters; use a long random value.",
    );
  }
  const credentials: FirstCredentials = {
    note: "Made on the first start. Hand each credential to its holder, then delete this file.",
    agent: { id: FIRST_AGENT, key: params.agentKey ?? newCredential("agent", params.random) },
    reviewer: { id: FIRST_REVIEWER, token: newCredential("person", params.random) },
  };
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(credentials, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  return credentials;
}
