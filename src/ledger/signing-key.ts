import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sha256 } from "../domain/digest.ts";
import { AtlasError } from "../domain/errors.ts";

export const SIGNING_KEY_FILE = "ledger-key.pem";

/** The Ed25519 pair that signs the ledger's heads. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Names the key in heads and events: 16 hex digits. */
  readonly keyId: string;
}

/** First 16 hex digits of SHA-256 of the key's SPKI DER; the same for both halves of a pair. */
export function keyIdOf(key: KeyObject): string {
  return sha256(spkiDer(key)).slice(0, 16);
}

/** Public half as SPKI DER in base64, as a `writer.started` event holds it. */
export function publicKeyText(key: KeyObject): string {
  return spkiDer(key).toString("base64");
}

function spkiDer(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

/**
 * Loads the key of the data folder, or creates it at the first start. It is on disk before this
 * returns, so no head is ever signed with a key that a power cut can take away.
 *
 * @throws AtlasError `config.invalid` when the file is there but holds no Ed25519 private key.
 */
export function loadOrCreateSigningKey(dataDir: string): SigningKey {
  const path = join(dataDir, SIGNING_KEY_FILE);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const privateKey = createKeyFile(path) ?? loadKeyFile(path);
  return { privateKey, publicKey: createPublicKey(privateKey), keyId: keyIdOf(privateKey) };
}

/** @returns undefined when the file exists already. */
function createKeyFile(path: string): KeyObject | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return undefined;
    throw new AtlasError("config.invalid", `The ledger key ${path} cannot be created.`, { cause: error });
  }
  try {
    const { privateKey } = generateKeyPairSync("ed25519");
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
    fsyncSync(file);
    return privateKey;
  } finally {
    closeSync(file);
    syncFolder(join(path, ".."));
  }
}

/** Makes the new name durable; Windows cannot open folders and needs no such step. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function loadKeyFile(path: string): KeyObject {
  try {
    // A volume that was mounted with wider rights must not widen who can sign.
    chmodSync(path, 0o600);
    const key = createPrivateKey(readFileSync(path));
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (cause) {
    throw new AtlasError("config.invalid", brokenKeySentence(path), { cause });
  }
  throw new AtlasError("config.invalid", brokenKeySentence(path));
}

function brokenKeySentence(path: string): string {
  return `${path} is not a readable Ed25519 private key in PEM. Restore it from a backup; if this data folder was never used, delete it and start again.`;
}
