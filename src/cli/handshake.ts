import { Client, SSEClientTransport } from "@modelcontextprotocol/client";
import { Command } from "commander";
import { z } from "zod";
import { AtlasError } from "../domain/errors.ts";
import { productVersion } from "../version.ts";
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

  const agent = new Client({ name: "atlas-handshake", version: productVersion() });
  await connect(agent, url, agentKey);
  try {
    step("AGENT", `connected to ${url}/mcp/sse; ${(await agent.listTools()).tools.length} tools`);
    const before = await readStatus(agent, options.beneficiary);
    step(
      "AGENT",
      `check_payment_status answered at once: payments to ${options.beneficiary} end ${before.payment_end_date}`,
    );

    const answer = await callTool(agent, "request_payment_extension", {
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

    const result = await callTool(agent, "check_status", { ref, wait_seconds: 25 });
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

async function connect(agent: Client, url: string, agentKey: string): Promise<void> {
  const transport = new SSEClientTransport(new URL(`${url}/mcp/sse`), {
    requestInit: { headers: { authorization: `Bearer ${agentKey}` } },
    eventSourceInit: {
      fetch: (input, init) =>
        fetch(input, { ...init, headers: { ...init?.headers, authorization: `Bearer ${agentKey}` } }),
    },
  });
  try {
    await agent.connect(transport);
  } catch (error) {
    throw new AtlasError(
      "auth.missing",
      `The gateway at ${url} did not let the agent in. Is it running, and is the key right?`,
      { cause: error },
    );
  }
}

async function callTool(agent: Client, name: string, args: { readonly [key: string]: unknown }) {
  const result = await agent
    .callTool({ name, arguments: args }, { timeout: 40_000 })
    .catch((cause: unknown) => {
      const sentence = `The gateway did not answer ${name}. The handshake needs the welfare example behind the gateway: examples/welfare/atlas.yaml`;
      throw new AtlasError("config.invalid", sentence, { cause });
    });
  const text = result.content
    .map((block) => (block.type === "text" ? block.text : `(${block.type})`))
    .join(" ");
  return { text, structured: result.structuredContent };
}

async function readStatus(agent: Client, beneficiary: string): Promise<z.infer<typeof statusSchema>> {
  const { structured, text } = await callTool(agent, "check_payment_status", { beneficiary_id: beneficiary });
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
