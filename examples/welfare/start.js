// A clone runs the source; the published package has only the compiled file.
import { existsSync } from "node:fs";

const source = new URL("./server.ts", import.meta.url);
await import(
  existsSync(source) ? source.href : new URL("../../dist/examples/welfare/server.js", import.meta.url).href
);
