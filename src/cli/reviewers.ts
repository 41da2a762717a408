import { Command, Option } from "commander";
import { sha256 } from "../domain/digest.ts";
import { newCredential, personId, secureRandomBytes } from "../domain/ids.ts";
import { ROLES, type Role } from "../domain/principal.ts";
import { withAdminStore } from "./admin-store.ts";
import { dataOption, type WhereOptions } from "./where.ts";

interface AddOptions extends WhereOptions {
  readonly role: readonly Role[];
}

export function reviewersCommand(): Command {
  const reviewers = new Command("reviewers").description("the people who decide");
  reviewers
    .command("add <id>")
    .description("add a person and print their token, once")
    .addOption(new Option("--role <role...>", "what they may do").choices([...ROLES]).default(["reviewer"]))
    .addOption(dataOption())
    .action(add);
  reviewers.command("list").description("people and their roles").addOption(dataOption()).action(list);
  return reviewers;
}

async function add(idText: string, options: AddOptions): Promise<void> {
  const id = personId(idText);
  const token = newCredential("person", secureRandomBytes);
  await withAdminStore(options, (store) =>
    store.addPerson({ id, roles: options.role, tokenSha256: sha256(token), by: null }),
  );
  console.log(`${id} (${options.role.join(", ")}). Their token, shown only now:\n${token}`);
}

async function list(options: WhereOptions): Promise<void> {
  for (const person of await withAdminStore(options, (store) => store.listPeople())) {
    console.log(`${person.id}  ${person.roles.join(", ") || "no role"}`);
  }
}
