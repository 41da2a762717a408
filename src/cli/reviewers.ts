import { Command, Option } from "commander";
import { sha256 } from "../domain/digest.ts";
import { AtlasError } from "../domain/errors.ts";
import { newCredential, type PersonId, personId, secureRandomBytes } from "../domain/ids.ts";
import { passwordProblem } from "../domain/password.ts";
import { type Person, ROLES, type Role } from "../domain/principal.ts";
import type { PersonChange, SignInMeans } from "../governance/account-ports.ts";
import { createPasswordHasher } from "../governance/password-hash.ts";
import { withAdminStore } from "./admin-store.ts";
import { readNewSecret } from "./secret-input.ts";
import { dataOption, type WhereOptions } from "./where.ts";

interface RoleOptions extends WhereOptions {
  readonly role: readonly Role[];
}

export function reviewersCommand(): Command {
  const reviewers = new Command("reviewers").description("the people who decide, configure and audit");
  const sub = (name: string, description: string) =>
    reviewers.command(name).description(description).addOption(dataOption());
  sub("add <id>", "add a person and print their token, once")
    .addOption(roleOption().default(["reviewer"]))
    .action(add);
  sub("list", "people, their roles and how they can sign in").action(list);
  sub("roles <id>", "say what a person may do from now on; signs them out everywhere")
    .addOption(roleOption().makeOptionMandatory())
    .action(changeRoles);
  sub(
    "password <id>",
    "set a person's password, typed at the prompt or sent to standard input; signs them out everywhere",
  ).action(setPassword);
  sub(
    "token <id>",
    "give a person a new token and print it, once; the old one opens nothing any more, and they are signed out everywhere",
  ).action(rotateToken);
  sub("revoke <id>", "revoke a person: their password, token and sessions open nothing any more").action(
    revoke,
  );
  return reviewers;
}

function roleOption(): Option {
  return new Option("--role <role...>", "what they may do").choices([...ROLES]);
}

async function add(idText: string, options: RoleOptions): Promise<void> {
  const id = personId(idText);
  const token = newCredential("person", secureRandomBytes);
  await withAdminStore(options, (store) =>
    store.addPerson({ id, roles: options.role, tokenSha256: sha256(token), by: null }),
  );
  console.log(`${id} (${options.role.join(", ")}). Their token, shown only now:\n${token}`);
}

async function list(options: WhereOptions): Promise<void> {
  const [people, means] = await withAdminStore(options, (store) =>
    Promise.all([store.listPeople(), store.listSignInMeans()]),
  );
  for (const person of people) {
    const roles = person.roles.join(", ") || "no role";
    console.log(`${person.id}  ${roles}  ${standing(person, means.get(person.id))}`);
  }
}

function standing(person: Person, means: SignInMeans | undefined): string {
  if (person.revokedAtMs !== null) return "revoked";
  const has = (["password", "token"] as const).filter((way) => means?.[way] === true);
  return has.join(" and ") || "cannot sign in";
}

async function changeRoles(idText: string, options: RoleOptions): Promise<void> {
  const id = personId(idText);
  const change = await withAdminStore(options, (store) =>
    store.changeRoles({ id, roles: options.role, by: null }),
  );
  requireDone(id, change);
  console.log(`${id} is ${options.role.join(", ")} from now on.`);
}

async function setPassword(idText: string, options: WhereOptions): Promise<void> {
  const id = personId(idText);
  const known = await withAdminStore(options, (store) => store.getPerson(id));
  if (known === null || known.revokedAtMs !== null) throw unknownPerson(id);
  const password = await readNewSecret(`New password for ${id}`);
  const problem = passwordProblem(password, id);
  if (problem !== null) throw new AtlasError("config.invalid", `The password ${problem}.`);
  const hash = await createPasswordHasher({ random: secureRandomBytes }).hash(password);
  // One hash alone never waits for its turn.
  if (hash === null) throw new AtlasError("internal", "The password could not be hashed.");
  const result = await withAdminStore(options, (store) => store.setPassword({ id, hash, own: null }));
  if (result !== "set") throw unknownPerson(id);
  console.log(`The password of ${id} is set; they are signed out everywhere.`);
}

async function rotateToken(idText: string, options: WhereOptions): Promise<void> {
  const id = personId(idText);
  const token = newCredential("person", secureRandomBytes);
  const params = { id, tokenSha256: sha256(token), by: null };
  if (!(await withAdminStore(options, (store) => store.rotateToken(params)))) throw unknownPerson(id);
  console.log(`The new token of ${id}, shown only now; the old one opens nothing any more:\n${token}`);
}

async function revoke(idText: string, options: WhereOptions): Promise<void> {
  const id = personId(idText);
  requireDone(id, await withAdminStore(options, (store) => store.revokePerson({ id, by: null })));
  console.log(`${id} is revoked.`);
}

function requireDone(id: PersonId, change: PersonChange): void {
  if (change !== "done") throw unknownPerson(id);
}

function unknownPerson(id: PersonId): AtlasError {
  return new AtlasError("resource.not_found", `There is no person ${id} who is not revoked already.`);
}
