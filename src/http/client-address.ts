import { BlockList, isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";

/** Address that a request came from, for limits by source; empty when it came over no connection. */
export type ClientAddress = (c: Context) => string;

/**
 * The connection's address, or what trusted proxies say of it: the last address in `X-Forwarded-For` or `Forwarded` that
 * is not one of theirs, because everything before it could have been written by anybody. A request that has both headers, which
 * disagree, is the proxy's own: most proxies write one of them and pass on what a client made up in the other.
 *
 * @param trustedProxies addresses and networks (CIDR)
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const trusted = blockListOf(trustedProxies);
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  const clientOf = (proxy: string, hops: readonly (string | null)[]): string => {
    let client = proxy;
    for (const hop of hops.toReversed()) {
      if (!isTrusted(client) || hop === null) break;
      client = hop;
    }
    return client;
  };
  return (c) => {
    const connection: Partial<HttpBindings> | undefined = c.env;
    const peer = addressIn(connection?.incoming?.socket.remoteAddress ?? "");
    if (peer === null || !isTrusted(peer)) return peer ?? "";
    const claims = [hopsOfXForwardedFor(c), hopsOfForwarded(c)]
      .filter((hops) => hops !== null)
      .map((hops) => clientOf(peer, hops));
    return new Set(claims).size === 1 ? (claims[0] ?? peer) : peer;
  };
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    list.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  }
  return list;
}

function hopsOfXForwardedFor(c: Context): readonly (string | null)[] | null {
  return c.req.header("x-forwarded-for")?.split(",").map(addressIn) ?? null;
}

/** RFC 7239: `for=192.0.2.60;proto=https, for="[2001:db8::1]:4711"`. */
function hopsOfForwarded(c: Context): readonly (string | null)[] | null {
  const header = c.req.header("forwarded");
  if (header === undefined) return null;
  return header.split(",").map((element) => {
    const node = /(?:^|;)\s*for=(?:"([^"]*)"|([^\s;"]+))/iu.exec(element.trim());
    return addressIn(node?.[1] ?? node?.[2] ?? "");
  });
}

/** The address in what a header or a socket says, without port and brackets; null when it is none, such as `unknown`. */
function addressIn(text: string): string | null {
  const trimmed = text.trim();
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/u.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/u.exec(trimmed)?.[1] ?? trimmed;
  const plain = /^::ffff:([\d.]+)$/iu.exec(bare)?.[1] ?? bare;
  return isIP(plain) === 0 ? null : plain.toLowerCase();
}
