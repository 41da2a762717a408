import { Command } from "commander";
import { AtlasError } from "../domain/errors.ts";
import type { ToolPin } from "../governance/ports.ts";
import { withAdminStore } from "./admin-store.ts";
import { dataOption, type WhereOptions } from "./where.ts";

interface AcceptOptions extends WhereOptions {
  readonly all?: boolean;
}

export function toolsCommand(): Command {
  const tools = new Command("tools").description("tools and their accepted definitions");
  tools
    .command("list")
    .description("tools of all upstreams, and which changed since they were accepted")
    .addOption(dataOption())
    .action(list);
  tools
    .command("accept [tool]")
    .description("accept the definition that a new or changed tool has now, as upstream/tool")
    .option("--all", "accept every new or changed tool")
    .addOption(dataOption())
    .action(accept);
  return tools;
}

async function list(options: WhereOptions): Promise<void> {
  const pins = await withAdminStore(options, (store) => store.listToolPins());
  for (const pin of pins)
    console.log(
      `${stateOf(pin).padEnd(8)}  ${pin.upstream}/${pin.name}  ${(pin.currentPin ?? pin.acceptedPin ?? "").slice(0, 16)}`,
    );
  if (pins.length === 0) console.log("No tools were seen yet.");
}

async function accept(name: string | undefined, options: AcceptOptions): Promise<void> {
  if ((name === undefined) !== (options.all === true)) {
    throw new AtlasError("config.invalid", "Name one tool as upstream/tool, or give --all.");
  }
  await withAdminStore(options, async (store) => {
    const changed = (await store.listToolPins()).filter((pin) => ["changed", "new"].includes(stateOf(pin)));
    const wanted =
      name === undefined ? changed : changed.filter((pin) => `${pin.upstream}/${pin.name}` === name);
    if (wanted.length === 0)
      throw new AtlasError(
        "resource.not_found",
        `There is no new or changed tool${name === undefined ? "" : ` ${name}`}. See: atlas tools list`,
      );
    for (const { upstream, name: tool, currentPin } of wanted) {
      const accepted =
        currentPin !== null && (await store.acceptTool({ upstream, name: tool, pin: currentPin, by: null }));
      console.log(
        `${upstream}/${tool}: ${accepted ? "accepted" : "changed again meanwhile; look once more"}`,
      );
    }
  });
}

function stateOf(pin: ToolPin): "accepted" | "changed" | "new" | "gone" {
  if (pin.currentPin === null) return "gone";
  if (pin.acceptedPin === null) return "new";
  return pin.currentPin === pin.acceptedPin ? "accepted" : "changed";
}
