import { Command } from "commander";
import { upstreamListSchema } from "../http/upstream-contract.ts";
import { type CaseOptions, printJson, request } from "./case-request.ts";
import { dataOption, urlOption } from "./where.ts";

export function upstreamsCommand(): Command {
  return new Command("upstreams")
    .description("upstreams of the running gateway: which are up, since when, and why not")
    .option("--json", "print them as JSON")
    .addOption(urlOption())
    .addOption(dataOption())
    .option(
      "--reviewer-token <token>",
      "a person's token (default: ATLAS_REVIEWER_TOKEN, else the first start's)",
    )
    .action(list);
}

async function list(options: CaseOptions): Promise<void> {
  const body = upstreamListSchema.parse(await request(options, "/api/v1/upstreams"));
  if (options.json === true) {
    printJson(body);
    return;
  }
  for (const upstream of body.upstreams) {
    const connected = `${upstream.transport}/${upstream.isolation}`;
    const columns = [
      upstream.status.padEnd(10),
      upstream.name.padEnd(20),
      connected.padEnd(18),
      (upstream.protocol_version ?? "-").padEnd(10),
      `${String(upstream.tools).padStart(3)} tools`,
      `since ${upstream.since}`,
    ];
    console.log([...columns, ...(upstream.reason === null ? [] : [upstream.reason])].join("  "));
  }
  if (body.upstreams.length === 0) console.log("There are no upstreams; add one to the configuration.");
}
