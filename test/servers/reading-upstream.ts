// An upstream with resources, templates, prompts and completions, as a control file says: node reading-upstream.ts --control FILE --record FILE
import { appendFileSync, readFileSync, unwatchFile, watchFile } from "node:fs";
import { parseArgs } from "node:util";
import { serve } from "@hono/node-server";
import { createMcpHandler, ProtocolError, Server } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";

/** What the server offers; read anew at every request. */
export interface Reading {
  /** Text by URI; `null` answers with an error. */
  readonly resources?: Readonly<Record<string, string>>;
  readonly templates?: readonly string[];
  readonly prompts?: readonly string[];
  /** In place of the URI that was asked for. */
  readonly answerUri?: string;
}

export interface ReadingOptions {
  readonly controlFile: string;
  /** One line for each request that reached the server. */
  readonly recordFile: string;
}

/** What reached a server. */
export interface ReceivedRead {
  readonly method: string;
  readonly params: { readonly [key: string]: unknown };
}

export function receivedReads(recordFile: string): readonly ReceivedRead[] {
  try {
    return readFileSync(recordFile, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line): ReceivedRead => JSON.parse(line));
  } catch {
    // Nothing was asked yet.
    return [];
  }
}

function createReadingServer({ controlFile, recordFile }: ReadingOptions): Server {
  const server = new Server(
    { name: "reading-upstream", version: "1.0.0" },
    {
      capabilities: {
        tools: {},
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
      },
    },
  );
  server.fallbackRequestHandler = async ({ method, params = {} }) => {
    const { resources = {}, templates = [], prompts = [], answerUri } = readingOf(controlFile);
    if (!method.endsWith("/list")) appendFileSync(recordFile, `${JSON.stringify({ method, params })}\n`);
    switch (method) {
      case "tools/list":
        return { tools: [{ name: "noop", inputSchema: { type: "object" } }] };
      case "resources/list":
        return {
          resources: Object.keys(resources).map((uri) => ({ uri, name: uri, "x-vendor": { kept: 1 } })),
        };
      case "resources/templates/list":
        return { resourceTemplates: templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate })) };
      case "resources/read": {
        const uri = String(params["uri"]);
        const text = resources[uri] ?? `made from a template for ${uri}`;
        return { contents: [{ uri: answerUri ?? uri, text, "x-vendor": [1] }], "x-top": { kept: true } };
      }
      case "prompts/list":
        return { prompts: prompts.map((name) => ({ name, "x-vendor": { kept: 1 } })) };
      case "prompts/get": {
        const text = `${String(params["name"])} ${JSON.stringify(params["arguments"] ?? {})}`;
        return { messages: [{ role: "user", content: { type: "text", text } }], "x-top": { kept: true } };
      }
      case "completion/complete":
        return { completion: { values: [JSON.stringify(params["ref"])], total: 1, hasMore: false } };
      case "resources/subscribe":
      case "resources/unsubscribe":
        return {};
      default:
        throw new ProtocolError(-32601, "Method not found");
    }
  };
  return server;
}

function readingOf(controlFile: string): Reading {
  return JSON.parse(readFileSync(controlFile, "utf8"));
}

/** Resources whose text is another one now. */
function changedResources(before: Reading, now: Reading): readonly string[] {
  const old = before.resources ?? {};
  return Object.entries(now.resources ?? {}).flatMap(([uri, text]) =>
    old[uri] !== undefined && old[uri] !== text ? [uri] : [],
  );
}

function watchReading(controlFile: string, onChange: (updated: readonly string[]) => void): void {
  let before = readingOf(controlFile);
  watchFile(controlFile, { interval: 30, persistent: false }, () => {
    const now = readingOf(controlFile);
    const updated = changedResources(before, now);
    before = now;
    onChange(updated);
  });
}

/** The 2026 revision over HTTP, on a loopback port of the system's choice, in this process. */
export async function startReadingHttp(
  options: ReadingOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const handler = createMcpHandler(() => createReadingServer(options), { legacy: "reject" });
  watchReading(options.controlFile, (updated) => {
    handler.notify.resourcesChanged();
    handler.notify.promptsChanged();
    for (const uri of updated) handler.notify.resourceUpdated(uri);
  });
  const { promise: port, resolve } = Promise.withResolvers<number>();
  const server = serve(
    { fetch: (request) => handler.fetch(request), port: 0, hostname: "127.0.0.1" },
    (info) => resolve(info.port),
  );
  return {
    url: `http://127.0.0.1:${await port}/mcp`,
    close: async () => {
      unwatchFile(options.controlFile);
      await handler.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise<void>((done) => {
        server.close(() => done());
      });
    },
  };
}

function main(): void {
  const { values } = parseArgs({ options: { control: { type: "string" }, record: { type: "string" } } });
  const { control = "", record = "" } = values;
  const open = new Set<Server>();
  watchReading(control, (updated) => {
    for (const server of open) {
      void server.sendResourceListChanged();
      void server.sendPromptListChanged();
      for (const uri of updated) void server.sendResourceUpdated({ uri });
    }
  });
  serveStdio(() => {
    const server = createReadingServer({ controlFile: control, recordFile: record });
    open.add(server);
    return server;
  });
}

if (import.meta.main) main();
