import type { Guard } from "./guards-list.ts";

const STORE = "src/store/sqlite/sqlite-store.test.ts";
const ROLES = "src/http/roles.test.ts";
const SESSION = "src/http/routes/session.test.ts";

/** 4. Who decides: what keeps people to their roles, and sessions and passwords to their owners. */
export const GUARDS_OF_PEOPLE: readonly Guard[] = [
  {
    guard: "people: only an admin administers over HTTP",
    file: "src/http/auth/person-guard.ts",
    without: '!c.get("person").roles.includes("admin")',
    instead: "false",
    test: ROLES,
  },
  {
    guard: "people: still an admin when the change commits",
    file: "src/store/administrator.ts",
    without: 'person !== null && person.revokedAtMs === null && person.roles.includes("admin")',
    instead: "true",
    test: STORE,
  },
  {
    guard: "people: a change of standing ends their sessions",
    file: "src/store/commands/accounts.ts",
    without: "    yield* sessions.closeAll(person.id);\n",
    instead: "",
    test: STORE,
  },
  {
    guard: "session: what opened it is still good",
    file: "src/store/commands/sessions.ts",
    without: "!(yield* stillGood(proof, person, deps))",
    instead: "false",
    test: STORE,
  },
  {
    guard: "session: a change comes from our own page",
    file: "src/http/auth/person-guard.ts",
    without: 'c.req.header(CSRF_HEADER) === "1" && isSameOrigin(c)',
    instead: "true",
    test: SESSION,
  },
  {
    guard: "password: one's own change needs the old one",
    file: "src/governance/sign-in.ts",
    without: 'if (verified.kind === "matches") return null;\n  await',
    instead: "return null;\n  await",
    test: SESSION,
  },
  {
    guard: "sign-in: tries count from their start",
    file: "src/http/auth/sign-in-throttle.ts",
    without: "count.failures += 1;",
    instead: "",
    test: "src/http/auth/sign-in-throttle.test.ts",
  },
];
