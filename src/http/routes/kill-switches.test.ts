import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Caller, openTestGateway, personId, type TestGateway } from "../gateway.testing.ts";
import { killSwitchListSchema } from "../kill-switch-contract.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openTestGateway();
});
afterAll(() => gateway.close());

const PATH = "/api/v1/kill-switches";

function send(caller: Caller, method: "GET" | "POST", path = PATH, body?: object) {
  const token = gateway.token(caller);
  return gateway.app.request(path, {
    method,
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const EVERYTHING = { scope: "all", reason: "The payments team called." };

describe("kill switches", () => {
  test.each<[Caller, number, number]>([
    ["nobody", 401, 401],
    ["stranger", 401, 401],
    ["agent", 403, 403],
    ["nick", 403, 403],
    ["anna", 200, 403],
    ["sarah", 200, 403],
  ])("%s gets %i for reading and %i for changing them", async (caller, reading, changing) => {
    expect((await send(caller, "GET")).status).toBe(reading);
    for (const path of [PATH, `${PATH}/release`]) {
      const response = await send(caller, "POST", path, EVERYTHING);
      expect(response.status).toBe(changing);
      expect(await response.text()).toMatch(/auth\./);
    }
    expect(await gateway.store.listKillSwitches()).toEqual([]);
  });

  test("an admin stops everything and lets it go on, with a reason each time and their name on it", async () => {
    const engaged = killSwitchListSchema.parse(await (await send("adam", "POST", PATH, EVERYTHING)).json());
    const one = { scope: "all", target: "*", engaged_by: "adam", reason: EVERYTHING.reason };
    expect(engaged).toMatchObject({ kill_switches: [one], may_change: true });
    expect(killSwitchListSchema.parse(await (await send("sarah", "GET")).json())).toMatchObject({
      kill_switches: [one],
      may_change: false,
    });
    const open = gateway.openCase();
    await expect(open).rejects.toThrow(/refused/);
    const released = await send("adam", "POST", `${PATH}/release`, { scope: "all", reason: "Solved." });
    expect(await released.json()).toEqual({ kill_switches: [], may_change: true });
    const again = await send("adam", "POST", `${PATH}/release`, { scope: "all", reason: "Solved." });
    expect(again.status).toBe(404);
  });

  test.each([
    ["upstream", "welfare"],
    ["tool", "welfare/delete_record"],
    ["agent", "billing-bot"],
  ])("stop one %s, and nothing that is not there", async (scope, target) => {
    const reason = "A test.";
    expect((await send("adam", "POST", PATH, { scope, target, reason })).status).toBe(200);
    await expect(gateway.openCase()).rejects.toThrow(/refused/);
    await send("adam", "POST", `${PATH}/release`, { scope, target, reason });
    for (const wrong of ["welfar", "*", "welfare/delete_records", "billing bot"]) {
      const response = await send("adam", "POST", PATH, { scope, target: wrong, reason });
      expect([wrong, response.status]).toEqual([wrong, 404]);
      expect(await response.text()).toContain("nothing was stopped");
    }
    expect(await gateway.store.listKillSwitches()).toEqual([]);
  });

  test.each([
    [{ scope: "all" }, "reason"],
    [{ scope: "all", reason: "  " }, "reason"],
    [{ scope: "all", target: "welfare", reason: "x" }, "target"],
    [{ scope: "agent", reason: "x" }, "target"],
    [{ scope: "everything", reason: "x" }, "scope"],
    [{ scope: "all", reason: "x", until: "tomorrow" }, "until"],
  ])("%j is refused, naming the field", async (body, field) => {
    const response = await send("adam", "POST", PATH, body);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(`\\"${field}\\"`);
  });

  test("are heard by every open screen, those of another process at the next heartbeat", async () => {
    const response = await send("anna", "GET", "/api/v1/events");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const next = async () => (await reader?.read())?.value ?? "";
    expect(await next()).toContain("connected");
    await send("adam", "POST", PATH, EVERYTHING);
    expect(await next()).toBe('event: kill_switches\ndata: {"engaged":1}\n\n');
    const everything = { scope: "all", target: "*", by: personId("adam"), reason: null } as const;
    await gateway.store.releaseKillSwitch(everything);
    await gateway.app.events.beat();
    expect(await next()).toBe('event: kill_switches\ndata: {"engaged":0}\n\n');
    expect(await next()).toBe(": still here\n\n");
    await gateway.app.events.beat();
    expect(await next()).toBe(": still here\n\n");
    await reader?.cancel();
  });
});
