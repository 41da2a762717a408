import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createProgram } from "../../src/cli/main.ts";
import { runCommand } from "../scenario/command-line.ts";
import { ROOT, readBlocks } from "./blocks.ts";
import { type DocsWorld, openDocsWorld } from "./world.ts";

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(ROOT, "examples"))
    .map((name) => `examples/${name}/README.md`)
    .filter((name) => existsSync(join(ROOT, name))),
];

/** Pages whose commands a test of their own runs. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  "README.md": "test/docs/readme.test.ts",
  "docs/clients.md": "test/docs/clients.test.ts",
};

/** What is shown to be read: nothing to run, nothing to take over. */
const TO_READ = new Set(["text", "mermaid"]);

const blocks = PAGES.flatMap((page) => readBlocks(page));
const ofLanguage = (...languages: readonly string[]) =>
  blocks.filter((block) => block.notRun === null && languages.includes(block.language));

test("every block is run, validated or to be read; those that cannot be run say why, and are as many as here", () => {
  const handled = new Set(["bash", "sh", "yaml", "json", ...TO_READ]);
  const neither = blocks.filter(({ language, notRun }) => notRun === null && !handled.has(language));
  expect(neither.map(({ at, language }) => `${at} ${language}`)).toEqual([]);
  expect(blocks.filter(({ notRun }) => notRun !== null)).toHaveLength(NOT_RUN);
});

/** Blocks with a comment `<!-- not run: … -->`. */
const NOT_RUN = 14;

describe("links", () => {
  test.each(PAGES)("of %s lead somewhere", (page) => {
    const text = readFileSync(join(ROOT, page), "utf8");
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/gu)].map(([, target = ""]) => target);
    const broken = targets.filter((target) => !existsSync(join(ROOT, dirname(page), target)));
    expect(broken).toEqual([]);
  });
});

describe("configuration", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-blocks-"));
  });
  afterEach(() => void vi.unstubAllEnvs());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Long enough for every key and secret. */
  const SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

  test.each(ofLanguage("yaml"))("$at passes `atlas check`", async ({ text }) => {
    for (const [, name = ""] of text.matchAll(/\$\{(\w+)\}/gu)) vi.stubEnv(name, SECRET);
    for (const name of ["MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET", "OPENAI_API_KEY"]) vi.stubEnv(name, SECRET);
    const secretFile = join(folder, "secret");
    writeFileSync(secretFile, SECRET);
    const file = join(folder, "atlas.yaml");
    writeFileSync(file, text.replaceAll(/\$\{file:[^}]+\}/gu, `\${file:${secretFile}}`));
    const checked = await runCommand(["check", "--config", file]);
    expect(checked.code, checked.stderr).toBe(0);
  });

  test.each(ofLanguage("json"))("$at is JSON", ({ text }) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });
});

const pagesToRun = PAGES.filter(
  (page) => !(page in RUN_ELSEWHERE) && ofLanguage("bash", "sh").some(({ at }) => at.startsWith(`${page}:`)),
);

describe.each(pagesToRun)("commands of %s", (page) => {
  let world: DocsWorld;
  beforeAll(async () => {
    world = await openDocsWorld();
  });
  afterAll(() => world.close());

  const run = ofLanguage("bash", "sh").filter(({ at }) => at.startsWith(`${page}:`));
  test.each(run)("$at", async (block) => {
    const { code, output } = await world.run(block);
    expect(code, output).toBe(0);
  });
});

describe("commands in the text", () => {
  test.each(PAGES)("of %s exist, with their options", (page) => {
    const text = readFileSync(join(ROOT, page), "utf8").replaceAll(/^\s*```[\s\S]*?^\s*```/gmu, "");
    const commands = [...text.matchAll(/`(?:npx )?atlas(?:-gateway)? ([a-z][^`]*)`/gu)].map(
      ([, given = ""]) => given,
    );
    for (const command of commands) expect(() => parse(command), command).not.toThrow();
  });
});

/** As the command line reads it, without doing it. @throws when it does not know a command or an option */
function parse(text: string): void {
  const words = text.match(/"[^"]*"|'[^']*'|\S+/gu) ?? [];
  let command = createProgram(() => undefined);
  let index = 0;
  for (; index < words.length; index++) {
    const next: Command | undefined = command.commands.find((one) => one.name() === words[index]);
    if (next === undefined) break;
    command = next;
  }
  if (command.parent === null) throw new Error(`no command: ${text}`);
  if (command.commands.length > 0 && words[index] !== undefined && words[index] !== "…") {
    throw new Error(`no subcommand: ${text}`);
  }
  const options = words.slice(index).filter((word) => word.startsWith("--") && word !== "--help");
  for (const option of options) {
    const name = option.split("=")[0];
    if (!command.options.some((known) => known.long === name)) throw new Error(`no option: ${option}`);
  }
}
