import { Command, CommanderError } from "commander";
import { AtlasError } from "../domain/errors.ts";
import { productVersion } from "../version.ts";
import { agentsCommand } from "./agents.ts";
import { backupCommand } from "./backup.ts";
import { casesCommand } from "./cases.ts";
import { checkCommand } from "./check.ts";
import { connectCommand } from "./connect.ts";
import { demoCommand } from "./demo.ts";
import { doctorCommand } from "./doctor.ts";
import { takeEnvironmentFile } from "./environment.ts";
import { handshakeCommand } from "./handshake.ts";
import { importCommand } from "./import.ts";
import { initCommand } from "./init.ts";
import { ledgerCommand } from "./ledger.ts";
import { observeCommand } from "./observe.ts";
import { pruneCommand } from "./prune.ts";
import { reloadCommand } from "./reload.ts";
import { restoreCommand } from "./restore.ts";
import { reviewersCommand } from "./reviewers.ts";
import { riskCommand } from "./risk.ts";
import { serveCommand } from "./serve.ts";
import { stdioCommand } from "./stdio.ts";
import { resumeCommand, stopCommand } from "./stop.ts";
import { toolsCommand } from "./tools.ts";
import { upstreamsCommand } from "./upstreams.ts";

/**
 * The command line: every command, ready to parse.
 *
 * @param setExitCode called by commands whose answer is an exit code
 */
export function createProgram(setExitCode: (code: number) => void): Command {
  const program = new Command("atlas")
    .description(
      "ATLAS Governance Gateway: lets agents' harmless tool calls through and holds dangerous ones for a human.",
    )
    .version(productVersion())
    .showHelpAfterError("Run with --help to see what it takes.")
    .exitOverride();
  program.hook("preAction", (_, command) => takeEnvironmentFile(command));
  for (const command of [
    initCommand(),
    serveCommand(),
    demoCommand(),
    connectCommand(),
    stdioCommand(),
    handshakeCommand(setExitCode),
    checkCommand(setExitCode),
    doctorCommand(setExitCode),
    reloadCommand(setExitCode),
    pruneCommand(),
    backupCommand(setExitCode),
    restoreCommand(),
    importCommand(setExitCode),
    casesCommand(),
    agentsCommand(),
    reviewersCommand(),
    upstreamsCommand(),
    toolsCommand(),
    observeCommand(),
    stopCommand(),
    resumeCommand(),
    ledgerCommand(setExitCode),
    riskCommand(setExitCode),
  ]) {
    program.addCommand(inheritErrors(command));
  }
  return program;
}

/** @returns the exit code: 0 when it did what was asked, 1 when not, 2 when it was asked wrongly. */
export async function runCli(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof AtlasError) {
      console.error(error.message);
      return 1;
    }
    // Nothing here should come to this; if it does, the sentence is for the user and the error for whoever mends it.
    console.error("This should not have happened; please report it with the lines below.");
    console.error(error);
    return 1;
  }
}

/** Makes a command and its subcommands report wrong use to the caller instead of ending the process. */
function inheritErrors(command: Command): Command {
  command.exitOverride().showHelpAfterError("Run with --help to see what it takes.");
  for (const sub of command.commands) inheritErrors(sub);
  return command;
}
