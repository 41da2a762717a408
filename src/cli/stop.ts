import { Argument, Command } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { KILL_SWITCH_SCOPES, type KillSwitch } from "../domain/kill-switch.ts";
import { withAdminStore } from "./admin-store.ts";
import { dataOption, type WhereOptions } from "./where.ts";

const scopeArgument = () => new Argument("<scope>", "what to stop").choices([...KILL_SWITCH_SCOPES]);
const TARGET = "name of the upstream or agent, or upstream/tool; none for all";

export function stopCommand(): Command {
  return new Command("stop")
    .description(
      "kill switch: refuse new calls and runs from now on, here and now; waiting cases stay, their deadlines frozen",
    )
    .addArgument(scopeArgument())
    .argument("[target]", TARGET)
    .requiredOption("--reason <text>", "why, for the record")
    .addOption(dataOption())
    .action(
      async (
        scope: KillSwitch["scope"],
        target: string | undefined,
        options: WhereOptions & { readonly reason: string },
      ) => {
        const killSwitch = switchOf(scope, target);
        await withAdminStore(options, (store) =>
          store.engageKillSwitch({ ...killSwitch, by: null, reason: options.reason }),
        );
        console.log(
          `Stopped: ${nameOf(killSwitch)}. Release it with: atlas resume ${[scope, target].filter(Boolean).join(" ")}`,
        );
      },
    );
}

export function resumeCommand(): Command {
  return new Command("resume")
    .description("release a kill switch; without arguments, list those that are engaged")
    .addArgument(scopeArgument().argOptional())
    .argument("[target]", TARGET)
    .option("--reason <text>", "why, for the record")
    .addOption(dataOption())
    .action(
      async (scope: KillSwitch["scope"] | undefined, target: string | undefined, options: ResumeOptions) =>
        scope === undefined ? list(options) : resume(switchOf(scope, target), options),
    );
}

interface ResumeOptions extends WhereOptions {
  readonly reason?: string;
}

async function resume(killSwitch: KillSwitch, options: ResumeOptions): Promise<void> {
  const released = await withAdminStore(options, (store) =>
    store.releaseKillSwitch({ ...killSwitch, by: null, reason: options.reason ?? null }),
  );
  if (!released)
    throw new AtlasError(
      "resource.not_found",
      `No kill switch is engaged for ${nameOf(killSwitch)}. See: atlas resume`,
    );
  console.log(`Released: ${nameOf(killSwitch)}.`);
}

async function list(options: WhereOptions): Promise<void> {
  const engaged = await withAdminStore(options, (store) => store.listKillSwitches());
  for (const one of engaged)
    console.log(`${nameOf(one)}  since ${new Date(one.sinceMs).toISOString()}  ${one.reason}`);
  if (engaged.length === 0) console.log("Nothing is stopped.");
}

function switchOf(scope: KillSwitch["scope"], target: string | undefined): KillSwitch {
  if ((scope === "all") !== (target === undefined)) {
    throw new AtlasError(
      "config.invalid",
      scope === "all" ? "`all` takes no target." : `Say which ${scope}: ${TARGET}.`,
    );
  }
  return { scope, target: target ?? "*" };
}

function nameOf(killSwitch: KillSwitch): string {
  return killSwitch.scope === "all" ? "everything" : `${killSwitch.scope} ${killSwitch.target}`;
}
