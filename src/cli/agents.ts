import { Command } from "commander";
import { sha256 } from "../domain/digest.ts";
import { AtlasError } from "../domain/errors.ts";
import { agentId, newCredential, personId, secureRandomBytes } from "../domain/ids.ts";
import { withAdminStore } from "./admin-store.ts";
import { dataOption, type WhereOptions } from "./where.ts";

interface AddOptions extends WhereOptions {
  readonly owner: string;
  readonly key: boolean;
}

export function agentsCommand(): Command {
  const agents = new Command("agents").description("the principals that call tools");
  agents
    .command("add <id>")
    .description("add an agent and print its key, once")
    .requiredOption("--owner <person>", "who answers for it, and so never decides its cases")
    .option("--no-key", "it gets in only by a token of an issuer that the configuration maps to it")
    .addOption(dataOption())
    .action(add);
  agents
    .command("revoke <id>")
    .description("revoke an agent: its key opens nothing, its waiting cases will not run")
    .addOption(dataOption())
    .action(revoke);
  agents.command("list").description("agents and their owners").addOption(dataOption()).action(list);
  return agents;
}

async function add(idText: string, options: AddOptions): Promise<void> {
  const id = agentId(idText);
  const ownerId = personId(options.owner);
  const key = options.key ? newCredential("agent", secureRandomBytes) : null;
  await withAdminStore(options, async (store) => {
    if ((await store.getPerson(ownerId)) === null) {
      await store.addPerson({ id: ownerId, roles: [], tokenSha256: null, by: null });
    }
    await store.addAgent({ id, ownerId, keySha256: key === null ? null : sha256(key), by: null });
  });
  const about = key === null ? "It has no key." : `Its key, shown only now:\n${key}`;
  console.log(`Agent ${id}, owned by ${ownerId}. ${about}`);
}

async function revoke(idText: string, options: WhereOptions): Promise<void> {
  const id = agentId(idText);
  const revoked = await withAdminStore(options, (store) => store.revokeAgent({ id, by: null }));
  if (!revoked)
    throw new AtlasError("resource.not_found", `There is no agent ${id} that is not revoked already.`);
  console.log(`Agent ${id} is revoked.`);
}

async function list(options: WhereOptions): Promise<void> {
  const agents = await withAdminStore(options, (store) => store.listAgents());
  for (const agent of agents) {
    console.log(`${agent.id}  owner ${agent.ownerId}${agent.revokedAtMs === null ? "" : "  revoked"}`);
  }
}
