import { request } from "node:http";
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ReverseProxy, type ReverseProxyParams, startReverseProxy } from "../servers/reverse-proxy.ts";
import { refIn } from "./agent.ts";
import { countingUpstream, openScenario, type Scenario } from "./gateway.ts";

const PROXIES: readonly (ReverseProxyParams & { readonly name: string })[] = [
  { name: "without a prefix", prefix: "", strips: false, keepsHost: true },
  { name: "that passes the prefix on", prefix: "/tools/atlas", strips: false, keepsHost: true },
  { name: "that strips the prefix", prefix: "/tools/atlas", strips: true, keepsHost: true },
  { name: "that writes its own Host", prefix: "/atlas", strips: true, keepsHost: false },
];

describe.each(PROXIES)("behind a proxy $name", (params) => {
  let proxy: ReverseProxy;
  let gateway: Scenario;

  beforeAll(async () => {
    proxy = await startReverseProxy(params);
    gateway = await openScenario({
      yaml: (folder) => `
public_url: ${proxy.url}/
listen: { trusted_proxies: [127.0.0.1] }
upstreams:
  ${countingUpstream({ name: "live", recordFile: `${folder}/live.jsonl` })}
  ${countingUpstream({ name: "held", recordFile: `${folder}/held.jsonl` })}
policy: [{ upstream: live, verdict: allow }, { verdict: review }]
`,
    });
    proxy.connect(gateway.url);
  });
  afterAll(async () => {
    await gateway.close();
    await proxy.close();
  });

  test.each([
    ["Streamable HTTP", "/mcp", StreamableHTTPClientTransport],
    ["HTTP+SSE", "/mcp/sse", SSEClientTransport],
  ])("an agent works over %s", async (_name, path, Transport) => {
    const client = new Client({ name: "behind-proxy", version: "1.0.0" });
    const headers = { authorization: `Bearer ${gateway.agentKey}` };
    const withKey = (url: string | URL, init?: RequestInit) => {
      const all = new Headers(init?.headers);
      for (const [name, value] of Object.entries(headers)) all.set(name, value);
      return fetch(url, { ...init, headers: all });
    };
    await client.connect(new Transport(new URL(`${proxy.url}${path}`), { fetch: withKey }));
    const result = await client.callTool({ name: "live_read_thing", arguments: {} });
    expect(result.content).toEqual([{ type: "text", text: "read_thing done" }]);
    await client.close();
  });

  test("the root document names the public addresses, and each answers there", async () => {
    const { endpoints } = (await (await fetch(`${proxy.url}/`)).json()) as {
      endpoints: Record<string, string>;
    };
    expect(endpoints["mcp"]).toBe(`${proxy.url}/mcp`);
    for (const [name, url] of Object.entries(endpoints)) {
      const { status } = await fetch(url, { redirect: "manual" });
      expect([name, [200, 302, 401, 404].includes(status)]).toEqual([name, true]);
      if (!["api", "approval"].includes(name)) expect([name, status]).not.toEqual([name, 404]);
    }
  });

  test("a browser gets from the front page to the console with all its files, and signs in", async () => {
    const page = await fetch(`${proxy.url}/`, { headers: { accept: "text/html" } });
    expect(page.url).toBe(`${proxy.url}/console/`);
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="([^"#]+\.(?:js|css))"/g)].map(([, file = ""]) => file);
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect((await fetch(new URL(file, page.url))).status).toBe(200);

    // As console/api.js asks: relative to the page.
    const session = new URL("../api/v1/session", page.url);
    const own = { origin: proxy.origin, "content-type": "application/json", "x-atlas-csrf": "1" };
    const body = JSON.stringify({ token: gateway.reviewerToken });
    const signedIn = await fetch(session, { method: "POST", headers: own, body });
    expect(signedIn.status).toBe(200);
    const [cookie = "", ...attributes] = (signedIn.headers.get("set-cookie") ?? "").split("; ");
    expect(attributes).toContain(`Path=${params.prefix || "/"}`);

    const held = new Client({ name: "asker", version: "1.0.0" });
    const fetchWithKey = (url: string | URL, init?: RequestInit) => {
      const headers = new Headers(init?.headers);
      headers.set("authorization", `Bearer ${gateway.agentKey}`);
      return fetch(url, { ...init, headers });
    };
    await held.connect(
      new StreamableHTTPClientTransport(new URL(`${proxy.url}/mcp`), { fetch: fetchWithKey }),
    );
    const ref = refIn((await held.callTool({ name: "held_write_thing", arguments: {} })) as never);
    await held.close();
    const detail = new URL(`../api/v1/cases/${ref}`, page.url);
    const shown = (await (await fetch(detail, { headers: { ...own, cookie } })).json()) as {
      case: { digest: string };
    };
    const decision = JSON.stringify({ decision: "REJECTED", digest: shown.case.digest });
    const decide = (headers: Record<string, string>) =>
      fetch(`${detail.href}/decision`, {
        method: "POST",
        headers: { ...own, cookie, ...headers },
        body: decision,
      });
    expect((await decide({ origin: "https://evil.example" })).status).toBe(403);
    expect((await decide({ origin: proxy.origin.replace("http:", "https:") })).status).toBe(403);
    expect((await decide({})).status).toBe(200);
  });

  test("guesses are slowed down by the address they come from, not by the proxy's", async () => {
    const guess = (headers: Record<string, string>, base = proxy.url) =>
      fetch(`${base}/api/v1/session`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: '{"token":"guess"}',
      });
    // The proxy's own client is trusted here, too, so what that says of its client counts.
    const from = (address: string) => guess({ "x-forwarded-for": address });
    for (let i = 0; i < 10; i += 1) expect((await from(`192.0.2.${i}, 198.51.100.7`)).status).toBe(401);
    expect((await from("198.51.100.7")).status).toBe(429);
    expect((await from("198.51.100.8")).status).toBe(401);
  });

  test("the gateway answers for no other name", async () => {
    const path = params.strips ? "/livez" : `${params.prefix}/livez`;
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${gateway.url}${path}`, { headers: { host: "evil.example" } }, (answer) =>
        resolve(answer.resume().statusCode),
      );
      asked.once("error", reject).end();
    });
    expect(status).toBe(403);
  });
});
