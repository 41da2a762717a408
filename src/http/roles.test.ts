import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AGENT, type Caller, openTestGateway, type TestGateway } from "./gateway.testing.ts";
import { ROUTES } from "./route-table.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openTestGateway();
});
afterAll(() => gateway.close());

/** Who asks, by what they may do. `owner` is a reviewer who owns the agent that called. */
const WHO = {
  nobody: "nobody",
  stranger: "stranger",
  agent: "agent",
  "no role": "nick",
  auditor: "anna",
  admin: "adam",
  reviewer: "sarah",
  owner: "owen",
} as const satisfies Record<string, Caller>;
type Asker = keyof typeof WHO;
const ASKERS = Object.keys(WHO) as Asker[];

/** Status for each asker; `*` is everybody with a role who is not named. */
type Statuses = Readonly<Partial<Record<Asker | "*", number>>>;

const READS: Statuses = { "*": 200 };
const DECIDES: Statuses = { reviewer: 200, "*": 403 };
const ADMINISTERS = (status: number): Statuses => ({ admin: status, "*": 403 });

interface Row {
  readonly route: string;
  /** The same path with what it is asked about; a fresh case for each asker. */
  readonly path?: (caseRef: string) => string;
  readonly body?: (asker: Asker, digest: string) => object;
  readonly statuses: Statuses;
}

const OF_CASE = (route: string) => (ref: string) => (route.split(" ")[1] ?? "").replace("{ref}", ref);

const TABLE: readonly Row[] = [
  { route: "GET /api/v1/session", statuses: READS },
  {
    route: "POST /api/v1/session/password",
    body: () => ({ token: "atlas_person_guess", new_password: "kettle umbrella fjord" }),
    // Everybody may try; a guessed token proves nothing.
    statuses: { "*": 403 },
  },
  { route: "GET /api/v1/cases", statuses: READS },
  { route: "GET /api/v1/upstreams", statuses: READS },
  { route: "GET /api/v1/cases/{ref}", path: OF_CASE("GET /api/v1/cases/{ref}"), statuses: READS },
  {
    route: "POST /api/v1/cases/{ref}/decision",
    path: OF_CASE("POST /api/v1/cases/{ref}/decision"),
    body: (_, digest) => ({ decision: "APPROVED", digest }),
    statuses: DECIDES,
  },
  {
    route: "POST /api/v1/cases/{ref}/resolution",
    path: OF_CASE("POST /api/v1/cases/{ref}/resolution"),
    body: (_, digest) => ({ resolution: "FAILED", evidence: "Looked.", digest }),
    // The case is not UNKNOWN: who may resolve hears that, and nobody else does.
    statuses: { reviewer: 409, "*": 403 },
  },
  {
    route: "POST /api/v1/cases/{ref}/withdraw",
    path: OF_CASE("POST /api/v1/cases/{ref}/withdraw"),
    // What waits for review a reviewer rejects; withdrawing it is an admin's.
    statuses: { admin: 200, reviewer: 409, owner: 409, auditor: 403 },
  },
  {
    route: "POST /api/v1/cases/{ref}/take",
    path: OF_CASE("POST /api/v1/cases/{ref}/take"),
    body: () => ({}),
    statuses: DECIDES,
  },
  {
    route: "POST /api/v1/cases/{ref}/release",
    path: OF_CASE("POST /api/v1/cases/{ref}/release"),
    // Nobody has taken the case, so there is nothing to be refused.
    statuses: { "*": 200, auditor: 403 },
  },
  {
    route: "POST /api/v1/cases/{ref}/undo",
    path: OF_CASE("POST /api/v1/cases/{ref}/undo"),
    // Nobody has approved it.
    statuses: { admin: 409, "*": 403 },
  },
  {
    route: "GET /api/v1/cases/{ref}/history",
    path: OF_CASE("GET /api/v1/cases/{ref}/history"),
    statuses: READS,
  },
  {
    route: "GET /api/v1/cases/{ref}/events",
    path: OF_CASE("GET /api/v1/cases/{ref}/events"),
    statuses: READS,
  },
  { route: "GET /api/v1/events", statuses: READS },
  { route: "GET /api/v1/kill-switches", statuses: READS },
  {
    route: "POST /api/v1/kill-switches",
    // Nothing is there to be stopped, which only an admin gets to hear.
    body: () => ({ scope: "agent", target: "nobody-there", reason: "A test." }),
    statuses: ADMINISTERS(404),
  },
  {
    route: "POST /api/v1/kill-switches/release",
    body: () => ({ scope: "agent", target: "nobody-there", reason: "A test." }),
    statuses: ADMINISTERS(404),
  },
  { route: "GET /api/v1/rule-suggestions", statuses: READS },
  { route: "GET /api/v1/tools", statuses: READS },
  {
    route: "GET /api/v1/tools/{upstream}/{name}",
    path: () => "/api/v1/tools/welfare/delete_record",
    statuses: READS,
  },
  {
    route: "POST /api/v1/tools/{upstream}/{name}/accept",
    path: () => "/api/v1/tools/welfare/delete_record/accept",
    body: () => ({ pin: "0".repeat(64) }),
    statuses: ADMINISTERS(409),
  },
  { route: "GET /api/v1/people", statuses: ADMINISTERS(200) },
  {
    route: "POST /api/v1/people",
    body: (asker) => ({ id: `new-${asker.replace(" ", "-")}`, roles: ["reviewer"] }),
    statuses: ADMINISTERS(201),
  },
  {
    route: "DELETE /api/v1/people/{id}",
    path: () => "/api/v1/people/nobody-there",
    statuses: ADMINISTERS(404),
  },
  {
    route: "PUT /api/v1/people/{id}/roles",
    path: () => "/api/v1/people/anna/roles",
    body: () => ({ roles: ["auditor"] }),
    statuses: ADMINISTERS(204),
  },
  {
    route: "POST /api/v1/people/{id}/token",
    path: () => "/api/v1/people/nobody-there/token",
    statuses: ADMINISTERS(404),
  },
  { route: "GET /api/v1/agents", statuses: ADMINISTERS(200) },
  {
    route: "POST /api/v1/agents",
    body: (asker) => ({ id: `bot-${asker.replace(" ", "-")}`, owner: "owen" }),
    statuses: ADMINISTERS(201),
  },
  {
    route: "DELETE /api/v1/agents/{id}",
    path: () => "/api/v1/agents/nobody-there",
    statuses: ADMINISTERS(404),
  },
  {
    route: "POST /webhook/approval",
    body: (_, digest) => ({ decision: "APPROVED", event_id: "REF", digest }),
    statuses: { ...DECIDES, "no role": 403 },
  },
];

function expectedOf({ statuses }: Row, asker: Asker): number {
  if (asker === "nobody" || asker === "stranger") return 401;
  if (asker === "agent" || asker === "no role") return statuses[asker] ?? 403;
  return statuses[asker] ?? statuses["*"] ?? Number.NaN;
}

describe("roles", () => {
  test("every route for people is in the table", () => {
    const forPeople = ROUTES.filter(({ who }) => who === "person" || who === "admin" || who === "decider");
    expect(TABLE.map(({ route }) => route).sort()).toEqual(
      forPeople.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort(),
    );
  });

  describe.each(TABLE)("$route", (row) => {
    test.each(ASKERS)("%s", async (asker) => {
      const [method = "", described = ""] = row.route.split(" ");
      const open = await gateway.openCase();
      const token = gateway.token(WHO[asker]);
      const body = row.body?.(asker, open.actionDigest);
      const response = await gateway.app.request(row.path?.(open.ref) ?? described, {
        method,
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(body && { body: JSON.stringify(body).replace("REF", open.ref) }),
      });
      await response.body?.cancel();
      expect(response.status).toBe(expectedOf(row, asker));
      // Whoever was refused changed nothing.
      if (response.status >= 400) expect(await gateway.store.getCase(open.ref)).toEqual(open);
    });
  });

  test("what was refused left nobody and nothing behind", async () => {
    const people = (await gateway.store.listPeople()).map(({ id }) => id);
    expect(people.filter((id) => id.startsWith("new-"))).toEqual(["new-admin"]);
    const agents = (await gateway.store.listAgents()).map(({ id }) => id);
    expect(agents.sort()).toEqual([AGENT, "bot-admin"].sort());
  });
});
