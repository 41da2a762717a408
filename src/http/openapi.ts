import { z } from "zod";
import { type AtlasErrorCode, ERRORS } from "../domain/errors.ts";
import { REASON_STATUS, type RefusalCode } from "./error-response.ts";
import { type RouteEntry, SCHEMAS, type SchemaName, type Who } from "./route-entry.ts";
import { ROUTES } from "./route-table.ts";

/** What can refuse any request, any with a body, and any whose credential is looked up. */
const ALWAYS: readonly RefusalCode[] = ["request.forbidden_host", "internal"];
const WITH_BODY: readonly RefusalCode[] = ["request.unsupported_media_type", "request.too_large"];
const WITH_STORE: readonly RefusalCode[] = ["store.failed"];

const SECURITY: Readonly<Record<Who, readonly object[]>> = {
  anyone: [],
  agent: [{ agentKey: [] }],
  person: [{ personToken: [] }, { session: [] }],
  admin: [{ personToken: [] }, { session: [] }],
  decider: [{ personToken: [] }, { portal: [] }],
};

const SECURITY_SCHEMES = {
  agentKey: { type: "http", scheme: "bearer", description: "An agent's key." },
  personToken: { type: "http", scheme: "bearer", description: "A person's own token." },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "atlas_session",
    description: "A browser's session; a change also needs the same origin and the header x-atlas-csrf: 1.",
  },
  portal: {
    type: "apiKey",
    in: "header",
    name: "webhook-signature",
    description: "A portal's signature after Standard Webhooks, with webhook-id and webhook-timestamp.",
  },
} as const;

/** The HTTP status of a refusal. */
export function refusalStatus(code: RefusalCode): number {
  return isErrorCode(code) ? ERRORS[code].httpStatus : REASON_STATUS[code];
}

function isErrorCode(code: RefusalCode): code is AtlasErrorCode {
  return code in ERRORS;
}

/** The gateway's HTTP interface as OpenAPI 3.1. */
export function openApiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "ATLAS Governance Gateway",
      version,
      description:
        "Times are ISO 8601 in UTC. A client must ignore response members that it does not know; the gateway refuses request members that it does not know.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:8000" }],
    paths,
    components: { schemas: componentSchemas(), securitySchemes: SECURITY_SCHEMES },
  };
}

function operation(route: RouteEntry): object {
  const parameters = [...pathParameters(route.path), ...queryParameters(route.query)];
  return {
    summary: route.summary,
    security: SECURITY[route.who],
    ...(parameters.length > 0 && { parameters }),
    ...(route.request !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: reference(route.request) } } },
    }),
    responses: responses(route),
  };
}

function responses(route: RouteEntry): Record<string, object> {
  const all: Record<string, object> = {};
  for (const { status, description, schema, mediaType } of route.answers) {
    const type = mediaType ?? (schema === undefined ? undefined : "application/json");
    const content = { [type ?? ""]: schema === undefined ? {} : { schema: bodySchema(schema) } };
    all[status] = type === undefined ? { description } : { description, content };
  }
  const own =
    route.who === "agent" ? {} : { content: { "application/json": { schema: reference("Error") } } };
  const codes = [
    ...route.refusals,
    ...(route.method === "post" || route.method === "put" ? WITH_BODY : []),
    ...(route.who === "anyone" ? [] : WITH_STORE),
    ...ALWAYS,
  ];
  for (const status of new Set(codes.map(refusalStatus))) {
    const named = codes.filter((code) => refusalStatus(code) === status);
    all[status] = { description: named.map((code) => `\`${code}\``).join(", "), ...own };
  }
  if (route.throttled === true) {
    const description =
      "`auth.missing`: too many failed attempts; the header retry-after says when to come back";
    all[429] = { description, ...own };
  }
  return all;
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

const objectSchema = z.object({ properties: z.record(z.string(), z.record(z.string(), z.unknown())) });

function queryParameters(query: z.ZodType | undefined): object[] {
  if (query === undefined) return [];
  const { properties } = objectSchema.parse(z.toJSONSchema(query, { io: "input" }));
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
}

function bodySchema(schema: SchemaName | readonly SchemaName[]): object {
  return typeof schema === "string" ? reference(schema) : { anyOf: schema.map(reference) };
}

function reference(name: SchemaName): object {
  return { $ref: uriOf(name) };
}

function uriOf(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Response members may grow, so responses are described as what a reader takes in: open to more members. */
function componentSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: "input", uri: uriOf });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [name, schema]),
  );
}
