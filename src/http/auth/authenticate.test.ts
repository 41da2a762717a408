import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AGENT, openTestGateway, personId, type TestGateway } from "../gateway.testing.ts";
import { createAuthenticator } from "./authenticate.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openTestGateway();
});
afterAll(() => gateway.close());

describe("createAuthenticator", () => {
  test("knows people and agents by their credential, whatever the case of the scheme", async () => {
    const authenticate = createAuthenticator({ store: gateway.store });
    expect(await authenticate(`Bearer ${gateway.token("sarah")}`)).toMatchObject({
      kind: "person",
      person: { id: "sarah" },
    });
    expect(await authenticate(`bearer  ${gateway.token("agent")}`)).toMatchObject({
      kind: "agent",
      agent: { id: AGENT },
    });
  });

  test("knows nobody by anything else, and does not even look for what cannot be a credential", async () => {
    const looked: string[] = [];
    const authenticate = createAuthenticator({
      store: { findByCredential: (hash) => Promise.resolve(looked.push(hash)).then(() => null) },
    });
    const token = gateway.token("sarah") ?? "";
    const headers = [
      undefined,
      null,
      "",
      "Bearer",
      token,
      `Basic ${token}`,
      `Bearer ${token} x`,
      `Bearer ${"x".repeat(513)}`,
    ];
    for (const header of headers) expect(await authenticate(header)).toBeNull();
    expect(looked).toEqual([]);
    expect(await authenticate("Bearer guess")).toBeNull();
    expect(looked).toHaveLength(1);
    expect(looked[0]).not.toContain("guess");
  });

  test("does not know a revoked agent", async () => {
    const revoked = await openTestGateway();
    const authenticate = createAuthenticator({ store: revoked.store });
    await revoked.store.revokeAgent({ id: AGENT, by: null });
    expect(await authenticate(`Bearer ${revoked.token("agent")}`)).toBeNull();
    await revoked.close();
  });

  test("does not trust the store to leave revoked principals out", async () => {
    const agent = { id: AGENT, ownerId: personId("owen"), revokedAtMs: 1 };
    const authenticate = createAuthenticator({
      store: { findByCredential: () => Promise.resolve({ agent }) },
    });
    expect(await authenticate("Bearer x")).toBeNull();
  });
});
