import { describe, expect, test } from "vitest";
import { hold } from "./held-list.ts";

const of = (...refs: readonly string[]) => refs.map((ref) => ({ ref }));
const rows = (...refs: readonly string[]) => of(...refs).map((item) => ({ item, isGone: false }));
const shown = (list: ReturnType<typeof hold>) =>
  list.rows.map(({ item, isGone }) => (isGone ? `(${item.ref})` : item.ref)).join(" ");

describe("a list that somebody points at", () => {
  test("keeps what is there where it is, and lets what is new wait", () => {
    const list = hold(rows("b", "d"), of("a", "b", "c", "d"));
    expect(shown(list)).toBe("b d");
    expect(list.waiting).toBe(2);
  });

  test("keeps what left, and says so", () => {
    expect(shown(hold(rows("a", "b", "c"), of("a", "c")))).toBe("a (b) c");
    const emptied = hold(rows("a"), of("x"));
    expect(shown(emptied)).toBe("(a)");
    expect(emptied.waiting).toBe(1);
  });

  test("takes what is there in another order as it is shown", () => {
    expect(shown(hold(rows("a", "b", "c"), of("c", "a", "b")))).toBe("a b c");
  });

  test("goes on at its end", () => {
    const list = hold(rows("a", "b"), of("a", "b", "c", "d"));
    expect(shown(list)).toBe("a b c d");
    expect(list.waiting).toBe(0);
    expect(shown(hold([], of("a")))).toBe("a");
  });
});
