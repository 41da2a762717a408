import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { eventually } from "../scenario/eventually.ts";
import { type Block, ROOT, readBlocks } from "./blocks.ts";

const blocks = readBlocks("README.md");

let folder: string;
let clone: string;
let demo: ChildProcess;
let said = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-readme-"));
  clone = join(folder, "clone");
  const skipped = new Set(["node_modules", ".git", "dist", ".atlas", "atlas-demo", ".env", "atlas.yaml"]);
  cpSync(ROOT, clone, {
    recursive: true,
    filter: (path) => path.includes("/examples/") || !skipped.has(basename(path)),
  });
  // What `npm ci` would put there, which the machine's own run of the tests has just done.
  symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
});
afterAll(async () => {
  if (demo?.pid !== undefined && demo.exitCode === null) {
    process.kill(-demo.pid, "SIGINT");
    await once(demo, "close");
  }
  rmSync(folder, { recursive: true, force: true });
});

function commandsUnder(heading: string): readonly (readonly string[])[] {
  const found = blocks.filter((block) => block.heading === heading && block.language === "bash");
  return found.map(({ text }: Block) => text.split("\n"));
}

/** One line of the README in the clone, as it stands. Only what nobody can know before is put in: the reference. */
async function follow(line: string | undefined, ref = ""): Promise<string> {
  const command = (line ?? "").replaceAll("evt_…", ref);
  const { stdout } = await promisify(execFile)("bash", ["-c", command], { cwd: clone });
  return stdout;
}

/** The demo's address and token, as it says them to its reader. */
function told(): { readonly url: string; readonly token: string } {
  const url = /open {3}(\S+)\/console/u.exec(said)?.[1] ?? "";
  const token = /token {2}(\S+)/u.exec(said)?.[1] ?? "";
  return { url, token };
}

const casesSchema = z.object({ cases: z.array(z.object({ ref: z.string(), state: z.string() })) });

async function cases(): Promise<z.output<typeof casesSchema>["cases"]> {
  const { url, token } = told();
  const answer = await fetch(`${url}/api/v1/cases`, { headers: { authorization: `Bearer ${token}` } });
  return casesSchema.parse(await answer.json()).cases;
}

test("starts with two commands, and a case waits at the console", async () => {
  expect(commandsUnder("Start")).toEqual([["npm ci", "npm run demo"]]);
  // Another program may have the port; that is the one thing that is not done to the letter.
  demo = spawn("npm", ["run", "demo", "--", "--port", "0"], { cwd: clone, detached: true });
  for (const stream of [demo.stdout, demo.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
  }
  await eventually(() => expect(said).toContain("Stop with Ctrl-C"));
  const page = await fetch(`${told().url}/console`, { headers: { accept: "text/html" } });
  expect([page.status, page.headers.get("content-type")]).toEqual([
    200,
    expect.stringContaining("text/html"),
  ]);
  expect(await cases()).toMatchObject([{ state: "AWAITING_REVIEW" }]);
  expect(existsSync(join(clone, "atlas-demo"))).toBe(true);
});

test("the first approval, word by word", async () => {
  const [approval, rest] = commandsUnder("Your first approval");
  const [list, approve, show] = approval ?? [];
  const ref = /evt_[a-z2-7]{32}/u.exec(await follow(list))?.[0] ?? "";
  expect(await follow(approve, ref)).toContain(ref);
  await eventually(async () =>
    expect(await cases()).toEqual([expect.objectContaining({ state: "SUCCEEDED" })]),
  );
  expect(await follow(show, ref)).toContain("SUCCEEDED");

  const [handshake, verify] = rest ?? [];
  expect(await follow(handshake)).toContain("Handshake complete");
  expect(await follow(verify)).toContain("The ledger verifies.");
});
