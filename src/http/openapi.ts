import { z } from "zod";
import { type AtlasErrorCode, ERRORS } from "../domain/errors.ts";
import {
  approvalRequestSchema,
  approvalResponseSchema,
  caseDetailSchema,
  caseEventSchema,
  caseListSchema,
  caseQuerySchema,
  caseResponseSchema,
  caseSchema,
  decisionRequestSchema,
  decisionResponseSchema,
  errorSchema,
  healthSchema,
  resolutionRequestSchema,
  sessionSchema,
  signInRequestSchema,
  statusSchema,
} from "./contract.ts";
import { REASON_STATUS, type RefusalCode } from "./error-response.ts";

/** Name of each schema in the description. */
const SCHEMAS = {
  ApprovalRequest: approvalRequestSchema,
  ApprovalResponse: approvalResponseSchema,
  Case: caseSchema,
  CaseDetail: caseDetailSchema,
  CaseEvent: caseEventSchema,
  CaseList: caseListSchema,
  CaseResponse: caseResponseSchema,
  DecisionRequest: decisionRequestSchema,
  DecisionResponse: decisionResponseSchema,
  Error: errorSchema,
  Health: healthSchema,
  ResolutionRequest: resolutionRequestSchema,
  Session: sessionSchema,
  SignInRequest: signInRequestSchema,
  Status: statusSchema,
} as const;
type SchemaName = keyof typeof SCHEMAS;

/** `person`: a role and their own token or the console's session; `decider`: their own token, or a portal's signature. */
type Who = "anyone" | "agent" | "person" | "decider";

interface Answer {
  readonly status: number;
  readonly description: string;
  readonly schema?: SchemaName;
  /** Of a body that is no JSON of ours. */
  readonly mediaType?: string;
}

interface RouteEntry {
  readonly method: "get" | "post" | "delete";
  readonly path: string;
  readonly who: Who;
  readonly summary: string;
  readonly request?: SchemaName;
  readonly query?: z.ZodType;
  readonly answers: readonly Answer[];
  /** What refuses it, beyond what can refuse any request. */
  readonly refusals: readonly RefusalCode[];
  /** A source that fails too often is refused for a while. */
  readonly throttled?: boolean;
}

const CASE_PATH = "/api/v1/cases/{ref}";
const SIGNED_IN: readonly RefusalCode[] = ["auth.missing", "auth.wrong_principal"];
const DECIDING: readonly RefusalCode[] = [
  ...SIGNED_IN,
  "request.invalid",
  "review.not_entitled",
  "case.unknown",
  "review.not_open",
  "review.stale_digest",
];
const EDITING: readonly RefusalCode[] = [...DECIDING, "review.edit_invalid", "review.edit_denied"];
const JSON_RPC = "JSON-RPC message of MCP; errors are JSON-RPC, too";
const EVENT_STREAM = "text/event-stream";

const ok = (description: string, schema: SchemaName): Answer => ({ status: 200, description, schema });

/** Every route there is; a test holds it against the application's own list. */
export const ROUTES: readonly RouteEntry[] = [
  {
    method: "get",
    path: "/",
    who: "anyone",
    summary: "Who answers here. A browser is sent to the console.",
    answers: [ok("The gateway runs.", "Status"), { status: 302, description: "To the console." }],
    refusals: [],
  },
  {
    method: "get",
    path: "/livez",
    who: "anyone",
    summary: "The process answers.",
    answers: [ok("It does.", "Health")],
    refusals: [],
  },
  {
    method: "get",
    path: "/readyz",
    who: "anyone",
    summary: "The process answers, and its database does.",
    answers: [ok("Both do.", "Health")],
    refusals: ["store.failed"],
  },
  {
    method: "post",
    path: "/webhook/approval",
    who: "decider",
    summary: "Records a person's decision, by their own token or passed on by a portal. Takes no cookie.",
    request: "ApprovalRequest",
    answers: [ok("Recorded; the same decision twice is answered as the first time.", "ApprovalResponse")],
    refusals: EDITING,
  },
  {
    method: "post",
    path: "/api/v1/session",
    who: "anyone",
    summary: "Signs a browser in with a person's token.",
    request: "SignInRequest",
    answers: [ok("Signed in; the session is in a cookie.", "Session")],
    refusals: [...SIGNED_IN, "request.invalid", "store.failed"],
    throttled: true,
  },
  {
    method: "get",
    path: "/api/v1/session",
    who: "person",
    summary: "Who is signed in.",
    answers: [ok("The person.", "Session")],
    refusals: SIGNED_IN,
  },
  {
    method: "delete",
    path: "/api/v1/session",
    who: "anyone",
    summary: "Signs a browser out.",
    answers: [{ status: 204, description: "Signed out." }],
    refusals: ["auth.wrong_principal"],
  },
  {
    method: "get",
    path: "/api/v1/cases",
    who: "person",
    summary: "Cases, and how many there are in each state.",
    query: caseQuerySchema,
    answers: [ok("The cases.", "CaseList")],
    refusals: [...SIGNED_IN, "request.invalid"],
  },
  {
    method: "get",
    path: CASE_PATH,
    who: "person",
    summary: "One case with the exact texts that a decision is about.",
    answers: [ok("The case.", "CaseDetail")],
    refusals: [...SIGNED_IN, "case.unknown"],
  },
  {
    method: "post",
    path: `${CASE_PATH}/decision`,
    who: "person",
    summary: "Approves or rejects the case as it was shown.",
    request: "DecisionRequest",
    answers: [ok("Recorded.", "DecisionResponse")],
    refusals: EDITING,
  },
  {
    method: "post",
    path: `${CASE_PATH}/resolution`,
    who: "person",
    summary: "Says what became of a case whose outcome is unknown.",
    request: "ResolutionRequest",
    answers: [ok("Recorded.", "CaseResponse")],
    refusals: DECIDING,
  },
  {
    method: "post",
    path: `${CASE_PATH}/withdraw`,
    who: "person",
    summary: "Withdraws a case that has not begun to run.",
    answers: [ok("Withdrawn.", "CaseResponse")],
    refusals: [...SIGNED_IN, "review.not_entitled", "case.unknown", "review.not_open"],
  },
  {
    method: "get",
    path: "/api/v1/events",
    who: "person",
    summary: "Live `case` events: that something changed; what, the reader fetches.",
    answers: [
      { status: 200, description: "Server-sent events.", mediaType: EVENT_STREAM, schema: "CaseEvent" },
    ],
    refusals: SIGNED_IN,
  },
  {
    method: "get",
    path: "/console",
    who: "anyone",
    summary: "The reviewers' web page.",
    answers: [{ status: 302, description: "To /console/." }],
    refusals: [],
  },
  {
    method: "get",
    path: "/console/{file}",
    who: "anyone",
    summary: "A file of the reviewers' web page.",
    answers: [
      { status: 200, description: "The file.", mediaType: "*/*" },
      { status: 304, description: "The file did not change." },
    ],
    refusals: ["resource.not_found"],
  },
  ...(["get", "post", "delete"] as const).map(
    (method): RouteEntry => ({
      method,
      path: "/mcp",
      who: "agent",
      summary: `MCP over Streamable HTTP. ${JSON_RPC}.`,
      answers: [{ status: 200, description: JSON_RPC, mediaType: "application/json" }],
      refusals: [...SIGNED_IN, "request.invalid"],
    }),
  ),
  {
    method: "get",
    path: "/mcp/sse",
    who: "agent",
    summary: `Opens an event stream of MCP's older transport. ${JSON_RPC}.`,
    answers: [{ status: 200, description: "Server-sent events.", mediaType: EVENT_STREAM }],
    refusals: SIGNED_IN,
  },
  {
    method: "post",
    path: "/mcp/messages",
    who: "agent",
    summary: `Takes a message of MCP's older transport. ${JSON_RPC}.`,
    answers: [{ status: 202, description: "Taken; the answer comes over the event stream." }],
    refusals: [...SIGNED_IN, "request.invalid", "resource.not_found"],
  },
];

/** What can refuse any request, any with a body, and any whose credential is looked up. */
const ALWAYS: readonly RefusalCode[] = ["request.forbidden_host", "internal"];
const WITH_BODY: readonly RefusalCode[] = ["request.unsupported_media_type", "request.too_large"];
const WITH_STORE: readonly RefusalCode[] = ["store.failed"];

const SECURITY: Readonly<Record<Who, readonly object[]>> = {
  anyone: [],
  agent: [{ agentKey: [] }],
  person: [{ personToken: [] }, { session: [] }],
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
    const content = { [type ?? ""]: schema === undefined ? {} : { schema: reference(schema) } };
    all[status] = type === undefined ? { description } : { description, content };
  }
  const own =
    route.who === "agent" ? {} : { content: { "application/json": { schema: reference("Error") } } };
  const codes = [
    ...route.refusals,
    ...(route.method === "post" ? WITH_BODY : []),
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
