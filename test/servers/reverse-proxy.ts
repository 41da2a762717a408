import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReverseProxyParams {
  /** Path it answers below, such as `/atlas`; anything else is 404. */
  readonly prefix: string;
  /** Whether it takes the prefix off before it asks the gateway. */
  readonly strips: boolean;
  /** Whether the gateway sees the name that the client asked for, or the address it is reached by. */
  readonly keepsHost: boolean;
}

/** What proxies do in front of a gateway: one public address, `X-Forwarded-For`, streams passed on as they come. */
export interface ReverseProxy {
  /** Public address with the prefix, without a slash at the end. */
  readonly url: string;
  readonly origin: string;
  /** Names the gateway to pass requests to. */
  connect(target: string): void;
  close(): Promise<void>;
}

export async function startReverseProxy(params: ReverseProxyParams): Promise<ReverseProxy> {
  let target: URL | null = null;
  const server = createServer((incoming, outgoing) => {
    const path = pathAt(incoming.url ?? "/", params);
    if (target === null || path === null) {
      outgoing.writeHead(404).end("no such site");
      return;
    }
    const upstream = request(
      {
        host: target.hostname,
        port: target.port,
        path,
        method: incoming.method,
        headers: headersOf(incoming),
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.flushHeaders();
        answer.pipe(outgoing);
      },
    );
    upstream.once("error", () => void outgoing.destroy());
    outgoing.once("close", () => void upstream.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function headersOf(incoming: IncomingMessage): IncomingHttpHeaders {
    const earlier = incoming.headers["x-forwarded-for"];
    const peer = incoming.socket.remoteAddress ?? "";
    const forwarded = earlier === undefined ? peer : `${String(earlier)}, ${peer}`;
    const host = params.keepsHost ? incoming.headers.host : target?.host;
    return { ...incoming.headers, host, "x-forwarded-for": forwarded };
  }

  return {
    url: `${origin}${params.prefix}`,
    origin,
    connect: (url) => {
      target = new URL(url);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pathAt(path: string, { prefix, strips }: ReverseProxyParams): string | null {
  if (path !== prefix && !path.startsWith(`${prefix}/`) && !path.startsWith(`${prefix}?`)) return null;
  const rest = path.slice(prefix.length);
  return strips ? `${rest.startsWith("/") ? "" : "/"}${rest}` : path;
}
