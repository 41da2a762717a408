import { describe, expect, test } from "vitest";
import { secureRandomBytes } from "../domain/ids.ts";
import { createPasswordHasher, SCRYPT_COST } from "./password-hash.ts";

const random = secureRandomBytes;
const LOW = { ln: 4, r: 8, p: 1 };
const MATCHES = { kind: "matches", outdated: false };

describe("createPasswordHasher", () => {
  test("hashes as OWASP advises, with salt and cost in the hash", async () => {
    const passwords = createPasswordHasher({ random });
    const hash = await passwords.hash("kettle umbrella fjord");
    expect(SCRYPT_COST).toEqual({ ln: 17, r: 8, p: 1 });
    expect(hash).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.verify("kettle umbrella fjord", hash)).toEqual(MATCHES);
    expect(await passwords.verify("kettle umbrella fjorD", hash)).toEqual({ kind: "differs" });
  });

  test("gives equal passwords different hashes, and knows a password however its letters were typed", async () => {
    const passwords = createPasswordHasher({ random, cost: LOW });
    const first = await passwords.hash("caf\u00e9 under the fjord");
    const second = await passwords.hash("caf\u00e9 under the fjord");
    expect(first).not.toBe(second);
    expect(await passwords.verify("cafe\u0301 under the fjord", first)).toEqual(MATCHES);
  });

  test("still knows a hash of another cost, and says that it is outdated", async () => {
    const hash = await createPasswordHasher({ random, cost: LOW }).hash("kettle umbrella fjord");
    const raised = createPasswordHasher({ random, cost: { ln: 5, r: 8, p: 1 } });
    expect(await raised.verify("kettle umbrella fjord", hash)).toEqual({ kind: "matches", outdated: true });
    expect(await raised.verify("wrong", hash)).toEqual({ kind: "differs" });
  });

  test("hashes for an account that is not there, too, and lets nobody in", async () => {
    const salts: number[] = [];
    const passwords = createPasswordHasher({
      random: (size) => {
        salts.push(size);
        return new Uint8Array(size);
      },
      cost: LOW,
    });
    expect(await passwords.verify("", null)).toEqual({ kind: "differs" });
    expect(salts).toEqual([16]);
  });

  test("turns away what cannot wait for its turn, and takes more once it is through", async () => {
    const passwords = createPasswordHasher({ random, cost: LOW });
    const answers = await Promise.all(Array.from({ length: 30 }, () => passwords.verify("x", null)));
    expect(answers.filter(({ kind }) => kind === "busy")).toHaveLength(8);
    expect(answers.filter(({ kind }) => kind === "differs")).toHaveLength(22);
    expect(await passwords.verify("x", null)).toEqual({ kind: "differs" });
    const hashes = await Promise.all(Array.from({ length: 30 }, () => passwords.hash("x")));
    expect(hashes.filter((hash) => hash === null)).toHaveLength(8);
  });

  test("refuses what is no hash of ours", async () => {
    const passwords = createPasswordHasher({ random, cost: LOW });
    for (const stored of ["", "$argon2id$v=19$x$y", "$scrypt$ln=17,r=8,p=1$short$short"])
      await expect(passwords.verify("x", stored)).rejects.toMatchObject({ code: "internal" });
  });
});
