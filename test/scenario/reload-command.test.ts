import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runAtlas, type ServedGateway, serveAtlas } from "./atlas-process.ts";
import { eventually } from "./eventually.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-reload-"));
const file = join(folder, "atlas.yaml");
const data = join(folder, "data");
let served: ServedGateway;

beforeAll(async () => {
  writeFileSync(file, "mode: enforce\n");
  served = await serveAtlas(["--config", file, "--data", data]);
});
afterAll(async () => {
  await served.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function mode(): Promise<unknown> {
  const body = (await (await fetch(served.url)).json()) as { mode: string };
  return body.mode;
}

test("`atlas reload` says what came of it, with an exit code; SIGHUP does the same silently", async () => {
  writeFileSync(file, "mode: observe\n");
  const taken = await runAtlas(["reload", "--data", data]);
  expect(taken).toMatchObject({ code: 0, stdout: "Reloaded; changed: mode.\n", stderr: "" });
  expect(await mode()).toBe("observe");

  writeFileSync(file, "mode: watch\n");
  const refused = await runAtlas(["reload", "--data", data]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("Not reloaded; the configuration before it stays in force.");
  expect(refused.stderr).toContain(`${file}:1:1 mode: `);
  expect(await mode()).toBe("observe");

  writeFileSync(file, "mode: enforce\n");
  process.kill(served.pid, "SIGHUP");
  await eventually(async () => expect(await mode()).toBe("enforce"));
});

test("without a gateway it says so", async () => {
  const answer = await runAtlas(["reload", "--data", join(folder, "nothing")]);
  expect(answer.code).toBe(1);
  expect(answer.stderr).toContain("No gateway runs on");
});
