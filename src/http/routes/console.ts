import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { Hono } from "hono";
import { sha256 } from "../../domain/digest.ts";
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

interface ConsoleFile {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly contentType: string;
  readonly etag: string;
}

/**
 * `/console`: the reviewer's web page. Its files are read once, at start, and only names that were found then are
 * served, so no path in a request ever reaches the file system.
 */
export function consoleRoutes(deps: {
  readonly consoleDir: string;
  /** Path below which the gateway is reached, empty for none. */
  readonly publicPath: string;
}): Hono {
  const files = readConsoleFiles(deps.consoleDir);
  const routes = new Hono();
  // The page names its files relative to itself, so it must be read as a folder.
  routes.get("/console", (c) => c.redirect(`${deps.publicPath}/console/`));
  routes.get("/console/*", (c) => {
    const name = c.req.path.slice("/console/".length) || "index.html";
    const file = files.get(name);
    if (file === undefined) {
      return refuse(c, { code: "resource.not_found", message: "The console has no such file." });
    }
    c.header("etag", file.etag);
    c.header("cache-control", "no-cache");
    c.header("content-security-policy", CONSOLE_CSP);
    if (c.req.header("if-none-match") === file.etag) return c.body(null, 304);
    return c.body(file.bytes, 200, { "content-type": file.contentType });
  });
  return routes;
}

function readConsoleFiles(dir: string): ReadonlyMap<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>();
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const contentType = CONTENT_TYPES[extname(entry.name)];
    if (!entry.isFile() || contentType === undefined) continue;
    const bytes = Buffer.from(readFileSync(join(dir, entry.name)));
    files.set(entry.name, { bytes, contentType, etag: `"${sha256(bytes).slice(0, 32)}"` });
  }
  return files;
}
