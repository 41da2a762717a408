#!/usr/bin/env node
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import "./require-node.js";

// A clone runs its sources; the published package has only the compiled files.
const source = new URL("../src/cli/main.ts", import.meta.url);
const main = existsSync(fileURLToPath(source)) ? source : new URL("../dist/cli/main.js", import.meta.url);
const { runCli } = await import(main.href);
process.exitCode = await runCli(process.argv);
