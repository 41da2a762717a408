import { scrypt, timingSafeEqual } from "node:crypto";
import { AtlasError } from "../domain/errors.ts";
import type { RandomBytes } from "../domain/ids.ts";
import { normalisePassword } from "../domain/password.ts";

/** Cost of one scrypt hash: memory is 128 · 2^ln · r bytes. */
export interface ScryptCost {
  /** Binary logarithm of N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/**
 * OWASP Password Storage Cheat Sheet, first choice for scrypt: N = 2^17, r = 8, p = 1, which is 128 MiB a hash. Argon2id would
 * be preferred there, but Node has it only from 24.7 on, and the gateway runs on 22.18, too.
 */
export const SCRYPT_COST: ScryptCost = { ln: 17, r: 8, p: 1 };

/** Hashes at once: each keeps a core and 128 MiB busy, and agents' calls need the other cores and threads. */
const MAX_RUNNING = 2;
/** Hashes that may wait for their turn; at half a second each nobody waits longer than a browser does. */
const MAX_WAITING = 20;

const SALT_BYTES = 16;
const HASH_BYTES = 32;

export type Verification =
  /** `outdated`: hashed at another cost than new ones are. */
  | { readonly kind: "matches"; readonly outdated: boolean }
  | { readonly kind: "differs" }
  /** Too many hashes are being made already; nothing was compared. */
  | { readonly kind: "busy" };

/** Turns passwords into what may be stored of them. Runs on the thread pool, two at a time. */
export interface PasswordHasher {
  /** A hash with its salt and its cost in it: `$scrypt$ln=17,r=8,p=1$salt$hash`, base64. null when too many are being made. */
  hash(password: string): Promise<string | null>;
  /**
   * Compares a password with a stored hash. Without one (no such account) it takes as long and differs.
   *
   * @throws AtlasError `internal` when what is stored is no hash
   */
  verify(password: string, stored: string | null): Promise<Verification>;
}

export interface PasswordHasherDeps {
  readonly random: RandomBytes;
  /** {@link SCRYPT_COST} but in tests. */
  readonly cost?: ScryptCost;
}

export function createPasswordHasher(deps: PasswordHasherDeps): PasswordHasher {
  const cost = deps.cost ?? SCRYPT_COST;
  const inTurn = createTurns(MAX_RUNNING, MAX_WAITING);
  const nobody = { cost, salt: deps.random(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };
  return {
    async hash(password) {
      const salt = deps.random(SALT_BYTES);
      const hash = await inTurn(() => derive(password, salt, cost, HASH_BYTES));
      return hash === "busy" ? null : written(cost, salt, hash);
    },
    async verify(password, stored) {
      const known = stored === null ? nobody : parsed(stored);
      const hash = await inTurn(() => derive(password, known.salt, known.cost, known.hash.length));
      if (hash === "busy") return { kind: "busy" };
      if (!timingSafeEqual(hash, known.hash) || stored === null) return { kind: "differs" };
      const { ln, r, p } = known.cost;
      return { kind: "matches", outdated: ln !== cost.ln || r !== cost.r || p !== cost.p };
    },
  };
}

function derive(password: string, salt: Uint8Array, cost: ScryptCost, length: number): Promise<Buffer> {
  const N = 2 ** cost.ln;
  const { r, p } = cost;
  return new Promise((resolve, reject) => {
    // OpenSSL counts two working blocks and one for each p beside the table of N.
    const options = { N, r, p, maxmem: 128 * r * (N + p + 2) };
    scrypt(normalisePassword(password), salt, length, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function written(cost: ScryptCost, salt: Uint8Array, hash: Uint8Array): string {
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${base64(salt)}$${base64(hash)}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}

const WRITTEN =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,})\$([A-Za-z0-9+/]{43,})$/;

function parsed(stored: string) {
  const [, ln, r, p, salt = "", hash = ""] = WRITTEN.exec(stored) ?? [];
  if (hash === "")
    throw new AtlasError("internal", "A stored password hash is damaged. Set the password anew.");
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

/** Runs at most so many jobs at once, lets some wait, and turns the rest away. */
function createTurns(maxRunning: number, maxWaiting: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <Answer>(job: () => Promise<Answer>): Promise<Answer | "busy"> => {
    if (running >= maxRunning) {
      if (waiting.length >= maxWaiting) return "busy";
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await job();
    } finally {
      // The place goes straight to who waits longest, so that nobody who comes now can take it.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
