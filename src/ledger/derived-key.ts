import { hkdfSync, type KeyObject } from "node:crypto";

/**
 * A secret of 32 bytes for one purpose, from the data folder's signing key (HKDF-SHA-256, RFC 5869): the same after each
 * start, and nothing can be learned from it of the key or of another purpose's secret.
 */
export function derivedKey(signingKey: KeyObject, purpose: string): Uint8Array {
  const seed = signingKey.export({ type: "pkcs8", format: "der" });
  return new Uint8Array(hkdfSync("sha256", seed, "", `atlas-gateway ${purpose}`, 32));
}
