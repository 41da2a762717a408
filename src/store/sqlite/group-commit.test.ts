import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeClock } from "../fixture.testsuite.ts";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";

describe("createGroupCommit", () => {
  let folder: string;
  let path: string;
  let db: DatabaseSync;
  let commits: GroupCommit;
  let rollbacks: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-commit-"));
    path = join(folder, "test.db");
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec("pragma journal_mode = wal; create table numbers (n integer primary key)");
    rollbacks = 0;
    commits = createGroupCommit({
      db,
      clock: fakeClock(),
      onRollback: () => (rollbacks += 1),
      onCommitted: () => undefined,
    });
  });

  afterEach(() => {
    db.close();
    rmSync(folder, { recursive: true });
  });

  const insert = (n: number, or = "abort") =>
    commits.run(() => {
      db.exec(`insert or ${or} into numbers values (${n})`);
      return n;
    });

  const numbers = () => {
    const other = new DatabaseSync(path);
    try {
      return other
        .prepare("select n from numbers order by n")
        .all()
        .map((row) => row["n"]);
    } finally {
      other.close();
    }
  };

  test("commands of one turn share a commit, and are answered after it", async () => {
    const seen: unknown[] = [];
    const first = insert(1).then(() => seen.push(numbers()));
    const second = insert(2).then(() => seen.push(numbers()));
    await Promise.all([first, second]);
    expect(seen).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("a command that throws is undone alone, with everything it wrote", async () => {
    const failing = commits.run(() => {
      db.exec("insert into numbers values (7)");
      throw new RangeError("its own");
    });
    const results = await Promise.allSettled([insert(1), failing, insert(2)]);
    expect(results.map((r) => r.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await expect(failing).rejects.toThrow(RangeError);
    expect(numbers()).toEqual([1, 2]);
    expect(rollbacks).toBe(1);
  });

  test("when the database itself ends the transaction, nobody is acknowledged and nothing later runs outside one", async () => {
    await insert(1);
    const results = await Promise.allSettled([insert(2), insert(1, "rollback"), insert(3)]);
    for (const result of results)
      expect(result).toMatchObject({ status: "rejected", reason: { code: "store.failed" } });
    expect(numbers()).toEqual([1]);
    await insert(4);
    expect(numbers()).toEqual([1, 4]);
  });

  test("when no transaction can begin, every member is rejected, and the next group goes on", async () => {
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    const results = await Promise.allSettled([insert(1), insert(2)]);
    for (const result of results)
      expect(result).toMatchObject({ status: "rejected", reason: { code: "store.failed" } });
    other.exec("rollback");
    other.close();
    await insert(3);
    expect(numbers()).toEqual([3]);
  });

  test("a full disk rejects and loses nothing that was acknowledged", async () => {
    await insert(1);
    const pages = Number(db.prepare("pragma page_count").get()?.["page_count"]);
    db.exec(`pragma max_page_count = ${pages}`);
    const big = () => commits.run(() => db.exec("create table big as select randomblob(100000) as bytes"));
    const results = await Promise.allSettled([big(), big()]);
    expect(results.map((r) => r.status)).toEqual(["rejected", "rejected"]);
    expect(numbers()).toEqual([1]);
  });

  test("more commands than a group holds are all committed", async () => {
    const all = await Promise.all(Array.from({ length: 1000 }, (_, n) => insert(n)));
    expect(all).toHaveLength(1000);
    expect(numbers()).toHaveLength(1000);
  });

  /** 1 is NORMAL, 2 is FULL: what the last commit was sealed with. */
  const sealedWith = () => Number(db.prepare("pragma synchronous").get()?.["synchronous"]);

  test("a group is as durable as the member that needs most", async () => {
    await commits.run(() => undefined, "normal");
    expect(sealedWith()).toBe(1);
    await Promise.all([commits.run(() => undefined, "normal"), commits.run(() => undefined)]);
    expect(sealedWith()).toBe(2);
    await Promise.all([commits.run(() => undefined, "normal"), commits.run(() => undefined, "normal")]);
    expect(sealedWith()).toBe(1);
  });

  test("a member that finds it needs more has its group carried out once more, and once only", async () => {
    const light = commits.run(() => db.exec("insert into numbers values (1)"), "normal");
    const found = commits.run((tx) => {
      db.exec("insert into numbers values (2)");
      tx.needsFull();
    }, "normal");
    await Promise.all([light, found]);
    expect(sealedWith()).toBe(2);
    expect(numbers()).toEqual([1, 2]);
  });
});
