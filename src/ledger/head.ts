import { type KeyObject, sign, verify } from "node:crypto";
import type { Sha256Hex, WriterId } from "../domain/ids.ts";
import { canonicalJson } from "../domain/jcs.ts";
import { keyIdOf } from "./signing-key.ts";

/** Where a chain stands. */
export interface ChainHead {
  readonly writer: WriterId;
  /** Sequence of the latest event. */
  readonly sequence: number;
  readonly hash: Sha256Hex;
}

/** A head with a signature over it: whoever holds it can prove that everything before it was there. */
export interface SignedHead extends ChainHead {
  readonly atMs: number;
  /** Ed25519, base64. */
  readonly signature: string;
  readonly keyId: string;
}

/** Signs a head. Only for heads that a full commit covers: a signature over what a power cut takes back would accuse us. */
export function signHead(head: ChainHead, atMs: number, privateKey: KeyObject): SignedHead {
  const signature = sign(null, headBytes(head, atMs), privateKey).toString("base64");
  return { ...head, atMs, signature, keyId: keyIdOf(privateKey) };
}

export function isHeadGenuine(head: SignedHead, publicKey: KeyObject): boolean {
  if (head.keyId !== keyIdOf(publicKey) || !Number.isSafeInteger(head.atMs)) return false;
  return verify(null, headBytes(head, head.atMs), publicKey, Buffer.from(head.signature, "base64"));
}

function headBytes(head: ChainHead, atMs: number): Buffer {
  const at = new Date(atMs).toISOString();
  return Buffer.from(canonicalJson({ v: 1, writer: head.writer, seq: head.sequence, hash: head.hash, at }));
}
