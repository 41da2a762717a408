import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCommand } from "./command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-check-"));
const file = join(folder, "atlas.yaml");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("`atlas check --json` tells a file that starts from one that does not", async () => {
  writeFileSync(file, "policy: [{ id: all, verdict: deny }, { id: late, verdict: allow }]\n");
  const good = await runCommand(["check", "--json", "--config", file]);
  expect(good).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(good.stdout)).toMatchObject({ file, ok: true, problems: [], upstreams: 0, rules: 2 });
  expect(good.stdout).toContain("Rule late can never match");

  writeFileSync(file, "polcy: []\nhold: { call: soon }\n");
  const bad = await runCommand(["check", "--json", "--config", file]);
  expect(bad.code).toBe(1);
  expect(JSON.parse(bad.stdout)).toMatchObject({
    ok: false,
    problems: [
      expect.stringContaining(`${file}:2:9 hold.call`),
      expect.stringContaining("did you mean `policy`"),
    ],
  });
  const plain = await runCommand(["check", "--config", file]);
  expect(plain).toMatchObject({ code: 1, stdout: "" });
  expect(plain.stderr).toContain("did you mean `policy`");
});
