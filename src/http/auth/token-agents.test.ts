import { createHmac } from "node:crypto";
import { type CryptoKey, exportSPKI, importJWK } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Behaviour, newIssuerKey, startIssuer, type TestIssuer } from "../../../test/servers/issuer.ts";
import type { IssuerConfig } from "../../config/config.ts";
import { systemClock } from "../../domain/clock.ts";
import { agentId, personId } from "../../domain/ids.ts";
import type { Admission } from "../../domain/principal.ts";
import type { Log, LogFields } from "../../telemetry/log.ts";
import { createTokenAgents, type TokenAgents, warnOfUnknownAgents } from "./token-agents.ts";

const AUDIENCE = "https://atlas.example.org/mcp";
const AGENT = { id: agentId("billing-bot"), ownerId: personId("owen"), revokedAtMs: null };
const INVALID = { kind: "refused", code: "auth.missing", tokenError: "invalid_token" };

let issuer: TestIssuer;
let agents: TokenAgents;
let revoked: boolean;
let warnings: LogFields[];
let monotonicMs: number;

const write = () => undefined;
const log: Log = {
  debug: write,
  info: write,
  error: write,
  warn: (fields, message) => void warnings.push({ ...fields, message }),
  child: () => log,
};

const store = {
  getAgent: async (id: string) => (id === AGENT.id ? { ...AGENT, revokedAtMs: revoked ? 1 : null } : null),
};

beforeEach(async () => {
  issuer = await startIssuer({ audience: AUDIENCE, subject: "client-7" });
  revoked = false;
  warnings = [];
  monotonicMs = 0;
  agents = tokenAgents();
});
afterEach(async () => {
  vi.useRealTimers();
  await issuer.close();
});

function tokenAgents(wanted: Partial<IssuerConfig> = {}): TokenAgents {
  const config: IssuerConfig = {
    name: "corporate",
    issuer: issuer.url,
    jwksUrl: issuer.jwksUrl,
    audience: AUDIENCE,
    algorithms: ["RS256", "ES256"],
    requiredScopes: [],
    agentClaim: "sub",
    agents: { "client-7": "billing-bot", gone: "nobody" },
    ...wanted,
  };
  const clock = { nowMs: () => systemClock.nowMs(), monotonicMs: () => monotonicMs };
  const issuers = [config];
  return createTokenAgents({ issuers: () => issuers, store, clock, log });
}

const seconds = (fromNow: number) => Math.floor(Date.now() / 1_000) + fromNow;
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function admitted(params: Parameters<TestIssuer["token"]>[0] = {}): Promise<Admission> {
  return agents.admit(await issuer.token(params));
}

describe("a sound token", () => {
  test("opens for the agent that its claim is mapped to, whose owner is on record", async () => {
    expect(await admitted()).toEqual({ kind: "agent", agent: AGENT });
    expect(await admitted({ claims: { aud: ["https://other.example", AUDIENCE] } })).toMatchObject({
      kind: "agent",
    });
  });

  test.each([undefined, "JWT", "at+jwt", "application/at+jwt", "AT+JWT"])(
    "may be of type %s",
    async (typ) => {
      expect(await admitted({ header: { typ } })).toMatchObject({ kind: "agent" });
    },
  );

  test("may be signed with any allowed algorithm", async () => {
    await issuer.rotate("RS256");
    expect(await admitted()).toMatchObject({ kind: "agent" });
  });

  test("may name the agent in another claim, when the operator says so", async () => {
    agents = tokenAgents({ agentClaim: "client_id", agents: { "billing app": "billing-bot" } });
    expect(await admitted({ claims: { client_id: "billing app" } })).toMatchObject({ kind: "agent" });
    expect(await admitted()).toMatchObject({ code: "auth.wrong_principal" });
  });

  test("may be a few seconds ahead or behind", async () => {
    expect(await admitted({ claims: { exp: seconds(-2), nbf: seconds(2) } })).toMatchObject({
      kind: "agent",
    });
  });

  test("does not open for a subject that is no agent, an agent nobody added, or one that was revoked", async () => {
    const refused = { kind: "refused", code: "auth.wrong_principal" };
    for (const sub of [
      "client-8",
      "gone",
      "billing-bot",
      "constructor",
      "__proto__",
      "",
      7,
      ["client-7"],
      undefined,
    ]) {
      const answer = await admitted({ claims: { sub } });
      expect([sub, answer.kind]).toEqual([sub, "refused"]);
    }
    expect(await admitted({ claims: { sub: "client-8" } })).toMatchObject(refused);
    expect(await admitted({ claims: { sub: "gone" } })).toMatchObject(refused);
    revoked = true;
    expect(await admitted()).toMatchObject(refused);
  });

  test("cannot say for itself who it is", async () => {
    const claims = { sub: "client-8", kind: "agent", agent: { id: "billing-bot" }, ok: true };
    expect(await admitted({ claims })).toMatchObject({ kind: "refused", code: "auth.wrong_principal" });
  });

  test("needs every scope that the operator asks for, as scope or scp", async () => {
    agents = tokenAgents({ requiredScopes: ["tools:call", "tools:list"] });
    const lacking = {
      code: "auth.insufficient_scope",
      tokenError: "insufficient_scope",
      scope: "tools:call tools:list",
    };
    for (const claims of [
      {},
      { scope: "tools:call" },
      { scope: "tools:callx tools:list" },
      { scp: { a: 1 } },
    ]) {
      expect(await admitted({ claims })).toMatchObject(lacking);
    }
    expect(await admitted({ claims: { scope: "x tools:list tools:call" } })).toMatchObject({ kind: "agent" });
    expect(await admitted({ claims: { scp: ["tools:list", "tools:call"] } })).toMatchObject({
      kind: "agent",
    });
  });
});

describe("a token that is refused", () => {
  test.each([
    ["expired", { exp: seconds(-60) }, "has expired"],
    ["without an end", { exp: undefined }, "does not say when it expires"],
    ["with an end that is no number", { exp: "tomorrow" }, "does not say when it expires"],
    ["not valid yet", { nbf: seconds(600) }, "not valid yet"],
    ["for another audience", { aud: "https://other.example/mcp" }, "another audience"],
    ["for an audience that only begins like ours", { aud: `${AUDIENCE}/x` }, "another audience"],
    ["for no audience", { aud: undefined }, "another audience"],
    ["of another issuer", { iss: "https://other.example" }, "does not know"],
    ["of an issuer that only looks like ours", { iss: "http://127.0.0.1" }, "does not know"],
    ["without an issuer", { iss: undefined }, "does not know"],
    ["bound to a key", { cnf: { jkt: "x" } }, "bound to a key"],
  ])("because it is %s", async (_name, claims, words) => {
    const answer = await admitted({ claims });
    expect(answer).toMatchObject(INVALID);
    expect(answer).toMatchObject({ message: expect.stringContaining(words) });
  });

  test.each(["id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "JWE"])(
    "because its type is %s",
    async (typ) => {
      expect(await admitted({ header: { typ } })).toMatchObject(INVALID);
    },
  );

  test("because nothing signs it", async () => {
    const [, payload = ""] = (await issuer.token()).split(".");
    for (const alg of ["none", "None", "NONE", ""]) {
      const token = `${part({ alg, typ: "at+jwt" })}.${payload}.`;
      expect(agents.isToken(token)).toBe(true);
      expect(await agents.admit(token)).toMatchObject(INVALID);
    }
    expect(issuer.jwksRequests()).toBe(0);
  });

  test("because it is signed with the public key as a shared secret", async () => {
    const { publicJwk, kid } = await issuer.rotate("RS256");
    const [, payload = ""] = (await issuer.token()).split(".");
    const pem = await exportSPKI((await importJWK(publicJwk, "RS256")) as CryptoKey);
    for (const secret of [pem, JSON.stringify(publicJwk)]) {
      const signed = `${part({ alg: "HS256", kid, typ: "at+jwt" })}.${payload}`;
      const signature = createHmac("sha256", secret).update(signed).digest("base64url");
      expect(await agents.admit(`${signed}.${signature}`)).toMatchObject(INVALID);
    }
  });

  test("because its algorithm is not allowed, though the issuer has such a key", async () => {
    await issuer.rotate("PS256");
    expect(await admitted()).toMatchObject(INVALID);
    expect(issuer.jwksRequests()).toBe(0);
  });

  test("because another key signed it, whatever it says of the key", async () => {
    const own = await newIssuerKey("ES256", issuer.key.kid);
    const { publicJwk } = own;
    expect(await admitted({ key: own })).toMatchObject(INVALID);
    const [, payload = ""] = (await issuer.token()).split(".");
    expect(await admitted({ key: own, header: { jwk: publicJwk } })).toMatchObject(INVALID);
    expect(
      await admitted({ key: own, header: { jku: `${issuer.url}/jwks`, x5u: issuer.url } }),
    ).toMatchObject(INVALID);
    for (const kid of [
      "",
      "../../jwks",
      "/dev/null",
      "' or 1=1 --",
      "http://evil.example/key",
      "x".repeat(2_000),
    ]) {
      expect(await admitted({ key: own, header: { kid } })).toMatchObject(INVALID);
    }
    const [header = "", , signature = ""] = (await issuer.token()).split(".");
    const forged = part({
      ...JSON.parse(Buffer.from(payload, "base64url").toString()),
      sub: "client-7",
      x: 1,
    });
    expect(await agents.admit(`${header}.${forged}.${signature}`)).toMatchObject(INVALID);
  });

  test("because it has a critical extension that nobody here knows", async () => {
    const own = await issuer.token();
    const [, payload = "", signature = ""] = own.split(".");
    const header = part({ alg: "ES256", kid: issuer.key.kid, crit: ["x"], x: 1 });
    expect(await agents.admit(`${header}.${payload}.${signature}`)).toMatchObject(INVALID);
  });

  test("because it is too long, before anything of it is read", async () => {
    expect(await admitted({ claims: { padding: "x".repeat(100_000) } })).toMatchObject(INVALID);
    expect(issuer.jwksRequests()).toBe(0);
  });

  test.each(["a.b.c", "..", "e30.e30.", "atlas_agent_x.y.z"])("because %s is no token", async (text) => {
    expect(await agents.admit(text)).toMatchObject(INVALID);
  });

  test("without a word of it in the answer or the log", async () => {
    const token = await issuer.token({ claims: { sub: "s3cret-subject", aud: "s3cret-audience" } });
    const told = JSON.stringify([await agents.admit(token), warnings]);
    expect(told).not.toContain("s3cret");
    expect(told).not.toContain(token);
  });
});

describe("the issuer's keys", () => {
  test("are asked for once, and again when a token names a new one", async () => {
    await admitted();
    await admitted();
    expect(issuer.jwksRequests()).toBe(1);
    await issuer.rotate();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    expect(await admitted()).toMatchObject({ kind: "agent" });
    expect(issuer.jwksRequests()).toBe(2);
  });

  test("are not asked for again and again because tokens name keys that are not there", async () => {
    await admitted();
    for (let i = 0; i < 20; i += 1)
      expect(await admitted({ header: { kid: `made-up-${i}` } })).toMatchObject(INVALID);
    expect(issuer.jwksRequests()).toBe(1);
  });

  test("that the issuer withdrew are believed ten minutes and no longer", async () => {
    const old = issuer.key;
    await admitted();
    await issuer.rotate();
    expect(await admitted({ key: old })).toMatchObject({ kind: "agent" });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_001 });
    expect(await admitted({ key: old })).toMatchObject(INVALID);
  });

  test.each<Behaviour>(["down", "error", "redirect", "page", "no_set", "huge"])(
    "that cannot be had (%s) let nobody in, and are left alone for a while",
    async (behaviour) => {
      issuer.behave(behaviour);
      const unavailable = { kind: "refused", code: "auth.unavailable" };
      for (let i = 0; i < 5; i += 1) expect(await admitted()).toMatchObject(unavailable);
      expect(issuer.jwksRequests()).toBe(1);
      expect(warnings).toMatchObject([{ issuer: "corporate" }]);
      issuer.behave("well");
      expect(await admitted()).toMatchObject(unavailable);
      monotonicMs += 5_000;
      expect(await admitted()).toMatchObject({ kind: "agent" });
    },
  );

  test("that come too slowly let nobody in", async () => {
    issuer.behave("slow");
    expect(await admitted()).toMatchObject({ kind: "refused", code: "auth.unavailable" });
  });

  test("that were had before serve on while the issuer is down, until they are too old", async () => {
    await admitted();
    issuer.behave("down");
    expect(await admitted()).toMatchObject({ kind: "agent" });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_001 });
    expect(await admitted()).toMatchObject({ code: "auth.unavailable" });
  });

  test("of one issuer do not vouch for another's tokens", async () => {
    const other = await startIssuer({ audience: AUDIENCE, subject: "client-7" });
    const configs = [issuer, other].map(
      ({ url, jwksUrl }, index): IssuerConfig => ({
        name: `issuer-${index}`,
        issuer: url,
        jwksUrl,
        audience: AUDIENCE,
        algorithms: ["ES256"],
        requiredScopes: [],
        agentClaim: "sub",
        agents: index === 0 ? { "client-7": "billing-bot" } : { else: "billing-bot" },
      }),
    );
    agents = createTokenAgents({ issuers: () => configs, store, clock: systemClock, log });
    expect(await admitted({ key: other.key })).toMatchObject(INVALID);
    expect(await agents.admit(await other.token({ claims: { iss: issuer.url } }))).toMatchObject(INVALID);
    expect(await agents.admit(await other.token())).toMatchObject({ code: "auth.wrong_principal" });
    expect(await admitted()).toMatchObject({ kind: "agent" });
    await other.close();
  });
});

test("a reload of the configuration takes agents away and brings others", async () => {
  const config = {
    name: "corporate",
    issuer: issuer.url,
    jwksUrl: issuer.jwksUrl,
    audience: AUDIENCE,
    algorithms: ["ES256"],
    requiredScopes: [],
    agentClaim: "sub",
  };
  let issuers = [{ ...config, agents: { "client-7": "billing-bot" } as Record<string, string> }];
  agents = createTokenAgents({ issuers: () => issuers, store, clock: systemClock, log });
  expect(await admitted()).toMatchObject({ kind: "agent" });
  issuers = [{ ...config, agents: { "client-8": "billing-bot" } }];
  expect(await admitted()).toMatchObject({ code: "auth.wrong_principal" });
  expect(await admitted({ claims: { sub: "client-8" } })).toMatchObject({ kind: "agent" });
});

test("without an issuer nothing has the shape of a token", async () => {
  const none = createTokenAgents({ issuers: () => [], store, clock: systemClock, log });
  expect(none.isToken(await issuer.token())).toBe(false);
});

test("an agent that the configuration names and nobody added is told to the operator once", async () => {
  const issuers = [{ name: "corporate", agents: { a: "billing-bot", b: "nobody", c: "nobody" } }];
  await warnOfUnknownAgents({ issuers, store, log });
  expect(warnings).toMatchObject([{ issuer: "corporate", agent: "nobody" }]);
});
