import { request } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { openTestGateway, type TestGateway } from "./gateway.testing.ts";
import { type HttpServer, startHttpServer } from "./server.ts";

let gateway: TestGateway | undefined;
let server: HttpServer | undefined;
afterEach(async () => {
  await server?.close();
  await gateway?.close();
});

async function start(mcp?: Parameters<typeof openTestGateway>[0]) {
  gateway = await openTestGateway(mcp);
  server = await startHttpServer({ fetch: gateway.app.fetch, host: "127.0.0.1", port: 0 });
  return { gateway, server };
}

/** What fetch does not let a program say. */
function rawRequest(url: string, headers: Record<string, string>, chunks: readonly Buffer[] = []) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const outgoing = request(url, { method: chunks.length > 0 ? "POST" : "GET", headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on("error", reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

describe("startHttpServer", () => {
  test("answers on the address it names", async () => {
    const { server } = await start();
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(await (await fetch(`${server.url}/livez`)).json()).toEqual({ status: "live" });
  });

  test("says which port is taken and what to do", async () => {
    const { gateway, server } = await start();
    const again = startHttpServer({ fetch: gateway.app.fetch, host: "127.0.0.1", port: server.port });
    await expect(again).rejects.toMatchObject({
      code: "config.invalid",
      message: `Port ${server.port} on 127.0.0.1 is taken. Stop what uses it, or choose another port with --port.`,
    });
  });

  test("refuses a rebound host name on the wire", async () => {
    const { server } = await start();
    expect((await rawRequest(`${server.url}/livez`, { host: "evil.example" })).status).toBe(403);
  });

  test("refuses a body in pieces that grows above the limit", async () => {
    const { server } = await start();
    const megabyte = Buffer.alloc(1024 * 1024, "x");
    const headers = { "content-type": "application/json", "transfer-encoding": "chunked" };
    const sent = rawRequest(
      `${server.url}/webhook/approval`,
      headers,
      Array.from({ length: 5 }, () => megabyte),
    );
    // A server may cut the connection of a client that goes on sending after the refusal.
    const status = await sent.then((answer) => answer.status).catch(() => 413);
    expect(status).toBe(413);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });

  test("takes a decision that comes in pieces", async () => {
    const { gateway, server } = await start();
    const open = await gateway.openCase();
    const body = JSON.stringify({ decision: "APPROVED", event_id: open.ref });
    const answer = await rawRequest(
      `${server.url}/webhook/approval`,
      {
        "content-type": "application/json",
        "transfer-encoding": "chunked",
        authorization: `Bearer ${gateway.token("sarah")}`,
      },
      [Buffer.from(body.slice(0, 10)), Buffer.from(body.slice(10))],
    );
    expect(answer).toEqual({ status: 200, text: '{"status":"Signal Sent","decision":"APPROVED"}' });
  });

  test("throttles sign-ins by the address they come from", async () => {
    const { server } = await start();
    const guess = () =>
      fetch(`${server.url}/api/v1/session`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"token":"guess"}',
      });
    for (let i = 0; i < 10; i++) expect((await guess()).status).toBe(401);
    expect((await guess()).status).toBe(429);
  });

  test("ends live streams and idle connections when it closes", async () => {
    const { gateway, server } = await start();
    await fetch(`${server.url}/livez`);
    const headers = { authorization: `Bearer ${gateway.token("sarah")}`, accept: "text/event-stream" };
    const stream = await fetch(`${server.url}/api/v1/events`, { headers });
    await server.close();
    await expect(stream.text()).rejects.toThrow(TypeError);
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow(TypeError);
  });

  test("finishes what it is answering before it closes", async () => {
    const arrived = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<Response>();
    const slow = () => {
      arrived.resolve();
      return answered.promise;
    };
    const { server } = await start({ mcp: { streamable: slow, sse: slow, messages: slow } });
    const call = fetch(`${server.url}/mcp`, { method: "POST" });
    await arrived.promise;
    const closing = server.close();
    answered.resolve(new Response("done"));
    expect(await (await call).text()).toBe("done");
    await closing;
  });

  test("cuts what does not finish in time", async () => {
    const arrived = Promise.withResolvers<void>();
    const never = () => {
      arrived.resolve();
      return new Promise<Response>(() => undefined);
    };
    gateway = await openTestGateway({ mcp: { streamable: never, sse: never, messages: never } });
    const stuck = await startHttpServer({
      fetch: gateway.app.fetch,
      host: "127.0.0.1",
      port: 0,
      closeWithinMs: 1,
    });
    server = stuck;
    const sent = rawRequest(`${stuck.url}/mcp`, {}, [Buffer.from("{}")]);
    await arrived.promise;
    const closing = stuck.close();
    await expect(sent).rejects.toThrow(/socket hang up|ECONNRESET/);
    await closing;
  });
});
