import { describe, expect, test } from "vitest";
import { openTestGateway, personId, type TestGateway } from "./gateway.testing.ts";

function bearer(gateway: TestGateway, caller: "sarah" | "anna") {
  return { authorization: `Bearer ${gateway.token(caller)}` };
}

async function openStream(gateway: TestGateway, headers: Record<string, string>) {
  const response = await gateway.app.request("/api/v1/events", { headers });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  return { response, reader };
}

describe("GET /api/v1/events", () => {
  test("tells of each change, with nothing but reference, state and revision", async () => {
    const gateway = await openTestGateway();
    const { response, reader } = await openStream(gateway, bearer(gateway, "anna"));
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect((await reader.read()).value).toContain("retry: 3000");
    const open = await gateway.openCase();
    const data = { ref: open.ref, state: "AWAITING_REVIEW", revision: open.revision };
    expect((await reader.read()).value).toBe(`event: case\ndata: ${JSON.stringify(data)}\n\n`);
    await gateway.close();
  });

  test("beats while its person may read, and ends when their session does", async () => {
    const gateway = await openTestGateway();
    const signIn = await gateway.app.request("/api/v1/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: gateway.token("sarah") }),
    });
    const cookie = (signIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const { reader } = await openStream(gateway, { cookie });
    await reader.read();
    await gateway.app.events.beat();
    expect((await reader.read()).value).toBe(": still here\n\n");
    // Heartbeats are no use of the session: an hour later it is over, and with it the stream.
    gateway.clock.advance(60 * 60_000);
    await gateway.app.events.beat();
    expect((await reader.read()).done).toBe(true);
    await gateway.close();
  });

  test("ends when the gateway closes, and then opens no more", async () => {
    const gateway = await openTestGateway();
    const { reader } = await openStream(gateway, bearer(gateway, "sarah"));
    await reader.read();
    gateway.app.close();
    expect((await reader.read()).done).toBe(true);
    const again = await gateway.app.request("/api/v1/events", { headers: bearer(gateway, "sarah") });
    expect(again.status).toBe(503);
    await gateway.close();
  });

  test("takes a bounded number of listeners, and takes another when one has gone", async () => {
    const gateway = await openTestGateway();
    const streams = [];
    for (let i = 0; i < 200; i++) streams.push(await openStream(gateway, bearer(gateway, "sarah")));
    const full = await gateway.app.request("/api/v1/events", { headers: bearer(gateway, "sarah") });
    expect(full.status).toBe(503);
    await streams[0]?.reader.cancel();
    const { response } = await openStream(gateway, bearer(gateway, "sarah"));
    expect(response.status).toBe(200);
    await gateway.close();
  });

  test("cuts off a reader that does not read, and no other", async () => {
    const gateway = await openTestGateway();
    const lazy = await gateway.app.request("/api/v1/events", { headers: bearer(gateway, "sarah") });
    const { reader } = await openStream(gateway, bearer(gateway, "anna"));
    await reader.read();
    for (let i = 0; i < 260; i++) {
      await gateway.app.events.beat();
      expect((await reader.read()).value).toContain("still here");
    }
    const text = await lazy.text();
    expect(text.split("\n\n").length).toBeLessThan(260);
    await gateway.close();
  });

  test("withdrawing a case is heard, too", async () => {
    const gateway = await openTestGateway();
    const open = await gateway.openCase();
    const { reader } = await openStream(gateway, bearer(gateway, "anna"));
    await reader.read();
    await gateway.store.withdraw({ ref: open.ref, actor: { kind: "admin", id: personId("adam") } });
    expect((await reader.read()).value).toContain('"state":"CANCELLED"');
    await gateway.close();
  });
});
