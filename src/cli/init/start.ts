import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isLoopback } from "../../config/check.ts";
import type { Config, UpstreamConfig } from "../../config/config.ts";
import { systemClock } from "../../domain/clock.ts";
import { AtlasError } from "../../domain/errors.ts";
import { secureRandomBytes } from "../../domain/ids.ts";
import { openJudge } from "../../judges.ts";

export const IMAGE = "atlas-gateway";
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Label of containers that this made and may therefore replace. */
const OURS = "org.atlas-gateway.made-by=init";

/** Why a container is not what this configuration should run in; null when it may. */
export function obstacleToDocker(config: Config): string | null {
  if (!existsSync(path.join(ROOT, "Dockerfile"))) return "this is no clone, so there is no Dockerfile";
  const info = spawnSync("docker", ["info"], { stdio: "ignore", timeout: 15_000 });
  if (info.status !== 0) return "Docker is not here, or does not run";
  const outside = config.upstreams.find((upstream) => !isInImage(upstream));
  if (outside !== undefined) return `a container has neither the program nor the files of ${outside.name}`;
  const { model } = config.risk;
  const address =
    model === null || model.kind === "modal" ? null : model.kind === "modal-web" ? model.url : model.baseUrl;
  return address !== null && isLoopback(new URL(address).hostname)
    ? "the model runs on this machine, and a container is another one"
    : null;
}

/** What the image holds: Node, and the example. */
function isInImage(upstream: UpstreamConfig): boolean {
  if (upstream.kind === "http") return !isLoopback(new URL(upstream.url).hostname);
  return upstream.command === "node" && upstream.cwd === path.join(ROOT, "examples/welfare");
}

export interface ContainerParams {
  readonly configFile: string;
  readonly port: number;
  /** For the container's environment; only their names are on a command line. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Builds the image and runs it in the place of the container that an earlier time made. @throws AtlasError `config.invalid` */
export async function runInContainer({ configFile, port, variables }: ContainerParams): Promise<void> {
  const made = docker(["ps", "--all", "--quiet", "--filter", `name=^${IMAGE}$`]).trim();
  const ours = docker([
    "ps",
    "--all",
    "--quiet",
    "--filter",
    `name=^${IMAGE}$`,
    "--filter",
    `label=${OURS}`,
  ]).trim();
  if (made !== ours) {
    throw new AtlasError(
      "config.invalid",
      `There is a container ${IMAGE} that atlas init did not make. Remove it with: docker rm -f ${IMAGE}`,
    );
  }
  console.log(`Building the image ${IMAGE} …`);
  docker(["build", "--tag", IMAGE, ROOT], "inherit");
  if (ours !== "") {
    docker(["stop", "--time", "90", IMAGE]);
    docker(["rm", IMAGE]);
  }
  await assertPortIsFree(port);
  docker(
    [
      ["run", "--detach", "--init", "--name", IMAGE, "--label", OURS, "--restart", "unless-stopped"],
      ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
      [
        "--publish",
        `127.0.0.1:${port}:8000`,
        "--volume",
        "atlas-data:/data",
        "--volume",
        `${configFile}:/app/atlas.yaml:ro`,
      ],
      Object.keys(variables).flatMap((name) => ["--env", name]),
      [IMAGE],
    ].flat(),
    "pipe",
    variables,
  );
  await untilReady(`http://127.0.0.1:${port}`);
  console.log(`ATLAS Governance Gateway is ready on http://127.0.0.1:${port}, in the container ${IMAGE}`);
  console.log(`  for agents        http://127.0.0.1:${port}/mcp`);
  console.log(`  for reviewers     http://127.0.0.1:${port}/console`);
  console.log(`  first credentials docker exec ${IMAGE} cat /data/first-credentials.json`);
  console.log(`  command line      docker exec ${IMAGE} atlas doctor`);
}

function docker(args: readonly string[], output: "pipe" | "inherit" = "pipe", variables = {}): string {
  const done = spawnSync("docker", args, {
    stdio: ["ignore", output, output],
    env: { ...process.env, ...variables },
    encoding: "utf8",
  });
  if (done.status === 0) return done.stdout ?? "";
  const said = (done.stderr ?? "").trim();
  throw new AtlasError(
    "config.invalid",
    `docker ${args[0]} failed${said === "" ? "" : `: ${said}`}. Mend it, or run the gateway without a container: --run direct`,
  );
}

const READY_WITHIN_MS = 60_000;

async function untilReady(url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    await sleep(200);
  }
  throw new AtlasError(
    "config.invalid",
    `The container started, but the gateway is not ready. See: docker logs ${IMAGE}`,
  );
}

/** @throws AtlasError `config.invalid` when something listens on the port */
export async function assertPortIsFree(port: number, host = "127.0.0.1"): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer();
  server.once("error", reject);
  server.listen({ port, host, exclusive: true }, () => server.close(() => resolve()));
  try {
    await promise;
  } catch (cause) {
    throw new AtlasError(
      "config.invalid",
      `Port ${port} is taken. Stop what listens there, or choose another one with --port ${port + 1} (listen.port in atlas.yaml).`,
      { cause },
    );
  }
}

/** How long a model may take to answer before nobody waits for it any more. */
const MODEL_WITHIN_MS = 20_000;

/** Asks the model the question whose answer is known. @returns what is wrong, with what to do; null when it is right, or there is none */
export async function modelProblem({ risk }: Config): Promise<string | null> {
  if (risk.model === null) return null;
  const { judge } = await openJudge(risk.model, risk.threshold, {
    clock: systemClock,
    random: secureRandomBytes,
  });
  const late = sleep(MODEL_WITHIN_MS, "It did not answer within 20 seconds.", { ref: false });
  const problem = await Promise.race([judge.warm(), late]);
  judge.close();
  return problem === null
    ? null
    : `The model ${judge.id} cannot be used: ${problem} Check its key and address in .env and atlas.yaml; until it answers, every call that needs it waits for a human.`;
}
