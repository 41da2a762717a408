import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { withAdminStore } from "../../src/cli/admin-store.ts";
import type { AgentId, PersonId } from "../../src/domain/ids.ts";
import { refIn, sendDecision, wireAgent } from "../scenario/agent.ts";
import { countingUpstream, openScenario, type Scenario } from "../scenario/gateway.ts";
import { startIssuer, type TestIssuer } from "../servers/issuer.ts";
import { type ReverseProxy, startReverseProxy } from "../servers/reverse-proxy.ts";

const PREFIX = "/tools/atlas";

let issuer: TestIssuer;
let proxy: ReverseProxy;
let gateway: Scenario;
/** Token of the agents' owner. */
let olga: string;

beforeAll(async () => {
  proxy = await startReverseProxy({ prefix: PREFIX, strips: true, keepsHost: true });
  issuer = await startIssuer({ audience: `${proxy.url}/mcp`, subject: "client-7" });
  gateway = await openScenario({
    yaml: (folder) => `
public_url: ${proxy.url}
agents:
  issuers:
    corporate:
      issuer: ${issuer.url}
      jwks_url: ${issuer.jwksUrl}
      audience: ${proxy.url}/mcp
      required_scopes: [tools]
      agents: { client-7: token-bot, client-8: revoked-bot }
upstreams:
  ${countingUpstream({ name: "live", recordFile: `${folder}/live.jsonl` })}
  ${countingUpstream({ name: "held", recordFile: `${folder}/held.jsonl` })}
policy:
  - { upstream: live, agent: token-bot, verdict: allow }
  - { verdict: review }
`,
  });
  proxy.connect(gateway.url);
  olga = await gateway.addPerson("olga", ["reviewer"]);
  await withAdminStore({ data: gateway.dataDir }, async (store) => {
    const ownerId = "olga" as PersonId;
    for (const id of ["token-bot", "revoked-bot"] as AgentId[])
      await store.addAgent({ id, ownerId, keySha256: null, by: null });
    await store.revokeAgent({ id: "revoked-bot" as AgentId, by: null });
  });
});
afterEach(() => void vi.useRealTimers());
afterAll(async () => {
  await gateway.close();
  await proxy.close();
  await issuer.close();
});

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
const soundToken = (claims: Record<string, unknown> = {}) =>
  issuer.token({ claims: { scope: "tools", ...claims } });

describe("an agent with a token of the issuer", () => {
  test("finds the issuer by the gateway's challenge, gets a token and calls a tool, all by itself", async () => {
    const authProvider = new ClientCredentialsProvider({
      clientId: "client-7",
      clientSecret: "s3cret",
      expectedIssuer: issuer.url,
    });
    const client = new Client({ name: "token-client", version: "1.0.0" });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${proxy.url}/mcp`), { authProvider }));
    const result = await client.callTool({ name: "live_read_thing", arguments: {} });
    expect(result.content).toEqual([{ type: "text", text: "read_thing done" }]);
    await client.close();
    const [asked] = issuer.tokenRequests;
    expect(asked?.get("resource")).toBe(`${proxy.url}/mcp`);
    expect(asked?.get("scope")).toBe("tools");
  });

  test("is the agent that policy and record know, and its owner decides nothing of it", async () => {
    const agent = wireAgent(gateway, await soundToken());
    const ref = refIn(await agent.call("held_write_thing"));
    const approval = { decision: "APPROVED", event_id: ref };
    expect((await sendDecision(gateway, approval, await soundToken())).status).toBe(403);
    expect((await sendDecision(gateway, approval, olga)).status).toBe(403);
    expect((await sendDecision(gateway, approval)).status).toBe(200);
    expect(gateway.ledgerText()).toContain('"token-bot"');
  });

  test("stays on an event stream only as long as its token is good", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    const headers = { authorization: `Bearer ${await soundToken()}` };
    const { body } = await fetch(`${gateway.url}/mcp/sse`, { headers });
    const frames = (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
    expect((await frames.read()).value).toContain("event: endpoint");
    vi.advanceTimersByTime(15_000);
    expect((await frames.read()).value).toBe(": keep-alive\n\n");
    vi.advanceTimersByTime(60_000);
    expect((await frames.read()).done).toBe(true);
  });
});

describe("whoever has no such token", () => {
  const ask = (headers: Record<string, string>, path = "/mcp") =>
    fetch(`${gateway.url}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body: LIST,
    });
  const metadata = () => `resource_metadata="${proxy.url}/.well-known/oauth-protected-resource/mcp"`;

  test("is told where to get one", async () => {
    const response = await ask({});
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe(`Bearer scope="tools", ${metadata()}`);
    const document = await fetch(/"(.*)"/.exec(metadata())?.[1] ?? "");
    expect(await document.json()).toEqual({
      resource: `${proxy.url}/mcp`,
      authorization_servers: [issuer.url],
      bearer_methods_supported: ["header"],
      scopes_supported: ["tools"],
      resource_name: "ATLAS Governance Gateway",
    });
  });

  test.each([
    ["", ""],
    ["", "/mcp"],
    [PREFIX, ""],
    ["", `${PREFIX}/mcp`],
    ["", PREFIX],
  ])("finds the metadata at %s/.well-known/oauth-protected-resource%s", async (before, after) => {
    const response = await fetch(`${gateway.url}${before}/.well-known/oauth-protected-resource${after}`);
    expect(await response.json()).toMatchObject({ resource: `${proxy.url}/mcp` });
  });

  test("is told what is wrong with the one it has", async () => {
    const expired = await ask({ authorization: `Bearer ${await soundToken({ exp: 1 })}` });
    expect(expired.status).toBe(401);
    expect(expired.headers.get("www-authenticate")).toBe(
      `Bearer error="invalid_token", scope="tools", ${metadata()}`,
    );
    expect(await expired.text()).toContain("has expired");

    const narrow = await ask({ authorization: `Bearer ${await soundToken({ scope: "other" })}` });
    expect(narrow.status).toBe(403);
    expect(narrow.headers.get("www-authenticate")).toBe(
      `Bearer error="insufficient_scope", scope="tools", ${metadata()}`,
    );

    const revoked = await ask({ authorization: `Bearer ${await soundToken({ sub: "client-8" })}` });
    expect(revoked.status).toBe(403);
    expect(await revoked.json()).toMatchObject({ error: { data: { code: "auth.wrong_principal" } } });
    expect(revoked.headers.has("www-authenticate")).toBe(false);
  });

  test("does not get in by a token anywhere but in Authorization", async () => {
    const token = await soundToken();
    for (const response of [
      await ask({}, `/mcp?access_token=${token}`),
      await ask({}, `/mcp?token=${token}`),
      await ask({ cookie: `access_token=${token}; atlas_session=${token}` }),
      await ask({ "x-api-key": token }),
      await ask({ authorization: `Basic ${token}` }),
      await ask({ authorization: `DPoP ${token}` }),
      await ask({ authorization: `Bearer ${token}, Bearer ${token}` }),
    ]) {
      expect(response.status).toBe(401);
    }
    expect(gateway.logText()).not.toContain(token);
  });

  test("and one of 100 KB gets nowhere", async () => {
    const padding = "x".repeat(100_000);
    const response = await ask({ authorization: `Bearer ${await soundToken({ padding })}` });
    expect([401, 431]).toContain(response.status);
  });

  test("is refused for a while when the issuer does not give its keys", async () => {
    await gateway.stop();
    await gateway.start();
    proxy.connect(gateway.url);
    issuer.behave("down");
    const response = await ask({ authorization: `Bearer ${await soundToken()}` });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ error: { data: { code: "auth.unavailable" } } });
    // Keys of the gateway's own go on opening.
    expect((await ask({ authorization: `Bearer ${gateway.agentKey}` })).status).toBe(200);
    issuer.behave("well");
  });
});

test("without an issuer there are no metadata, and the challenge names none", async () => {
  const plain = await openScenario({ yaml: () => "upstreams: {}\n" });
  for (const path of ["", "/mcp"]) {
    expect((await fetch(`${plain.url}/.well-known/oauth-protected-resource${path}`)).status).toBe(404);
  }
  for (const headers of [
    {},
    { authorization: "Bearer wrong" },
    { authorization: `Bearer ${await soundToken()}` },
  ]) {
    const response = await fetch(`${plain.url}/mcp`, { method: "POST", headers, body: LIST });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
  }
  await plain.close();
});
