import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

export interface ReceivedMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How the receiver treats one attempt. */
export type Behaviour = number | "hang" | "drop" | "redirect";

/** A party outside that receives webhooks, and can misbehave. */
export interface WebhookReceiver {
  readonly url: string;
  readonly received: ReceivedMessage[];
  /** Messages that followed a redirect; there must be none. */
  readonly redirected: ReceivedMessage[];
  /** Behaviour of the next attempts, in order; 204 when there is none left. */
  readonly plan: Behaviour[];
  close(): Promise<void>;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedMessage[] = [];
  const redirected: ReceivedMessage[] = [];
  const plan: Behaviour[] = [];
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const message = { headers: headersOf(request), body: await text(request) };
    (request.url === "/elsewhere" ? redirected : received).push(message);
    behave(plan.shift() ?? 204, request, response);
  };
  const server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hooks/s3cret-path`,
    received,
    redirected,
    plan,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
}

function behave(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse): void {
  if (behaviour === "hang") return;
  if (behaviour === "drop") request.socket.destroy();
  else if (behaviour === "redirect") response.writeHead(307, { location: "/elsewhere" }).end();
  else response.writeHead(behaviour).end(behaviour === 204 ? undefined : "an answer nobody reads");
}
