import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const src = path.join(root, "src");

/** What each folder of `src/` may import, as ARCHITECTURE.md prints it. Imports point inward only; adapters never import adapters. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  policy: ["domain"],
  risk: ["domain"],
  ledger: ["domain"],
  telemetry: ["domain"],
  config: ["domain", "policy"],
  governance: ["domain", "policy", "risk", "ledger"],
  engines: ["domain", "governance"],
  store: ["domain", "ledger", "governance", "telemetry"],
  "mcp/upstream": ["domain", "governance", "config", "telemetry"],
  "mcp/downstream": ["domain", "governance", "config", "telemetry"],
  http: ["domain", "governance", "config", "telemetry"],
  notify: ["domain", "governance", "config", "telemetry"],
  setup: ["domain"],
};

/** Files at the root of `src/` and the command line put everything together and may import all of it. */
const COMPOSERS = new Set([
  "app.ts",
  "bootstrap.ts",
  "console-folder.ts",
  "engine.ts",
  "housekeeping.ts",
  "judges.ts",
  "live-view.ts",
  "monitoring.ts",
  "open-store.ts",
  "reload.ts",
  "version.ts",
  "index.ts",
  "cli",
]);

/** Packages that are loaded only when they are used, each from one file. */
const LAZY_PACKAGES = ["pg", "inngest", "modal", "modal-labs"];

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((f) => f.endsWith(".ts") && !/\.(test|testsuite|testing)\.ts$/.test(f))
  .map((f) => f.replaceAll("\\", "/"));

function folderOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return first === "mcp" ? `mcp/${second}` : first;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(src, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((m) => ({ file, target: m[1] ?? "" }));
}

describe("imports point inward", () => {
  test.each(Object.entries(MAY_IMPORT))("%s imports only %j and itself", (folder, allowed) => {
    const own = files.filter((f) => folderOf(f) === folder);
    const strays = own
      .flatMap(importsOf)
      .filter((i) => i.target.startsWith("."))
      .map((i) => ({ ...i, into: folderOf(path.posix.join(path.posix.dirname(i.file), i.target)) }))
      .filter((i) => i.into !== folder && !allowed.includes(i.into));
    expect(strays).toEqual([]);
  });

  test("every folder has its line in the table", () => {
    const unknown = new Set(files.map(folderOf).filter((f) => !(f in MAY_IMPORT) && !COMPOSERS.has(f)));
    expect([...unknown]).toEqual([]);
  });

  test("ARCHITECTURE.md prints the same table", () => {
    const text = readFileSync(path.join(root, "ARCHITECTURE.md"), "utf8").replaceAll(/ +/g, " ");
    for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
      expect(text).toContain(
        `| \`${folder}\` | ${allowed.map((f) => `\`${f}\``).join(", ") || "nothing of ours"} |`,
      );
    }
  });
});

describe("the console", () => {
  const sources = readdirSync(path.join(root, "console/src"), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".test.ts"))
    .map((file) => ({ file, text: readFileSync(path.join(root, "console/src", file), "utf8") }));

  test("knows the contract of the HTTP interface and nothing else of the gateway, and of that the types only", () => {
    const contract = path.join(src, "http/contract.ts");
    const strays = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/import\s+(type\s)?[^"]*"(\.[^"]*)"/g)].flatMap(([, type, target = ""]) => {
        const at = path.resolve(root, "console/src", path.dirname(file), target);
        const isOwn = at.startsWith(path.join(root, "console/src"));
        return isOwn || (at === contract && type !== undefined) ? [] : [`${file}: ${target}`];
      }),
    );
    expect(sources.length).toBeGreaterThan(20);
    expect(strays).toEqual([]);
  });

  test("writes words as text: it knows no way to write markup, and no code from text", () => {
    const strays = sources.filter(({ text }) =>
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/.test(
        text,
      ),
    );
    expect(strays.map(({ file }) => file)).toEqual([]);
  });
});

describe("the sources keep the house rules", () => {
  test("drivers are imported lazily", () => {
    const strays = files.flatMap((file) => {
      const text = readFileSync(path.join(src, file), "utf8");
      return LAZY_PACKAGES.filter((name) =>
        new RegExp(`^import (?!type )[^\\n]*from "${name}"`, "m").test(text),
      ).map((name) => `${file}: ${name}`);
    });
    expect(strays).toEqual([]);
  });

  test("no file is a barrel, has a default export or silences a check", () => {
    const strays = files.filter((file) => {
      const text = readFileSync(path.join(src, file), "utf8");
      return /^export \* from|^export default|@ts-ignore|@ts-expect-error|@ts-nocheck|oxlint-disable|eslint-disable|biome-ignore/m.test(
        text,
      );
    });
    expect(strays).toEqual([]);
  });
});
