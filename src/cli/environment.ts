import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";

/** Bridges that clients start wherever they are: a folder that they happen to be in must not say where to connect to. */
const WITHOUT = new Set(["connect", "init"]);

/** Before a command runs, takes `.env` beside its configuration file into the environment. */
export function takeEnvironmentFile(command: Command): void {
  if (WITHOUT.has(command.name())) return;
  const { config } = command.opts<{ config?: string }>();
  const file = path.resolve(config ?? "atlas.yaml");
  if (existsSync(file)) loadEnvironmentBeside(file);
}

/** What `.env` beside a configuration file says, where the environment itself says nothing. */
export function loadEnvironmentBeside(configFile: string): void {
  const file = path.join(path.dirname(configFile), ".env");
  if (existsSync(file)) process.loadEnvFile(file);
}
