/**
 * An order desk's tool server, written with the npm package `fastmcp`: over stdio or, with `--http PORT`, over Streamable HTTP
 * (`/mcp`) and the older HTTP+SSE (`/sse`) on 127.0.0.1. Its orders are in the JSON file named by the first argument or by `ORDERS_FILE`.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { FastMCP, UserError } from "fastmcp";
import { z } from "zod";

interface Order {
  readonly customer: string;
  readonly email: string;
  readonly paid_eur: number;
  readonly refunded_eur: number;
}

const FIRST_ORDERS: Readonly<Record<string, Order>> = {
  "ORD-1001": {
    customer: "Ada Quist",
    email: "ada.quist@example.org",
    paid_eur: 129.9,
    refunded_eur: 0,
  },
  "ORD-1002": { customer: "Ben Rao", email: "ben.rao@example.org", paid_eur: 48, refunded_eur: 0 },
};

const { values, positionals } = parseArgs({ options: { http: { type: "string" } }, allowPositionals: true });
const file = positionals[0] ?? process.env["ORDERS_FILE"] ?? "orders.json";
const orderNumber = z.string().regex(/^ORD-\d+$/u);

const server = new FastMCP({ name: "order-desk", version: "1.0.0" });

server.addTool({
  name: "get_order",
  description: "Shows one order with what was paid and refunded.",
  parameters: z.object({ order: orderNumber }),
  annotations: { readOnlyHint: true },
  execute: async ({ order }) => JSON.stringify(orderOf(order)),
});

server.addTool({
  name: "refund_order",
  description: "Pays money back to the customer of an order.",
  parameters: z.object({ order: orderNumber, amount_eur: z.number().positive(), reason: z.string() }),
  annotations: { readOnlyHint: false, destructiveHint: true },
  execute: async ({ order, amount_eur }) => {
    const current = orderOf(order);
    const refunded = current.refunded_eur + amount_eur;
    if (refunded > current.paid_eur) throw new UserError(`Order ${order} was paid with less than that.`);
    save({ ...orders(), [order]: { ...current, refunded_eur: refunded } });
    return `Refunded ${amount_eur} EUR to ${current.customer}; ${refunded} EUR of ${order} refunded in all.`;
  },
});

if (values.http === undefined) {
  await server.start({ transportType: "stdio" });
} else {
  await server.start({
    transportType: "httpStream",
    httpStream: { port: Number(values.http), host: "127.0.0.1" },
  });
}

/** @throws UserError when there is no such order, which the agent reads */
function orderOf(order: string): Order {
  const found = orders()[order];
  if (found === undefined) throw new UserError(`There is no order ${order}.`);
  return found;
}

function orders(): Readonly<Record<string, Order>> {
  if (!existsSync(file)) save(FIRST_ORDERS);
  return JSON.parse(readFileSync(file, "utf8"));
}

function save(changed: Readonly<Record<string, Order>>): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(changed, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
