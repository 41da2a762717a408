import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { checkConfig } from "../config/check.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { type Answered, answerAll } from "../setup/answer.ts";
import { putBehind, takeBack } from "../setup/client-file.ts";
import { clientPlaces } from "../setup/client-places.ts";
import { configuredAnswers, hasUpstreams, upstreamWish, wishesOf, withWishes } from "../setup/config-text.ts";
import { readEnvFile, setInEnvFile } from "../setup/env-file.ts";
import { type Answers, QUESTIONS, type Question } from "../setup/questions.ts";
import { addToGitignore, replaceFile } from "../setup/replace-file.ts";
import { readHolder } from "../store/sqlite/lock.ts";
import { loadEnvironmentBeside } from "./environment.ts";
import { createAsker } from "./init/askers.ts";
import {
  describeClients,
  namedServers,
  type Servers,
  serversOfClients,
  welfareExample,
} from "./init/servers.ts";
import { assertPortIsFree, IMAGE, modelProblem, obstacleToDocker, runInContainer } from "./init/start.ts";
import { serve } from "./serve.ts";
import { dataDir, dataOption, type WhereOptions } from "./where.ts";

const ATLAS = fileURLToPath(new URL("../../bin/atlas.js", import.meta.url));
const RUNS = ["auto", "docker", "direct"] as const;

type InitOptions = WhereOptions &
  Omit<Partial<Answers>, "upstreams"> & {
    readonly upstream?: readonly string[];
    readonly yes?: boolean;
    readonly start: boolean;
    readonly undo?: boolean;
    readonly run: (typeof RUNS)[number];
  };

export function initCommand(): Command {
  const command = new Command("init")
    .description(
      "set a gateway up: asks what it needs, writes .env and atlas.yaml, puts the servers of your clients behind it, and starts it; safe to run again",
    )
    .option("--yes", "ask nothing; what no option and no variable says is left at its default")
    .option("--no-start", "only write the files")
    .option("--undo", "give clients the servers back that were put behind the gateway, and nothing else")
    .addOption(new Option("--run <how>", "where to run it").choices(RUNS).default("auto"))
    .option("--config <file>", "configuration file (default: atlas.yaml here); .env stands beside it")
    .addOption(dataOption());
  for (const question of QUESTIONS) command.addOption(optionOf(question));
  return command.action(init);
}

function optionOf({ flag, prompt, variable, many, choices }: Question): Option {
  const option = new Option(flag, `${prompt} (${variable})`);
  if (choices !== undefined) option.choices(choices);
  if (many === true) option.argParser<readonly string[]>((entry, before) => (before ?? []).concat(entry));
  return option;
}

async function init(options: InitOptions): Promise<void> {
  const configFile = path.resolve(options.config ?? "atlas.yaml");
  const folder = path.dirname(configFile);
  const places = clientPlaces({
    project: folder,
    settings: process.env[process.platform === "win32" ? "APPDATA" : "XDG_CONFIG_HOME"],
  });
  if (options.undo === true) {
    const restored = places.filter(takeBack);
    for (const { file } of restored) console.log(`Given back: ${file}`);
    console.log(
      restored.length === 0
        ? "No client's configuration was changed, so there is nothing to undo."
        : "Start these clients again. The servers are still in atlas.yaml; remove them there if nobody else uses them.",
    );
    return;
  }
  const before = existsSync(configFile) ? readFileSync(configFile, "utf8") : null;
  const envFile = path.join(folder, ".env");
  const { answers, explicit } = await answersTo(options, before, envFile, describeClients(places));
  const imported = serversOfClients(answers.clients ?? "none", places, folder);
  const named = namedServers(answers.upstreams ?? "", folder);
  const isEmpty = named.length + imported.upstreams.length === 0 && !hasUpstreams(before);
  const upstreams = [...imported.upstreams, ...named, ...(isEmpty ? [welfareExample(folder)] : [])];

  const written = withWishes(before, [
    ...upstreams.map(upstreamWish),
    ...wishesOf(answers, (name) => explicit.has(name)),
  ]);
  addToGitignore(path.join(folder, ".gitignore"), ".env");
  const changed = setInEnvFile(envFile, variablesFor({ answers, explicit }, imported, readEnvFile(envFile)));
  replaceFile(configFile, written.text);
  console.log(`Written: ${configFile}${changed.length > 0 ? ` and ${envFile} (${changed.join(", ")})` : ""}`);
  for (const sentence of [...written.left, ...imported.stay]) console.warn(`note: ${sentence}`);

  loadEnvironmentBeside(configFile);
  const config = loadConfig({ path: configFile, env: process.env, dataDir: dataDir(options) });
  for (const warning of checkConfig(config)) console.warn(`warning: ${warning}`);
  const where = placeToRun(options, config);
  moveServers(imported, where.inContainer ? containerEntry : directEntry(configFile, config.dataDir));
  if (!options.start) {
    console.log("Start it with: npm start");
    return;
  }
  if (where.because !== null) console.log(`Runs without a container: ${where.because}.`);
  const problem = await modelProblem(config);
  if (problem !== null) console.warn(`warning: ${problem}`);
  if (where.inContainer)
    await runInContainer({ configFile, port: config.listen.port, variables: readEnvFile(envFile) });
  else await runDirectly(options, configFile, config);
}

async function answersTo(
  options: InitOptions,
  before: string | null,
  envFile: string,
  clients: readonly string[],
): Promise<Answered> {
  const { upstream, ...flags } = options;
  const asker = options.yes === true ? null : createAsker();
  if (asker !== null && clients.length > 0) {
    console.log(`Clients on this machine have tool servers of their own:\n${clients.join("\n")}`);
  }
  try {
    return await answerAll({
      flags: { ...flags, ...(upstream !== undefined && { upstreams: upstream.join("\n") }) },
      environment: process.env,
      kept: readEnvFile(envFile),
      configured: configuredAnswers(before),
      asker,
    });
  } finally {
    asker?.close();
  }
}

/** For `.env`: what was said now, and what it does not have yet. */
function variablesFor(
  { answers, explicit }: Answered,
  imported: Servers,
  kept: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const own = QUESTIONS.flatMap(
    ({ name, variable, kept: isKept }): readonly (readonly [string, string])[] => {
      const value = answers[name];
      if (isKept !== true || value === undefined || value === "") return [];
      return explicit.has(name) || kept[variable] === undefined || kept[variable] === ""
        ? [[variable, value]]
        : [];
    },
  );
  return { ...imported.variables, ...Object.fromEntries(own) };
}

function placeToRun(
  { run }: InitOptions,
  config: Config,
): { readonly inContainer: boolean; readonly because: string | null } {
  if (run !== "auto") return { inContainer: run === "docker", because: null };
  const because = obstacleToDocker(config);
  return { inContainer: because === null, because };
}

/** How a client that speaks stdio gets to the gateway. No key stands in the client's file. */
const directEntry = (configFile: string, data: string) => ({
  command: process.execPath,
  args: [ATLAS, "stdio", "--config", configFile, "--data", data],
});
const containerEntry = { command: "docker", args: ["exec", "--interactive", IMAGE, "atlas", "stdio"] };

function moveServers({ moves }: Servers, entry: object): void {
  for (const { place, removals } of moves) {
    putBehind(place, removals, entry);
    const names = removals.flatMap((removal) => removal.names);
    console.log(
      `${place.name}: ${names.join(", ")} now behind the gateway (${place.file}); undo with: atlas init --undo`,
    );
  }
  if (moves.length > 0) console.log("Start these clients again.");
}

async function runDirectly(options: InitOptions, configFile: string, config: Config): Promise<void> {
  const holder = readHolder(config.dataDir);
  if (holder !== null) {
    console.log(
      `A gateway runs on ${config.dataDir} already${holder.url === null ? "" : `, at ${holder.url}`}. Let it take the configuration with: npx atlas reload (new secrets: stop it and start it again)`,
    );
    return;
  }
  await assertPortIsFree(config.listen.port, config.listen.host);
  await serve({ config: configFile, ...(options.data !== undefined && { data: options.data }) });
}
