import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Sha256Hex, WriterId } from "../domain/ids.ts";
import { isHeadGenuine, signHead } from "./head.ts";
import { keyIdOf, loadOrCreateSigningKey, SIGNING_KEY_FILE } from "./signing-key.ts";

describe("loadOrCreateSigningKey", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-key-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test("creates a key once and loads the same one ever after", () => {
    const created = loadOrCreateSigningKey(folder);
    const loaded = loadOrCreateSigningKey(folder);
    expect(loaded.keyId).toBe(created.keyId);
    expect(loaded.keyId).toMatch(/^[0-9a-f]{16}$/);
    expect(keyIdOf(loaded.publicKey)).toBe(keyIdOf(created.privateKey));
  });

  test.skipIf(process.platform === "win32")(
    "keeps the key to its owner, also after a mount has widened it",
    () => {
      loadOrCreateSigningKey(folder);
      const path = join(folder, SIGNING_KEY_FILE);
      expect(statSync(path).mode & 0o777).toBe(0o600);
    },
  );

  test("does not overwrite a file that is no key", () => {
    for (const text of ["", "not a key"]) {
      writeFileSync(join(folder, SIGNING_KEY_FILE), text);
      expect(() => loadOrCreateSigningKey(folder)).toThrow(
        expect.objectContaining({ code: "config.invalid" }),
      );
    }
  });
});

describe("signHead", () => {
  test("a head is genuine under its key, and under no other head or key", () => {
    const folder = mkdtempSync(join(tmpdir(), "atlas-key-"));
    const other = mkdtempSync(join(tmpdir(), "atlas-key-"));
    const { privateKey, publicKey } = loadOrCreateSigningKey(folder);
    const head = signHead(
      { writer: "gw_a" as WriterId, sequence: 7, hash: "ab" as Sha256Hex },
      1000,
      privateKey,
    );
    expect(isHeadGenuine(head, publicKey)).toBe(true);
    const forgeries = [
      { sequence: 8 },
      { hash: "cd" as Sha256Hex },
      { writer: "gw_b" as WriterId },
      { atMs: 1001 },
      { keyId: "0" },
      { signature: "" },
    ];
    for (const forgery of forgeries) expect(isHeadGenuine({ ...head, ...forgery }, publicKey)).toBe(false);
    expect(isHeadGenuine(head, loadOrCreateSigningKey(other).publicKey)).toBe(false);
    for (const used of [folder, other]) rmSync(used, { recursive: true });
  });
});
