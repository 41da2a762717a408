import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { approve, refIn, reject, type ToolResult, type WireAgent, wireAgent, words } from "./agent.ts";
import { openScenario, type Scenario } from "./gateway.ts";

const FILESYSTEM_SERVER = join(
  import.meta.dirname,
  "../../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js",
);

let gateway: Scenario;
let agent: WireAgent;
let files: string;

beforeAll(async () => {
  gateway = await openScenario({
    yaml: (folder) => {
      files = join(folder, "files");
      mkdirSync(files);
      writeFileSync(join(files, "notes.txt"), "opening hours: 9 to 5\n");
      return `
upstreams:
  files: ${JSON.stringify({ command: process.execPath, args: [FILESYSTEM_SERVER, files], prefix: "" })}
`;
    },
  });
  agent = wireAgent(gateway);
});
afterAll(() => gateway.close());

function write(name: string, content: string): Promise<ToolResult> {
  return agent.call("write_file", JSON.stringify({ path: join(files, name), content }));
}

test("reading a file is answered at once with its text", async () => {
  const answer = await agent.call("read_text_file", JSON.stringify({ path: join(files, "notes.txt") }));
  expect(answer.isError).not.toBe(true);
  expect(words(answer)).toBe("opening hours: 9 to 5\n");
});

test("writing a file waits for a person, and is done once when they approve", async () => {
  const ref = refIn(await write("approved.txt", "by hand\n"));
  expect(existsSync(join(files, "approved.txt"))).toBe(false);
  await approve(gateway, ref);
  const status = await agent.checkStatus(ref, 25);
  expect(words(status)).toContain(`SUCCEEDED (Ref: ${ref})`);
  expect(words(status)).toContain("Successfully wrote to");
  expect(readFileSync(join(files, "approved.txt"), "utf8")).toBe("by hand\n");

  // Somebody changes the file: an approval that were used again would put the old text back.
  writeFileSync(join(files, "approved.txt"), "changed since\n");
  await approve(gateway, ref);
  expect(words(await agent.checkStatus(ref, 1))).toContain("SUCCEEDED");
  expect(readFileSync(join(files, "approved.txt"), "utf8")).toBe("changed since\n");
});

test("a rejected write is not done, and the agent reads why", async () => {
  const ref = refIn(await write("rejected.txt", "never\n"));
  await reject(gateway, ref, 'Ask the records office first ("form 7").');
  const status = await agent.checkStatus(ref, 25);
  expect(words(status)).toContain(`REJECTED (Ref: ${ref})`);
  expect(status.structuredContent).toMatchObject({
    state: "REJECTED",
    reviewer_reason: 'Ask the records office first ("form 7").',
  });
  expect(words(status)).toContain("Ask the records office first");
  expect(readdirSync(files)).not.toContain("rejected.txt");
});
