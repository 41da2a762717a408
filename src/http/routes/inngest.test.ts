import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestGateway, type TestGateway } from "../gateway.testing.ts";

describe("/api/inngest", () => {
  let asked: string[];
  let gateway: TestGateway;
  const open = async (endpoint: ((request: Request) => Promise<Response>) | null) => {
    gateway = await openTestGateway({ engineEndpoint: endpoint });
  };
  beforeEach(() => {
    asked = [];
  });
  afterEach(() => gateway.close());
  const record = async (request: Request) => {
    asked.push(request.method);
    return Response.json({});
  };

  test("is not there unless the engine is Inngest", async () => {
    await open(null);
    for (const method of ["GET", "POST", "PUT"])
      expect((await gateway.app.request("/api/inngest", { method })).status).toBe(404);
  });

  test("answers under any host name, as Inngest's network may call the gateway what it likes", async () => {
    await open(record);
    const headers = { host: "gateway-1.internal" };
    expect((await gateway.app.request("/api/inngest", { headers })).status).toBe(200);
    expect((await gateway.app.request("/api/v1/cases", { headers })).status).toBe(403);
  });

  test("takes a sync ten times a minute, and everything else as it comes", async () => {
    await open(record);
    const sync = () => gateway.app.request("/api/inngest", { method: "PUT" });
    for (let i = 0; i < 10; i++) expect((await sync()).status).toBe(200);
    const refused = await sync();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("60");
    expect((await gateway.app.request("/api/inngest", { method: "POST" })).status).toBe(200);
    gateway.clock.advance(60_000);
    expect((await sync()).status).toBe(200);
    expect(asked.filter((method) => method === "PUT")).toHaveLength(11);
  });
});
