import { randomBytes } from "node:crypto";
import { AtlasError } from "./errors.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Public reference of a case, `evt_…`: 160 random bits, so knowing one reference says nothing of another. */
export type CaseRef = Branded<"CaseRef">;
/** An agent's id, chosen by the operator (`billing-bot`). */
export type AgentId = Branded<"AgentId">;
/** A human principal's id, chosen by the operator (`sarah`). */
export type PersonId = Branded<"PersonId">;
/** One gateway process; every process that writes to the ledger has its own. */
export type WriterId = Branded<"WriterId">;
/** Lower-case hex SHA-256. */
export type Sha256Hex = Branded<"Sha256Hex">;

/** Source of randomness; injected so that tests can repeat themselves. */
export type RandomBytes = (size: number) => Uint8Array;

/** Asking the system for a few bytes costs as much as asking for many; none is ever given twice. */
const POOL_BYTES = 4_096;
let pool = new Uint8Array();

export const secureRandomBytes: RandomBytes = (size) => {
  if (size > POOL_BYTES / 8) return randomBytes(size);
  if (pool.length < size) pool = Uint8Array.from(randomBytes(POOL_BYTES));
  const bytes = pool.slice(0, size);
  pool.fill(0, 0, size);
  pool = pool.subarray(size);
  return bytes;
};

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** RFC 4648 base32 in lower case without padding: survives case-folding, e-mail and being read aloud. */
function base32(bytes: Uint8Array): string {
  let out = "";
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += BASE32.charAt((buffer >> bits) & 31);
    }
    buffer &= (1 << bits) - 1;
  }
  return bits > 0 ? out + BASE32.charAt((buffer << (5 - bits)) & 31) : out;
}

export function newCaseRef(random: RandomBytes): CaseRef {
  return `evt_${base32(random(20))}` as CaseRef;
}

export function newWriterId(random: RandomBytes): WriterId {
  return `gw_${base32(random(10))}` as WriterId;
}

/** A bearer secret of 256 bits; `kind` makes a leaked one recognisable and keeps the two families apart. */
export function newCredential(kind: "agent" | "person", random: RandomBytes): string {
  return `${kind === "agent" ? "atlas_agent" : "atlas_person"}_${base32(random(32))}`;
}

/** Hex of `size` random bytes: nonces and salts. */
export function randomHex(size: number, random: RandomBytes): string {
  return Buffer.from(random(size)).toString("hex");
}

export function isCaseRef(text: string): text is CaseRef {
  return /^evt_[a-z2-7]{32}$/.test(text);
}

/** Ids of principals, upstreams and rules: what may stand in a URL, a log line and a file name. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function isAgentId(text: string): text is AgentId {
  return ID_PATTERN.test(text);
}

/** @throws AtlasError `config.invalid` when the text is no id. */
export function agentId(text: string): AgentId {
  return checkedId(text) as AgentId;
}

/** @throws AtlasError `config.invalid` when the text is no id. */
export function personId(text: string): PersonId {
  return checkedId(text) as PersonId;
}

function checkedId(text: string): string {
  if (ID_PATTERN.test(text)) return text;
  const rule = "use letters, digits, dots, dashes and underscores, 64 at most, with a letter or digit first";
  throw new AtlasError("config.invalid", `${JSON.stringify(text)} is no id: ${rule}.`);
}
