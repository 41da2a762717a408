import { describe, expect, it } from "vitest";
import { load } from "./config.testing.ts";

const ISSUER = `public_url: https://atlas.example.org
agents:
  issuers:
    corporate:
      issuer: https://id.example.org/
      jwks_url: https://id.example.org/jwks
      audience: https://atlas.example.org/mcp
      agents: { client-7: billing-bot }
`;

describe("public_url", () => {
  it.each([
    ["https://atlas.example.org", "https://atlas.example.org", ""],
    ["https://atlas.example.org/", "https://atlas.example.org", ""],
    ["https://example.org:8443/tools/atlas/", "https://example.org:8443/tools/atlas", "/tools/atlas"],
  ])("%s is %s with the prefix %j", (text, publicUrl, publicPath) => {
    expect(load(`public_url: ${text}`)).toMatchObject({ publicUrl, publicPath });
  });

  it("is the console's address in notifications, unless they name another", () => {
    const webhook = "url: https://hooks.example.org/x, secret: '${WEBHOOK}'";
    const text = `public_url: https://example.org/atlas\nnotify: { webhook: { ${webhook} } }`;
    expect(load(text).notify.webhook?.consoleUrl).toBe("https://example.org/atlas/console");
    const other = text.replace("secret", "console_url: https://desk.example.org, secret");
    expect(load(other).notify.webhook?.consoleUrl).toBe("https://desk.example.org");
  });

  it.each([
    ["atlas.example.org", "no absolute URL"],
    ["ftp://atlas.example.org", "neither http nor https"],
    ["https://user:x@atlas.example.org", "holds credentials"],
    ["https://atlas.example.org/?a=1", "has a query or a fragment"],
    ["https://atlas.example.org/a//b", "the path may hold"],
    ["https://atlas.example.org/%41", "the path may hold"],
    ["https://atlas.example.org/mcp", "a path of the gateway itself"],
    ["https://atlas.example.org/.well-known/x", "a path of the gateway itself"],
  ])("may not be %s", (url, problem) => {
    expect(() => load(`public_url: ${url}`)).toThrow(problem);
  });
});

describe("listen", () => {
  it("takes addresses and networks of proxies, and more names to answer for", () => {
    const text =
      "listen: { trusted_proxies: [10.0.0.0/8, 127.0.0.1, 'fd00::/8'], allowed_hosts: [atlas.internal, 10.1.2.3] }";
    expect(load(text).listen).toMatchObject({
      trustedProxies: ["10.0.0.0/8", "127.0.0.1", "fd00::/8"],
      allowedHosts: ["atlas.internal", "10.1.2.3"],
    });
  });

  it.each([
    "10.0.0.0/33",
    "0.0.0.0/0",
    "::/0",
    "10.0.0/8",
    "proxy.example.org",
    "10.0.0.0/8/8",
    "'fd00::/129'",
  ])("does not take %s for proxies", (network) => {
    expect(() => load(`listen: { trusted_proxies: [${network}] }`)).toThrow(
      "listen.trusted_proxies[0]: this is no address and no network",
    );
  });

  it.each(["https://atlas.internal", "'atlas.internal:8000'", "'*'", "'-'", "''"])(
    "does not take %s for a host name",
    (host) => {
      expect(() => load(`listen: { allowed_hosts: [${host}] }`)).toThrow("this is no host name");
    },
  );
});

describe("agents.issuers", () => {
  it("has defaults for all but who issues, for what, and for whom", () => {
    expect(load(ISSUER).agents.issuers).toEqual([
      {
        name: "corporate",
        issuer: "https://id.example.org/",
        jwksUrl: "https://id.example.org/jwks",
        audience: "https://atlas.example.org/mcp",
        algorithms: ["RS256", "ES256"],
        requiredScopes: [],
        agentClaim: "sub",
        agents: { "client-7": "billing-bot" },
      },
    ]);
  });

  it.each([
    [ISSUER.replace(/^public_url.*\n/u, ""), "agents.issuers: agents learn from `public_url`"],
    [ISSUER.replace("id.example.org/jwks", "id.example.org/jwks\n      algorithms: [none]"), "algorithms[0]"],
    [
      ISSUER.replace("id.example.org/jwks", "id.example.org/jwks\n      algorithms: [HS256]"),
      "algorithms[0]",
    ],
    [ISSUER.replace("id.example.org/jwks", "id.example.org/jwks\n      algorithms: []"), "the list is empty"],
    [ISSUER.replace("https://id.example.org/jwks", "http://id.example.org/jwks"), "over plain http"],
    [ISSUER.replace("https://id.example.org/\n", "http://id.example.org/\n"), "over plain http"],
    [ISSUER.replace("{ client-7: billing-bot }", "{}"), "it names no agent"],
    [ISSUER.replace("billing-bot", "'billing bot'"), "this is no agent's id"],
    [ISSUER.replace(/ {6}audience.*\n/u, ""), "audience: it is missing"],
    [
      `${ISSUER}    again: { issuer: https://id.example.org/, jwks_url: https://x.example/j, audience: a, agents: { a: b } }\n`,
      "agents.issuers.again.issuer: an earlier entry has this issuer",
    ],
  ])("refuses %j", (text, problem) => {
    expect(() => load(text)).toThrow(problem);
  });

  it("lets an issuer on this machine speak plain http", () => {
    const text = ISSUER.replaceAll("https://id.example.org", "http://127.0.0.1:9000");
    expect(load(text).agents.issuers[0]?.jwksUrl).toBe("http://127.0.0.1:9000/jwks");
  });
});
