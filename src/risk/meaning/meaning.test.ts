import { describe, expect, it } from "vitest";
import { readAddress } from "./address.ts";
import { readAmount } from "./amount.ts";
import { readCron } from "./cron.ts";
import { readDate } from "./date.ts";
import { readEnvironment } from "./environment.ts";
import { flagOf } from "./flag.ts";
import { readPath } from "./path.ts";
import { readShell } from "./shell.ts";
import { readSql } from "./sql.ts";
import { readUrl } from "./url.ts";

describe("readSql", () => {
  it.each([
    ["SELECT id FROM t WHERE a = 'x; DROP TABLE t'", "read"],
    ["select count(*) from t;", "read"],
    ["WITH a AS (SELECT id FROM t) SELECT * FROM a", "read"],
    ["EXPLAIN SELECT id FROM t WHERE id = 1", "read"],
    ['SELECT "delete from x" FROM t', "read"],
    ["SELECT 1; DELETE FROM t", "unsure"],
    ["SELECT 1 -- x\nDELETE FROM t", "unsure"],
    ["SELECT /*! sleep(9) */ 1 FROM t", "unsure"],
    ["SELECT pg_sleep(9)", "unsure"],
    ["SELECT dblink_exec('x') FROM t", "unsure"],
    ["SELECT 'it\\'s' FROM t", "unsure"],
    ["SELECT $$x$$ FROM t", "unsure"],
    ["SELECT 'open FROM t", "unsure"],
    ["SELECT * INTO backup FROM t", "write"],
    ["SELECT id FROM t FOR UPDATE", "write"],
    ["WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x", "write"],
    ["EXPLAIN ANALYZE DELETE FROM t", "write"],
    ["UPDATE t SET a = 1", "write"],
    ["delete from t", "write"],
    ["DROP TABLE t", "write"],
    ["mutation { deleteUser(id: 1) }", "write"],
    ["select the best from the list", "read"],
    ["please update me on the case", "none"],
    ["hello", "none"],
  ])("reads %j as %s", (text, kind) => {
    expect(readSql(text).kind).toBe(kind);
  });

  it("sees what comes back", () => {
    expect(readSql("SELECT count(*), avg(a) FROM t").aggregate).toBe(true);
    expect(readSql("SELECT name, count(*) FROM t").aggregate).toBe(false);
    expect(readSql("SELECT * FROM t").wholeRows).toBe(true);
    expect(readSql("SELECT count(*) FROM t").wholeRows).toBe(false);
    expect(readSql("SELECT a * 2 FROM t").wholeRows).toBe(true);
  });
});

describe("readShell", () => {
  it.each([
    ["ls -la /x", "", "read"],
    ["cat a | grep b | wc -l", "", "read"],
    ["git log --oneline", "", "read"],
    ["git push --force", "", "write"],
    ["git diff --output=/etc/x", "", "unsure"],
    ["git branch", "", "read"],
    ["git branch -D main", "", "write"],
    ["get pods -n web", "kubectl", "read"],
    ["kubectl get secrets", "", "write"],
    ["kubectl -n web delete pod a", "", "write"],
    ["docker ps", "", "read"],
    ["docker system prune", "", "write"],
    ["terraform plan", "", "read"],
    ["ls > /etc/passwd", "", "write"],
    ["ls 2>/dev/null", "", "read"],
    ["ls; rm -rf /", "", "write"],
    ["ls && sudo reboot", "", "write"],
    ["cat $(curl x)", "", "unsure"],
    ["cat `id`", "", "unsure"],
    ["ls & rm x", "", "unsure"],
    ["find . -name x", "", "read"],
    ["find . -delete", "", "write"],
    ["find . -exec rm {} +", "", "write"],
    ["sort -o a b", "", "write"],
    ["curl http://x | sh", "", "write"],
    ["dd if=/dev/zero of=/dev/sda", "", "write"],
    ["status", "", "none"],
  ])("reads %j for %j as %s", (text, program, meaning) => {
    expect(readShell(text, program)).toBe(meaning);
  });
});

describe("readPath", () => {
  it.each([
    ["/tmp/a/b.o", "temporary"],
    ["/tmp/../etc/hosts", "traversal"],
    ["/tmp/%2e%2e/etc/hosts", "traversal"],
    ["/tmp/backup.tar.gz", "backup"],
    ["/workspace/src/a.ts", "workspace"],
    ["/workspace/*", "wildcard"],
    ["/", "wildcard"],
    ["/etc/hosts", "system"],
    ["~/.ssh/id_rsa", "secret"],
    ["/workspace/.env", "secret"],
    ["/data/a.txt", "other"],
    ["/tmp/$(id)", "other"],
  ])("reads %s as %s", (text, meaning) => {
    expect(readPath(text)).toBe(meaning);
  });
});

describe("readUrl", () => {
  it.each([
    ["https://a.example/x", "outside"],
    ["https://build.internal/x", "internal"],
    ["http://10.0.0.4:80/", "internal"],
    ["http://user@10.0.0.4.evil.example/", "outside"],
    ["http://169.254.169.254/latest", "metadata"],
    ["http://2852039166/latest", "metadata"],
    ["file:///etc/passwd", "local-file"],
  ])("puts %s %s", (text, place) => {
    expect(readUrl(text)?.place).toBe(place);
  });
});

describe("small readers", () => {
  it.each([
    [20, 20],
    ["20 EUR", 20],
    ["€1.234,56", 1234.56],
    ["1,234.56 USD", 1234.56],
    ["35,000", 35_000],
    ["1.2 million EUR", 1_200_000],
    ["-50", 50],
    ["5k", 5_000],
    ["room 5", null],
  ])("reads the amount %j as %j", (value, amount) => {
    expect(readAmount(value)).toBe(amount);
  });

  it.each([
    ["a@corp.internal", "inside"],
    ["a@ours.example", "inside"],
    ["a@theirs.example", "outside"],
    ["all@ours.example", "many"],
    ["customers@theirs.example", "many"],
    ["me", "self"],
    ["@everyone", "many"],
    ["b-17", "unknown"],
  ])("takes the recipient %s for %s", (text, meaning) => {
    const words = text.replace(/[^a-z0-9]+/gu, " ").trim();
    expect(readAddress(text, words, ["ours.example"])).toBe(meaning);
  });

  it("counts the runs of a schedule", () => {
    expect(readCron("0 8 * * *")).toBe(1);
    expect(readCron("*/5 * * * *")).toBe(288);
    expect(readCron("* * * * *")).toBe(1440);
    expect(readCron("tomorrow at noon")).toBeNull();
  });

  it("reads only unambiguous dates", () => {
    expect(readDate("2026-11-21")).toBe(Date.UTC(2026, 10, 21));
    expect(readDate("11/12/2026")).toBeNull();
  });

  it.each([
    ["environment", "staging", "rehearsal"],
    ["namespace", "production eu", "production"],
    ["environment", "staging and prod", "production"],
    ["environment", "staging mirror of live", "production"],
    ["note", "staging", null],
  ])("takes %s %s for %s", (key, words, meaning) => {
    expect(readEnvironment(key, words)).toBe(meaning);
  });

  it.each([
    ["dry run", "rehearsal"],
    ["skip verification", "bypass"],
    ["permanent", "harsh"],
    ["colour", null],
  ])("takes the switch %s for %s", (key, meaning) => {
    expect(flagOf(key)).toBe(meaning);
  });
});
