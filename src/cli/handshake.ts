import { Command } from "commander";
import { z } from "zod";
import { AtlasError } from "../domain/errors.ts";
import { type AgentClient, connectAgent } from "./agent-client.ts";
import { callApi } from "./api-client.ts";
import {
  dataOption,
  gatewayUrl,
  readFirstCredentials,
  reviewerToken,
  urlOption,
  type WhereOptions,
} from "./where.ts";

interface HandshakeOptions extends WhereOptions {
  readonly agentKey?: string;
  readonly reviewerToken?: string;
  readonly beneficiary: string;
}

export function handshakeCommand(setExitCode: (code: number) => void): Command {
  return new Command("handshake")
    .description(
      "play one governed call from end to end: an agent asks, a reviewer approves, the row changes",
    )
    .addOption(urlOption())
    .addOption(dataOption())
    .option("--agent-key <key>", "the agent's key (default: the first start's)")
    .option("--reviewer-token <token>", "the reviewer's token (default: the first start's)")
    .option("--beneficiary <id>", "whose payment is extended", "BEN-123")
    .addHelpText(
      "after",
      "\nNeeds the welfare example behind the gateway. Ends with 0 only if the row\nreally changed, once, and not before the approval.",
    )
    .action(async (options: HandshakeOptions) => setExitCode((await handshake(options)) ? 0 : 1));
}

/** What `check_payment_status` shows of a beneficiary; enough to see a change from outside. */
const statusSchema = z.object({ payment_end_date: z.string(), payment_extensions: z.number() });

async function handshake(options: HandshakeOptions): Promise<boolean> {
  const url = gatewayUrl(options);
  const agentKey = options.agentKey ?? readFirstCredentials(options)?.agent.key;
  if (agentKey === undefined)
    throw new AtlasError("auth.missing", "No agent's key: give it with --agent-key.");
  const token = reviewerToken(options);

  const agent = await connectAgent({ name: "atlas-handshake", url, agentKey });
  try {
    step("AGENT", `connected to ${url}/mcp/sse; ${await agent.toolCount()} tools`);
    const before = await readStatus(agent, options.beneficiary);
    step(
      "AGENT",
      `check_payment_status answered at once: payments to ${options.beneficiary} end ${before.payment_end_date}`,
    );

    const answer = await agent.callTool("request_payment_extension", {
      beneficiary_id: options.beneficiary,
      reason: "Hardship",
    });
    step("GATEWAY", answer.text);
    const ref = /Ref: (evt_[a-z2-7]+)/.exec(answer.text)?.[1];
    if (ref === undefined) return failed("the call was not held for review");
    const waiting = await readStatus(agent, options.beneficiary);
    if (waiting.payment_end_date !== before.payment_end_date)
      return failed("the row changed before anybody approved");

    await callApi({
      url,
      path: "/webhook/approval",
      token,
      body: { decision: "APPROVED", event_id: ref, reason: "Hardship documented (handshake)." },
    });
    step("REVIEWER", `approved ${ref} at ${url}/webhook/approval`);

    const result = await agent.callTool("check_status", { ref, wait_seconds: 25 });
    step("GATEWAY", result.text);
    const after = await readStatus(agent, options.beneficiary);
    if (after.payment_end_date === before.payment_end_date)
      return failed("the row did not change after the approval");
    if (after.payment_extensions !== before.payment_extensions + 1)
      return failed("the extension was not granted exactly once");
    step("AGENT", `check_payment_status now says: payments end ${after.payment_end_date}`);
    console.log("\nHandshake complete: held, approved, run once, result delivered.");
    return true;
  } finally {
    await agent.close();
  }
}

async function readStatus(agent: AgentClient, beneficiary: string): Promise<z.infer<typeof statusSchema>> {
  const { structured, text } = await agent.callTool("check_payment_status", { beneficiary_id: beneficiary });
  const status = statusSchema.safeParse(structured);
  if (status.success) return status.data;
  throw new AtlasError(
    "config.invalid",
    `check_payment_status of the welfare example did not answer with a status but with: ${text}`,
  );
}

function step(who: string, what: string): void {
  console.log(`${who.padEnd(9)} ${what}`);
}

function failed(why: string): boolean {
  console.error(`\nHandshake failed: ${why}.`);
  return false;
}
