import { readFileSync } from "node:fs";
import path from "node:path";
import { Hono } from "hono";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { REFERENCE_DIR, referenceFiles } from "../scripts/generate.ts";
import { ERRORS } from "../src/domain/errors.ts";
import { REASONS } from "../src/domain/reasons.ts";
import { REASON_STATUS, type RefusalCode, refuse } from "../src/http/error-response.ts";
import { openTestGateway } from "../src/http/gateway.testing.ts";
import { openApiDocument, refusalStatus } from "../src/http/openapi.ts";
import { ROUTES } from "../src/http/route-table.ts";

/** What clients, logs and alerts hold on to: a code that is renamed or goes away breaks them. */
const ERROR_CODES = [
  "config.invalid",
  "data.locked",
  "store.failed",
  "ledger.broken",
  "request.invalid",
  "request.too_large",
  "request.unsupported_media_type",
  "request.forbidden_host",
  "auth.missing",
  "auth.wrong_principal",
  "auth.insufficient_scope",
  "auth.unavailable",
  "resource.not_found",
  "resource.conflict",
  "upstream.unreachable",
  "gateway.stopping",
  "internal",
];

/** The same for reasons, which are in the ledger for ever. */
const REASON_IDS = [
  "policy.allowed",
  "policy.denied",
  "policy.review",
  "policy.no_rule",
  "policy.error",
  "policy.tightened",
  "observe.let_through",
  "risk.assessing",
  "risk.below_threshold",
  "risk.above_threshold",
  "risk.assessor_failed",
  "tool.unknown",
  "tool.new",
  "tool.changed",
  "tool.renamed",
  "tool.confusable",
  "tool.name_taken",
  "tool.name_hidden",
  "tool.accepted_anew",
  "resource.unknown",
  "resource.quarantined",
  "prompt.unknown",
  "prompt.quarantined",
  "read.no_rule",
  "read.needs_review",
  "subscription.unsupported",
  "subscription.no_stream",
  "upstream.foreign_uri",
  "upstream.changed",
  "arguments.invalid",
  "arguments.ambiguous",
  "tool.schema_unusable",
  "agent.revoked",
  "kill_switch.engaged",
  "review.approved",
  "review.rejected",
  "review.expired",
  "review.edit_invalid",
  "review.edit_denied",
  "review.not_open",
  "review.stale_digest",
  "review.not_entitled",
  "review.taken",
  "review.undone",
  "run.expired",
  "request.withdrawn",
  "case.unknown",
  "upstream.answered",
  "upstream.tool_error",
  "upstream.result_too_large",
  "upstream.protocol_error",
  "upstream.unreachable",
  "upstream.timeout",
  "upstream.disconnected",
  "upstream.input_required",
  "upstream.input_requested",
  "request_state.invalid",
  "dispatch.late",
  "dispatch.lost",
  "outcome.not_recorded",
  "result.expired",
  "restore.uncertain",
  "resolution.reported",
  "resolution.run_again",
  "ledger.unavailable",
];

test.each(["openapi.json", "config.schema.json", "errors.md", "cli.md"])(
  "docs/reference/%s is what the sources say; if not, run: node scripts/generate.ts",
  async (name) => {
    const committed = readFileSync(path.join(REFERENCE_DIR, name), "utf8").replaceAll("\r\n", "\n");
    expect(committed).toBe((await referenceFiles()).get(name));
  },
);

test("no error code and no reason is renamed or taken away, and a new one is added here", () => {
  expect(Object.keys(ERRORS).sort()).toEqual([...ERROR_CODES].sort());
  expect(Object.keys(REASONS).sort()).toEqual([...REASON_IDS].sort());
});

/** Method and path of every route of the application with everything in it, as the description writes them. */
async function routesOfApp(): Promise<readonly string[]> {
  const mount = vi.spyOn(Hono.prototype, "route");
  const answer = async () => new Response();
  const gateway = await openTestGateway({
    consoleFolder: async () => "never read",
    mcp: { streamable: answer, sse: answer, messages: answer },
  });
  const app = mount.mock.contexts.at(-1);
  mount.mockRestore();
  await gateway.close();
  if (!(app instanceof Hono)) throw new Error("The application mounts no routes.");
  const routes: readonly { readonly method: string; readonly path: string }[] = app.routes;
  return routes
    .filter((route) => route.method !== "ALL")
    .map((route) => {
      const written = route.path.replaceAll(/:(\w+)/g, "{$1}").replace("/*", "/{file}");
      return `${route.method} ${written}`;
    });
}

test("every route of the application is described, and no other", async () => {
  const described = ROUTES.map((route) => `${route.method.toUpperCase()} ${route.path}`);
  expect(new Set(described).size).toBe(described.length);
  expect([...new Set(await routesOfApp())].sort()).toEqual([...described].sort());
});

test("the described status of every refusal is the one that is answered", async () => {
  const codes = [...Object.keys(ERRORS), ...Object.keys(REASON_STATUS)] as RefusalCode[];
  for (const code of codes) {
    const app = new Hono().get("/", (c) => refuse(c, { code, message: "A test." }));
    expect([code, (await app.request("/")).status]).toEqual([code, refusalStatus(code)]);
  }
});

test("every reference inside the description leads somewhere", () => {
  const document = openApiDocument("0");
  const { schemas } = z
    .object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) })
    .parse(document).components;
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to = ""]) => to);
  expect(references.length).toBeGreaterThan(10);
  expect([...new Set(references)].sort()).toEqual(
    Object.keys(schemas)
      .map((name) => `#/components/schemas/${name}`)
      .sort(),
  );
});
