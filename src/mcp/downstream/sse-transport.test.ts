import { describe, expect, test } from "vitest";
import { SseServerTransport } from "./sse-transport.ts";

describe("the legacy event stream", () => {
  test("is kept alive while its agent may listen, and closed when it may not any more", async () => {
    let allowed = true;
    const transport = new SseServerTransport({
      sessionId: "s1",
      messagesPath: "/mcp/messages",
      mayStay: async () => allowed,
    });
    let closed = 0;
    transport.onclose = () => {
      closed += 1;
    };
    await transport.start();
    await transport.beat();
    allowed = false;
    await transport.beat();
    await transport.beat();
    const text = await new Response(transport.stream).text();
    expect(text).toBe("event: endpoint\ndata: /mcp/messages?sessionId=s1\n\n: keep-alive\n\n");
    expect(closed).toBe(1);
  });
});
