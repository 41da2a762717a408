import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { FIRST_CREDENTIALS_FILE, firstCredentialsSchema } from "../../src/bootstrap.ts";
import { openLedgerReader } from "../../src/store/sqlite/ledger-reader.ts";
import { startFakeChatCompletions } from "../servers/fake-chat-completions.ts";
import { type FakeModal, startFakeModal } from "../servers/fake-modal.ts";
import { BAD_REPLIES, knows, type Reply, scores } from "../servers/model-reply.ts";
import { readApi, refIn, sendDecision, type WireAgent, wireAgent, words } from "./agent.ts";
import { type ServedGateway, serveAtlas } from "./atlas-process.ts";
import { eventually } from "./eventually.ts";
import { openScenario, type Scenario } from "./gateway.ts";

const WELFARE = join(import.meta.dirname, "../../examples/welfare/server.ts");
const DOCUMENTED = {
  case_id: "C-2026-0017",
  beneficiary_id: "BEN-123",
  days: 7,
  reason: "The clinic sends the certificate next week.",
  document_reference: "DOC-2026-0088",
};

const welfareUpstream = (folder: string) =>
  `upstreams: { welfare: { prefix: "", command: ${process.execPath}, args: [${WELFARE}], env: { WELFARE_DB: ${folder}/welfare.db } } }`;

/** A gateway in a process of its own, on a folder that outlives it. */
interface OwnProcess extends Pick<Scenario, "url" | "agentKey" | "reviewerToken"> {
  readonly process: ServedGateway;
  readonly agent: WireAgent;
}

async function serve(folder: string): Promise<OwnProcess> {
  const dataDir = join(folder, "data");
  const process = await serveAtlas(["--config", join(folder, "atlas.yaml"), "--data", dataDir]);
  const { agent, reviewer } = firstCredentialsSchema.parse(
    JSON.parse(readFileSync(join(dataDir, FIRST_CREDENTIALS_FILE), "utf8")),
  );
  const own = { url: process.url, agentKey: agent.key, reviewerToken: reviewer.token, process };
  return { ...own, agent: wireAgent(own as unknown as Scenario) };
}

interface CaseBody {
  readonly case: { readonly ref: string; readonly state: string; readonly risk_score: number };
  readonly assessment: { readonly assessor: string; readonly rationale: string };
}

const caseOf = async (gateway: object, ref: string) =>
  (await readApi(gateway as Scenario, `/api/v1/cases/${ref}`)) as CaseBody;

async function casesOf(gateway: object): Promise<readonly CaseBody["case"][]> {
  const { cases } = (await readApi(gateway as Scenario, "/api/v1/cases")) as { cases: CaseBody["case"][] };
  return cases;
}

function ledgerOf(folder: string): string {
  const reader = openLedgerReader(join(folder, "data", "atlas.db"));
  try {
    return [...reader.events()].map((event) => event.bytes).join("\n");
  } finally {
    reader.close();
  }
}

describe("a gateway that asks atlas-welfare-v1 on Modal", () => {
  let folder: string;
  let modal: FakeModal;
  let gateway: OwnProcess;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "atlas-models-"));
    modal = await startFakeModal({
      tokenId: "ak-1",
      tokenSecret: "as-1",
      functions: ["ATLAS-NIST-Measure/generate"],
      reply: knows({ request_extension: 30, request_payment_extension: 85, modify_welfare_record: 85 }),
    });
    vi.stubEnv("MODAL_SERVER_URL", modal.url);
    vi.stubEnv("MODAL_CONFIG_PATH", "/dev/null");
    vi.stubEnv("MODAL_TOKEN_ID", "ak-1");
    vi.stubEnv("MODAL_TOKEN_SECRET", "as-1");
    vi.stubEnv("MODAL_FUNCTION_NAME", "");
    writeFileSync(
      join(folder, "atlas.yaml"),
      `${welfareUpstream(folder)}\nhold: { call: 5m }\nrisk: { model: { kind: modal, deadline: 5m } }\n`,
    );
    gateway = await serve(folder);
  });
  afterEach(async () => {
    await gateway.process.stop();
    await modal.close();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  test("lets a well-documented small extension through at 30, with the sentence of the ledger", async () => {
    const result = await gateway.agent.call("request_extension", JSON.stringify(DOCUMENTED));
    expect(words(result)).toMatch(/^Documents of BEN-123 are now due on/);
    expect(await casesOf(gateway)).toEqual([
      expect.objectContaining({ state: "SUCCEEDED", risk_score: 30, authorization: "auto" }),
    ]);
    const asked = modal.calls.filter((call) => String(call.kwargs["prompt"]).includes("request_extension"));
    expect(asked).toHaveLength(2);
    expect(asked.every((call) => call.function === "ATLAS-NIST-Measure/generate")).toBe(true);
    const ledger = ledgerOf(folder);
    expect(ledger).toContain("Auto-approved based on Risk Score [30] per Article 14 Compliance.");
    expect(ledger).toContain('"judgement":"');
    expect(ledger).not.toContain("BEN-123");
    expect(ledger).not.toContain("Because.");
  });

  test("pauses a payment extension for hardship at 85, on what the rules know", async () => {
    const args = { beneficiary_id: "BEN-123", reason: "Hardship" };
    const result = await gateway.agent.call("request_payment_extension", JSON.stringify(args));
    const ref = refIn(result);
    expect(words(result)).toBe(`PENDING REVIEW (Ref: ${ref}). Action queued subject to governance checks.`);
    expect(await caseOf(gateway, ref)).toMatchObject({
      case: { state: "AWAITING_REVIEW", risk_score: 85 },
    });
    expect(JSON.stringify(modal.calls)).not.toContain("Hardship");
  });

  test("pauses at 85 on the model's word what the rules only estimate", async () => {
    modal.reply = knows({ request_extension: 85 });
    const ref = refIn(await gateway.agent.call("request_extension", JSON.stringify(DOCUMENTED)));
    expect(await caseOf(gateway, ref)).toMatchObject({
      case: { state: "AWAITING_REVIEW", risk_score: 85 },
      assessment: {
        assessor: "modal:nislam-mics/ATLAS-NIST-Measure+embedded@3",
        rationale: expect.stringContaining('The model wrote: "Because."'),
      },
    });
  });

  test("killed while the model thinks, it assesses the case again at the next start and runs it once", async () => {
    modal.reply = (prompt) => (prompt.includes("delete_all") ? scores(99) : { kind: "never" });
    const call = gateway.agent.call("request_extension", JSON.stringify(DOCUMENTED)).catch(() => null);
    const ofTheCall = () => modal.calls.filter((c) => String(c.kwargs["prompt"]).includes(DOCUMENTED.reason));
    await eventually(() => expect(ofTheCall()).toHaveLength(1));
    process.kill(gateway.process.pid, "SIGKILL");
    expect(await call).toBeNull();
    modal.reply = knows({ request_extension: 30 });
    gateway = await serve(folder);
    await eventually(async () => {
      const cases = await casesOf(gateway);
      expect(cases.map((c) => c.state)).toEqual(["SUCCEEDED"]);
      const result = await gateway.agent.checkStatus(cases[0]?.ref ?? "");
      expect(words(result)).toContain("Documents of BEN-123 are now due on");
    });
    expect(ofTheCall()).toHaveLength(2);
  });
});

/** A gateway in this process that asks a chat-completions server. */
async function askingChat(times: { readonly hold: string; readonly deadline: string }) {
  const server = await startFakeChatCompletions({ apiKey: "sk-1", reply: knows({}) });
  const model = `{ kind: openai, model: gpt-x, base_url: ${server.baseUrl}, api_key: sk-1, deadline: ${times.deadline}, per_minute: 10000 }`;
  const gateway = await openScenario({
    yaml: (folder) =>
      `${welfareUpstream(folder)}\nhold: { call: ${times.hold} }\nrisk: { model: ${model} }\n`,
  });
  const agent = wireAgent(gateway);
  let days = 0;
  return {
    server,
    gateway,
    agent,
    /** A call that was not made before. */
    extend: () => agent.call("request_extension", JSON.stringify({ ...DOCUMENTED, days: (days += 1) })),
    async close() {
      expect(gateway.verifyLedger().findings).toEqual([]);
      await gateway.close();
      await server.close();
    },
  };
}
const but = (reply: Reply) => (shown: string) => (shown.includes("delete_all") ? scores(99) : reply);

describe("a gateway that asks a chat-completions server", () => {
  let asking: Awaited<ReturnType<typeof askingChat>>;
  beforeAll(async () => {
    asking = await askingChat({ hold: "60s", deadline: "5s" });
  });
  afterAll(() => asking.close());

  test.each(Object.entries(BAD_REPLIES))(
    "a human decides, at 100, when it answers with %s",
    async (_name, reply) => {
      const { server, gateway, extend } = asking;
      server.reply = but(reply);
      const ref = refIn(await extend());
      expect((await caseOf(gateway, ref)).case).toMatchObject({
        state: "AWAITING_REVIEW",
        risk_score: 100,
        reason_id: "risk.assessor_failed",
      });
      // One good answer between the bad ones, or the breaker would not let the next one be asked.
      server.reply = knows({ request_extension: 30 });
      expect(words(await extend())).toContain("Documents of BEN-123");
    },
  );
});

describe("a gateway that does not wait long for a model", () => {
  let asking: Awaited<ReturnType<typeof askingChat>>;
  beforeAll(async () => {
    asking = await askingChat({ hold: "0s", deadline: "60s" });
  });
  afterAll(() => asking.close());

  test("a case that is being assessed is not open for a decision, but can be withdrawn", async () => {
    const { server, gateway, agent, extend } = asking;
    server.reply = but({ kind: "never" });
    const ref = refIn(await extend());
    expect((await caseOf(gateway, ref)).case.state).toBe("ASSESSING");
    const decided = await sendDecision(gateway, { decision: "APPROVED", event_id: ref });
    expect(decided.status).toBe(409);
    expect(JSON.parse(decided.text)).toMatchObject({
      error: { code: "review.not_open", state: "ASSESSING" },
    });
    expect(words(await agent.call("withdraw_request", JSON.stringify({ ref })))).toContain("CANCELLED");
  });

  test("what the model says after the call was let go is done without the agent, and kept for it", async () => {
    const { server, agent, extend } = asking;
    const release = Promise.withResolvers<void>();
    server.reply = but({
      kind: "late",
      until: release.promise,
      text: '{"risk_score":30,"rationale":"Small."}',
    });
    const ref = refIn(await extend());
    release.resolve();
    await eventually(async () =>
      expect(words(await agent.checkStatus(ref))).toContain("Documents of BEN-123 are now due on"),
    );
  });
});
