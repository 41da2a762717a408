import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import { sha256 } from "../../domain/digest.ts";
import type { Log } from "../../telemetry/log.ts";
import { refuse } from "../error-response.ts";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Nothing but the console's own files: words of agents and tools stand on its pages. */
const CONSOLE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Names of these files hold a hash of what is in them, so they never change. */
const HASHED_NAMES = "assets/";
const FOR_EVER = "public, max-age=31536000, immutable";

interface ConsoleFile {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly gzipped: Buffer<ArrayBuffer>;
  readonly contentType: string;
  readonly etag: string;
}
type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

export interface ConsoleRoutesDeps {
  /** Folder with the built files. */
  readonly consoleFolder: () => Promise<string>;
  /** Path below which the gateway is reached, empty for none. */
  readonly publicPath: string;
  readonly log: Log;
}

/**
 * `/console`: the reviewers' web app. Its files are read once, when the first of them is asked for, and only names that were
 * found then are served, so no path in a request ever reaches the file system.
 */
export function consoleRoutes(deps: ConsoleRoutesDeps): Hono {
  const readOnce = onceUntilItFails(async () => readFiles(await deps.consoleFolder()));
  const routes = new Hono();
  // The page names its files relative to itself, so it must be read as a folder.
  routes.get("/console", (c) => c.redirect(`${deps.publicPath}/console/`));
  routes.get("/console/*", async (c) => {
    const name = c.req.path.slice("/console/".length) || "index.html";
    const files = await readOnce().catch((error: unknown) => {
      deps.log.error({ error }, "The console could not be built.");
      return null;
    });
    if (files === null) return refuse(c, NOT_BUILT);
    const file = files.get(name);
    if (file === undefined) return refuse(c, NO_SUCH_FILE);
    c.header("etag", file.etag);
    c.header("vary", "accept-encoding");
    c.header("cache-control", name.startsWith(HASHED_NAMES) ? FOR_EVER : "no-cache");
    c.header("content-security-policy", CONSOLE_CSP);
    c.header("content-type", file.contentType);
    if (c.req.header("if-none-match") === file.etag) return c.body(null, 304);
    if (!takesGzip(c.req.header("accept-encoding") ?? "")) return c.body(file.bytes);
    c.header("content-encoding", "gzip");
    return c.body(file.gzipped);
  });
  return routes;
}

const NO_SUCH_FILE = { code: "resource.not_found", message: "The console has no such file." } as const;
const NOT_BUILT = {
  code: "resource.not_found",
  message:
    "The console is not built here, and could not be: install the development dependencies (npm ci), and open it again.",
} as const;

/** A failure is not kept: what was missing may be there at the next request. */
function onceUntilItFails<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}

function takesGzip(accepted: string): boolean {
  return accepted.split(",").some((coding) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(coding));
}

function readFiles(folder: string): ConsoleFiles {
  const files = new Map<string, ConsoleFile>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const contentType = CONTENT_TYPES[extname(name)];
    if (contentType === undefined) continue;
    const bytes = Buffer.from(readFileSync(join(folder, name)));
    const etag = `"${sha256(bytes).slice(0, 32)}"`;
    files.set(name.replaceAll("\\", "/"), { bytes, gzipped: gzipSync(bytes), contentType, etag });
  }
  return files;
}
