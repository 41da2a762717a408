import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backupOf, putBehind, readClientFile, takeBack } from "./client-file.ts";
import type { ClientPlace } from "./client-places.ts";
import { clientPlaces } from "./client-places.ts";

let folder: string;
let place: ClientPlace;
const entry = { command: "node", args: ["atlas.js", "stdio"] };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-client-"));
  place = {
    id: "vscode",
    name: "VS Code",
    file: join(folder, "mcp.json"),
    sections: [["servers"]],
    extra: { type: "stdio" },
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

const JSONC = `{
\t// my servers
\t"servers": {
\t\t"files": { "command": "files" }, // the shared drive
\t\t"notes": { "command": "notes" },
\t},
\t"inputs": [1,   2], // stays
}
`;

describe("putBehind and takeBack", () => {
  test("leave everything else as it is, comments too, and bring the very bytes back", () => {
    writeFileSync(place.file, JSONC);
    chmodSync(place.file, 0o600);
    putBehind(place, [{ section: ["servers"], names: ["files"] }], entry);
    const behind = readFileSync(place.file, "utf8");
    expect(behind).toContain("// my servers");
    expect(behind).toContain('"inputs": [1,   2], // stays');
    expect(readClientFile(place)?.[0]?.servers).toEqual({
      notes: { command: "notes" },
      atlas: { type: "stdio", ...entry },
    });
    expect(statSync(backupOf(place)).mode & 0o777).toBe(0o600);
    expect(takeBack(place)).toBe(true);
    expect(readFileSync(place.file, "utf8")).toBe(JSONC);
    expect(existsSync(backupOf(place))).toBe(false);
    expect(takeBack(place)).toBe(false);
  });

  test("keep what changed in between", () => {
    writeFileSync(place.file, JSONC);
    putBehind(place, [{ section: ["servers"], names: ["files"] }], entry);
    const changed = readFileSync(place.file, "utf8").replace('"inputs"', '"later": true, "inputs"');
    writeFileSync(place.file, changed);
    takeBack(place);
    const text = readFileSync(place.file, "utf8");
    expect(text).toContain('"later": true');
    expect(readClientFile(place)?.[0]?.servers).toEqual({
      notes: { command: "notes" },
      files: { command: "files" },
    });
  });

  test("one undo brings back what was taken out in several goes, and an `atlas` of the person's own", () => {
    writeFileSync(
      place.file,
      JSON.stringify({ servers: { a: { command: "a" }, atlas: { command: "mine" } } }),
    );
    putBehind(place, [{ section: ["servers"], names: ["a"] }], entry);
    const second = readFileSync(place.file, "utf8").replace(
      '"servers": {',
      '"servers": { "b": {"command": "b"},',
    );
    writeFileSync(place.file, second.replace('"servers":{', '"servers":{"b":{"command":"b"},'));
    putBehind(place, [{ section: ["servers"], names: ["b"] }], entry);
    expect(Object.keys(readClientFile(place)?.[0]?.servers ?? {})).toEqual(["atlas"]);
    takeBack(place);
    expect(readClientFile(place)?.[0]?.servers).toEqual({
      a: { command: "a" },
      b: { command: "b" },
      atlas: { command: "mine" },
    });
  });

  test("a link stays a link, and Windows line ends stay", () => {
    const real = join(folder, "real.json");
    writeFileSync(real, JSONC.replaceAll("\n", "\r\n"));
    symlinkSync(real, place.file);
    putBehind(place, [{ section: ["servers"], names: ["files"] }], entry);
    expect(readFileSync(real, "utf8").replaceAll("\r\n", "")).not.toContain("\n");
    takeBack(place);
    expect(readFileSync(real, "utf8")).toBe(JSONC.replaceAll("\n", "\r\n"));
  });

  test.each(["{ broken", "[]", '{"servers": 3}'])("refuses %s with a sentence", (text) => {
    writeFileSync(place.file, text);
    expect(() => readClientFile(place)).toThrow(/VS Code.*is no JSON object.*leave out vscode/);
  });
});

test("finds each client's file where that system has it", () => {
  const files = (platform: NodeJS.Platform) =>
    clientPlaces({ home: "/h", project: "/p", platform }).map(({ file }) => file.replaceAll("\\", "/"));
  const project = ["/p/.mcp.json", "/p/.cursor/mcp.json", "/p/.vscode/mcp.json"];
  const same = ["/h/.claude.json", "/h/.cursor/mcp.json"];
  const mac = "/h/Library/Application Support";
  expect(files("darwin").sort()).toEqual(
    [...project, ...same, `${mac}/Claude/claude_desktop_config.json`, `${mac}/Code/User/mcp.json`].sort(),
  );
  expect(files("linux")).toContain("/h/.config/Claude/claude_desktop_config.json");
  expect(files("win32")).toContain("/h/AppData/Roaming/Code/User/mcp.json");
});
