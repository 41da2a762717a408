import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toolPin } from "../../domain/digest.ts";
import { type Caller, DEFINITION, openTestGateway, personId, type TestGateway } from "../gateway.testing.ts";
import { toolDetailSchema, toolListSchema, toolResponseSchema } from "../tool-contract.ts";

let gateway: TestGateway;
const changed = { ...DEFINITION, description: "Deletes a record.\u202e", "x/y": 1 };
const twin = { name: "delete-record", inputSchema: { type: "object" } };
const slashed = { name: "files/read", inputSchema: { type: "object" } };
const PATH = "/api/v1/tools/welfare/delete_record";

beforeAll(async () => {
  gateway = await openTestGateway();
  await gateway.store.recordTools({
    upstream: "welfare",
    tools: [changed, twin, slashed].map((tool) => ({
      name: tool.name,
      pin: toolPin(tool),
      definition: tool,
    })),
  });
});
afterAll(() => gateway.close());

function send(caller: Caller, path: string, body?: object) {
  const token = gateway.token(caller);
  return gateway.app.request(path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
}

async function shown(name: string) {
  const list = toolListSchema.parse(await (await send("adam", "/api/v1/tools")).json());
  return list.tools.find((tool) => tool.name === name);
}

describe("reading tools", () => {
  test.each<readonly [Caller, number]>([
    ["nobody", 401],
    ["stranger", 401],
    ["agent", 403],
    ["nick", 403],
    ["sarah", 200],
    ["adam", 200],
    ["anna", 200],
  ])("%s gets %i, and learns nothing from a refusal", async (caller, status) => {
    for (const path of ["/api/v1/tools", PATH]) {
      const response = await send(caller, path);
      expect([path, response.status]).toEqual([path, status]);
      if (status !== 200) expect(await response.text()).not.toMatch(/delete_record|welfare/);
    }
  });

  test("the list says where each stands, what it does and what to look at", async () => {
    expect(await shown("delete_record")).toMatchObject({
      state: "changed",
      confirmed: false,
      must_be_named: true,
      reason_id: null,
      manifest: null,
      pin: toolPin(changed),
      accepted_pin: toolPin(DEFINITION),
    });
    expect((await shown("delete_record"))?.flags.map((flag) => flag.id)).toEqual([
      "name.confusable",
      "text.hidden",
      "text.disguised",
      "description.changed",
    ]);
    expect(await shown("delete-record")).toMatchObject({
      state: "quarantined",
      reason_id: "tool.confusable",
      flags: [{ id: "name.confusable", about: "welfare/delete_record" }],
    });
  });

  test("one tool comes with both definitions and what differs, in which nothing is hidden", async () => {
    const detail = toolDetailSchema.parse(await (await send("sarah", PATH)).json());
    expect(detail.current_definition).toBe(JSON.stringify(changed));
    expect(detail.accepted_definition).toBe(JSON.stringify(DEFINITION));
    expect(detail.diff).toEqual([
      {
        pointer: "/description",
        kind: "changed",
        from: JSON.stringify(DEFINITION.description),
        to: '"Deletes a record.\\u{202e}"',
      },
      { pointer: "/x~1y", kind: "added", from: null, to: "1" },
    ]);
  });

  test("a name that needs escaping is found, one that is none is not", async () => {
    expect((await send("adam", `/api/v1/tools/welfare/${encodeURIComponent("files/read")}`)).status).toBe(
      200,
    );
    expect((await send("adam", "/api/v1/tools/welfare/none")).status).toBe(404);
    expect((await send("adam", "/api/v1/tools/none/delete_record")).status).toBe(404);
  });
});

describe("accepting a tool", () => {
  const accept = { pin: toolPin(changed), class: "money", safe_to_repeat: true };

  test.each<readonly [Caller, object, number, string]>([
    ["nobody", accept, 401, "auth.missing"],
    ["agent", accept, 403, "auth.wrong_principal"],
    ["sarah", accept, 403, "auth.wrong_principal"],
    ["anna", accept, 403, "auth.wrong_principal"],
    ["adam", { class: "money" }, 400, "request.invalid"],
    ["adam", { ...accept, class: "nice" }, 400, "request.invalid"],
    ["adam", { ...accept, more: 1 }, 400, "request.invalid"],
    ["adam", { ...accept, pin: toolPin(DEFINITION) }, 409, "resource.conflict"],
  ])("%s with %j is answered %i %s, and accepts nothing", async (caller, body, status, code) => {
    const response = await send(caller, `${PATH}/accept`, body);
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(code)]);
    expect((await shown("delete_record"))?.state).toBe("changed");
  });

  test("an admin confirms what they saw, with what they say of it, and live readers hear of it", async () => {
    const live = await send("sarah", "/api/v1/events");
    const response = await send("adam", `${PATH}/accept`, accept);
    expect(response.status).toBe(200);
    const { tool } = toolResponseSchema.parse(await response.json());
    expect(tool).toMatchObject({
      state: "accepted",
      confirmed: true,
      manifest: { class: "money", reversible: false },
      safe_to_repeat: true,
      accepted_by: "adam",
    });
    const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = "";
    while (!heard.includes("event: tool")) heard += (await reader?.read())?.value ?? "event: tool (none)";
    expect(heard).toContain('event: tool\ndata: {"upstream":"welfare","name":"delete_record"}');
    await reader?.cancel();
    const key = { upstream: "welfare", name: "delete_record", pin: toolPin(changed) };
    expect(await gateway.store.acceptanceOf(key)).toMatchObject({ by: personId("adam"), safeToRepeat: true });
  });

  test("a name that nobody can call is refused with the reason", async () => {
    const hidden = { ...twin, name: "a\u200bb" };
    const tools = [{ name: hidden.name, pin: toolPin(hidden), definition: hidden }];
    await gateway.store.recordTools({ upstream: "other", tools });
    const path = `/api/v1/tools/other/${encodeURIComponent(hidden.name)}/accept`;
    const response = await send("adam", path, { pin: toolPin(hidden) });
    expect([response.status, await response.text()]).toEqual([409, expect.stringContaining("not seen")]);
  });
});
