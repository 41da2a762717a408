import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { TransitionName } from "../domain/case.ts";
import { commitment, sha256 } from "../domain/digest.ts";
import type { AgentId, CaseRef, PersonId, WriterId } from "../domain/ids.ts";
import type { Actor } from "../domain/principal.ts";
import type { StoredCase, StoredPayload } from "./case-check.ts";
import type { StoredEvent } from "./chain.ts";
import { type LedgerEntry, sealEvent } from "./event.ts";
import { type SignedHead, signHead } from "./head.ts";
import { keyIdOf, publicKeyText } from "./signing-key.ts";
import { type LedgerReport, verifyLedger } from "./verify.ts";

const key = generateKeyPairSync("ed25519").privateKey;
const publicKey = createPublicKey(key);
const FIRST = "gw_first" as WriterId;
const SECOND = "gw_second" as WriterId;
const REF = "evt_one" as CaseRef;
const DIGEST = sha256("action");
const actors = {
  agent: { kind: "agent", id: "bot" as AgentId },
  policy: { kind: "policy", id: "rule-1" },
  sarah: { kind: "reviewer", id: "sarah" as PersonId },
  gateway: { kind: "dispatcher", id: FIRST },
} as const satisfies Record<string, Actor>;

/** A ledger in the making, sealed as a gateway would. */
class Book {
  events: StoredEvent[] = [];
  heads: SignedHead[] = [];

  append(writer: WriterId, entry: LedgerEntry): void {
    const previous = this.events.findLast((event) => event.writer === writer);
    const sequence = (previous?.sequence ?? 0) + 1;
    const { bytes, hash } = sealEvent(entry, {
      writer,
      sequence,
      previousHash: previous?.hash ?? null,
      atMs: 1000,
    });
    this.events.push({ writer, sequence, ref: entry.case ?? null, hash, bytes });
  }

  start(writer: WriterId, joined: readonly WriterId[] = []): void {
    const joins = joined.map((id) => {
      const last = this.last(id);
      return [id, last.sequence, last.hash];
    });
    const details = { key: publicKeyText(key), key_id: keyIdOf(key), joins };
    this.append(writer, { type: "writer.started", actor: { kind: "engine", id: writer }, details });
  }

  stop(writer: WriterId): void {
    this.append(writer, { type: "writer.stopped", actor: { kind: "engine", id: writer }, details: {} });
    this.sign(writer);
  }

  sign(writer: WriterId): void {
    this.heads.push(signHead(this.last(writer), 1000, key));
  }

  step(
    type: TransitionName,
    from: string | null,
    to: string,
    details: LedgerEntry["details"] = {},
    actor: keyof typeof actors = "gateway",
  ): void {
    this.append(FIRST, {
      type,
      case: REF,
      actor: actors[actor],
      details: { from, to, reason: "policy.review", ...details },
    });
  }

  last(writer: WriterId): StoredEvent {
    const last = this.events.findLast((event) => event.writer === writer);
    if (last === undefined) throw new Error(`${writer} wrote nothing`);
    return last;
  }
}

const TEXT: StoredPayload = { ref: REF, kind: "arguments", salt: "00ff", text: "{}" };
const ROW: StoredCase = { ref: REF, state: "SUCCEEDED", reasonId: "policy.review" };

function approved(book: Book): void {
  book.start(FIRST);
  const commitments = { arguments: commitment(TEXT.salt, TEXT.text) };
  book.step("case.opened", null, "ASSESSING", { digest: DIGEST, commitments }, "agent");
  book.step("case.review_requested", "ASSESSING", "AWAITING_REVIEW", {}, "policy");
  book.step("case.authorized", "AWAITING_REVIEW", "AUTHORIZED", { digest_authorized: DIGEST }, "sarah");
}

/** Approved, claimed, given back, claimed again, done; then a second gateway. */
function goodBook(): Book {
  const book = new Book();
  approved(book);
  book.step("case.claimed", "AUTHORIZED", "EXECUTING", { token: 1 });
  book.step("case.released", "EXECUTING", "AUTHORIZED", { token: 1 });
  book.step("case.claimed", "AUTHORIZED", "EXECUTING", { token: 2 });
  book.step("case.succeeded", "EXECUTING", "SUCCEEDED", { token: 2 });
  book.stop(FIRST);
  book.start(SECOND, [FIRST]);
  book.sign(SECOND);
  return book;
}

function check(book: Book, rows: { cases?: StoredCase[]; payloads?: StoredPayload[] } = {}): LedgerReport {
  return verifyLedger({
    events: book.events,
    heads: book.heads,
    publicKey,
    cases: rows.cases ?? [ROW],
    payloads: rows.payloads ?? [TEXT],
  });
}

const ids = (report: LedgerReport) => [...new Set(report.findings.map((f) => f.id))];

describe("verifyLedger", () => {
  let book: Book;

  beforeEach(() => {
    book = goodBook();
  });

  const replace = (index: number, change: Partial<StoredEvent>) => {
    const event = book.events[index];
    if (event === undefined) throw new Error(`no event ${index}`);
    book.events[index] = { ...event, ...change };
  };

  test("a good ledger has no findings, and reports what is signed", () => {
    expect(check(book)).toEqual({
      ok: true,
      counts: { events: 10, cases: 1, heads: 2, payloads: 1, gaps: 0 },
      writers: [
        { writer: FIRST, events: 9, signedThrough: 9, stopped: true },
        { writer: SECOND, events: 1, signedThrough: 1, stopped: false },
      ],
      findings: [],
    });
  });

  test("a signature of a later writer covers the chains it joined", () => {
    book.heads = book.heads.filter((head) => head.writer === SECOND);
    expect(check(book).writers[0]).toMatchObject({ writer: FIRST, signedThrough: 9 });
    book.heads = [];
    expect(check(book).writers.map((w) => w.signedThrough)).toEqual([0, 0]);
  });

  test("a start after a crash that does not record the gap", () => {
    const crashed = new Book();
    crashed.start(FIRST);
    crashed.start(SECOND, [FIRST]);
    expect(ids(check(crashed))).toContain("gap.missing");
    const details = { writer: FIRST, sequence: 1, signed_sequence: 0 };
    crashed.append(SECOND, { type: "ledger.gap", actor: { kind: "engine", id: SECOND }, details });
    expect(ids(check(crashed))).not.toContain("gap.missing");
    expect(check(crashed).counts.gaps).toBe(1);
  });

  test("a changed byte, with the old hash or with its own", () => {
    const bytes = book.events[2]?.bytes.replace("AWAITING_REVIEW", "AUTHORIZED") ?? "";
    replace(2, { bytes });
    expect(ids(check(book))).toContain("event.damaged");
    replace(2, { hash: sha256(bytes) });
    expect(ids(check(book))).toContain("chain.broken");
  });

  test("a changed hash, and a row under another case, sequence or writer than its bytes name", () => {
    for (const change of [
      { hash: sha256("x") },
      { ref: null },
      { ref: "evt_two" as CaseRef },
      { sequence: 20 },
      { writer: SECOND },
    ]) {
      book = goodBook();
      replace(4, change);
      expect(ids(check(book)), JSON.stringify(change)).toContain("event.damaged");
    }
  });

  test("bytes that mean the same but are not canonical", () => {
    const bytes = `${book.events[9]?.bytes} `;
    replace(9, { bytes, hash: sha256(bytes) });
    expect(check(book).findings[0]?.sentence).toContain("not canonical JSON");
  });

  test("an event deleted in the middle, or at the beginning", () => {
    book.events.splice(4, 1);
    expect(check(book).findings.map((f) => f.sentence)).toContain(
      "In the chain of gw_first, event 5 is missing.",
    );
    book = goodBook();
    book.events.splice(0, 1);
    expect(ids(check(book))).toContain("chain.broken");
  });

  test("the end of a chain cut off: its head shows it, and the join of a later writer even when the head is gone too", () => {
    book.events.splice(8, 1);
    expect(ids(check(book))).toEqual(["join.broken", "head.dangling"]);
    book.heads = book.heads.filter((head) => head.writer === SECOND);
    expect(ids(check(book))).toEqual(["join.broken"]);
  });

  test("a whole earlier chain removed, and events added to it after it was joined", () => {
    book.events = book.events.filter((event) => event.writer === SECOND);
    expect(ids(check(book, { cases: [], payloads: [] }))).toContain("join.broken");
    book = goodBook();
    book.append(FIRST, { type: "call.refused", actor: actors.agent, details: {} });
    expect(ids(check(book))).toEqual(["chain.broken"]);
  });

  test("a forged head, a head under another key, and a chain begun with another key", () => {
    const [head] = book.heads;
    if (head === undefined) throw new Error("no head");
    book.heads[0] = { ...head, sequence: 3 };
    expect(ids(check(book))).toEqual(["head.forged"]);
    const stranger = generateKeyPairSync("ed25519").privateKey;
    book.heads[0] = signHead(head, 1000, stranger);
    expect(ids(check(book))).toEqual(["head.forged"]);
    const report = verifyLedger({
      events: book.events,
      heads: [],
      publicKey: createPublicKey(stranger),
      cases: null,
      payloads: null,
    });
    expect(ids(report)).toEqual(["key.unknown"]);
  });

  test("an event that was replaced together with everything after it, when a head is kept elsewhere", () => {
    const kept = signHead(book.last(FIRST), 1000, key);
    const forged = new Book();
    approved(forged);
    for (let i = 0; i < 5; i += 1)
      forged.append(FIRST, { type: "call.refused", actor: actors.agent, details: {} });
    forged.heads = [kept];
    expect(ids(check(forged, { cases: [{ ...ROW, state: "AUTHORIZED" }] }))).toEqual(["head.dangling"]);
  });

  test("a case that went where no transition leads, or by the hand of one who may not", () => {
    const jumps: [string, (b: Book) => void][] = [
      ["skips the review", (b) => b.step("case.claimed", "AWAITING_REVIEW", "EXECUTING", { token: 1 })],
      ["says another from", (b) => b.step("case.rejected", "AWAITING_REVIEW", "REJECTED", {}, "sarah")],
      ["an agent claims", (b) => b.step("case.claimed", "AUTHORIZED", "EXECUTING", { token: 1 }, "agent")],
    ];
    for (const [name, jump] of jumps) {
      const jumped = new Book();
      approved(jumped);
      jump(jumped);
      expect(ids(check(jumped, { cases: [] })), name).toContain("case.order");
    }
  });

  test("a human authorization that ran twice", () => {
    const twice = new Book();
    approved(twice);
    twice.step("case.claimed", "AUTHORIZED", "EXECUTING", { token: 1 });
    twice.step("case.claimed", "AUTHORIZED", "EXECUTING", { token: 2 });
    const { findings } = check(twice, { cases: [] });
    expect(findings.map((f) => f.id)).toContain("case.run");
    expect(findings.map((f) => f.sentence).join()).toContain("claimed twice on one authorization");
  });

  test("an approval of another action, an outcome by a claim that does not stand, a token used again", () => {
    const wrong: ((b: Book) => void)[] = [
      (b) =>
        b.step(
          "case.authorized",
          "AWAITING_REVIEW",
          "AUTHORIZED",
          { digest_authorized: sha256("other") },
          "sarah",
        ),
      (b) => {
        b.step("case.authorized", "AWAITING_REVIEW", "AUTHORIZED", { digest_authorized: DIGEST }, "sarah");
        b.step("case.claimed", "AUTHORIZED", "EXECUTING", { token: 2 });
        b.step("case.succeeded", "EXECUTING", "SUCCEEDED", { token: 1 });
      },
      (b) => {
        b.step("case.authorized", "AWAITING_REVIEW", "AUTHORIZED", { digest_authorized: DIGEST }, "sarah");
        b.step("case.claimed", "AUTHORIZED", "EXECUTING", { token: 2 });
        b.step("case.released", "EXECUTING", "AUTHORIZED", { token: 2 });
        b.step("case.claimed", "AUTHORIZED", "EXECUTING", { token: 2 });
      },
    ];
    for (const act of wrong) {
      const bad = new Book();
      approved(bad);
      bad.events.pop();
      act(bad);
      expect(
        ids(verifyLedger({ events: bad.events, heads: [], publicKey, cases: null, payloads: null })),
      ).toEqual(["case.run"]);
    }
  });

  test("a row that says something else, a row without events, events without a row", () => {
    expect(ids(check(book, { cases: [{ ...ROW, state: "FAILED" }] }))).toEqual(["case.row"]);
    expect(ids(check(book, { cases: [{ ...ROW, reasonId: "review.approved" }] }))).toEqual(["case.row"]);
    expect(ids(check(book, { cases: [ROW, { ...ROW, ref: "evt_two" as CaseRef }] }))).toEqual(["case.row"]);
    expect(ids(check(book, { cases: [] }))).toEqual(["case.row"]);
  });

  test("a swapped or added text is found, and one that is gone without an event that says so", () => {
    expect(ids(check(book, { payloads: [{ ...TEXT, text: "{ }" }] }))).toEqual(["payload.changed"]);
    expect(ids(check(book, { payloads: [{ ...TEXT, salt: "00fe" }] }))).toEqual(["payload.changed"]);
    expect(ids(check(book, { payloads: [TEXT, { ...TEXT, kind: "result" }] }))).toEqual(["payload.changed"]);
    expect(ids(check(book, { payloads: [] }))).toEqual(["payload.missing"]);
  });
});
