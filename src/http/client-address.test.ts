import { Hono } from "hono";
import { expect, test } from "vitest";
import { createClientAddress } from "./client-address.ts";

const PROXIES = ["10.0.0.0/8", "127.0.0.1", "fd00::/8"];

/** What the gateway takes for the client of a request over a connection from `peer`. */
async function clientOf(peer: string, headers: Record<string, string>, proxies = PROXIES): Promise<string> {
  const address = createClientAddress(proxies);
  const app = new Hono().get("/", (c) => c.text(address(c)));
  const response = await app.request("/", { headers }, { incoming: { socket: { remoteAddress: peer } } });
  return response.text();
}

test.each([
  ["198.51.100.1", {}, "198.51.100.1"],
  ["198.51.100.1", { "x-forwarded-for": "192.0.2.1" }, "198.51.100.1"],
  ["198.51.100.1", { forwarded: "for=192.0.2.1" }, "198.51.100.1"],
  ["10.1.2.3", {}, "10.1.2.3"],
  ["10.1.2.3", { "x-forwarded-for": "192.0.2.1" }, "192.0.2.1"],
  ["::ffff:10.1.2.3", { "x-forwarded-for": "192.0.2.1" }, "192.0.2.1"],
  ["fd00::1", { "x-forwarded-for": "2001:DB8::7" }, "2001:db8::7"],
  ["10.1.2.3", { "x-forwarded-for": "6.6.6.6, 192.0.2.1" }, "192.0.2.1"],
  ["10.1.2.3", { "x-forwarded-for": "6.6.6.6, 192.0.2.1, 10.9.9.9" }, "192.0.2.1"],
  ["10.1.2.3", { "x-forwarded-for": "192.0.2.1:4711" }, "192.0.2.1"],
  ["10.1.2.3", { "x-forwarded-for": "[2001:db8::7]:4711" }, "2001:db8::7"],
  ["10.1.2.3", { "x-forwarded-for": "10.4.4.4, 10.5.5.5" }, "10.4.4.4"],
  ["10.1.2.3", { "x-forwarded-for": "192.0.2.1, nonsense" }, "10.1.2.3"],
  ["10.1.2.3", { "x-forwarded-for": "" }, "10.1.2.3"],
  ["10.1.2.3", { forwarded: "for=6.6.6.6, for=192.0.2.1;proto=https;by=10.1.2.3" }, "192.0.2.1"],
  ["10.1.2.3", { forwarded: 'proto=https;For="[2001:db8::7]:4711"' }, "2001:db8::7"],
  ["10.1.2.3", { forwarded: "for=unknown" }, "10.1.2.3"],
  ["10.1.2.3", { forwarded: "for=_hidden, for=10.4.4.4" }, "10.4.4.4"],
  ["10.1.2.3", { "x-forwarded-for": "192.0.2.1", forwarded: "for=192.0.2.1" }, "192.0.2.1"],
  ["10.1.2.3", { "x-forwarded-for": "192.0.2.1", forwarded: "for=6.6.6.6" }, "10.1.2.3"],
  ["", { "x-forwarded-for": "192.0.2.1" }, ""],
])("a request over a connection from %j with %j comes from %j", async (peer, headers, client) => {
  expect(await clientOf(peer, headers as Record<string, string>)).toBe(client);
});

test("nobody's word counts where no proxy is trusted", async () => {
  expect(await clientOf("127.0.0.1", { "x-forwarded-for": "192.0.2.1" }, [])).toBe("127.0.0.1");
});
