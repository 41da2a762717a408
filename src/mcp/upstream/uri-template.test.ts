import { describe, expect, test } from "vitest";
import { isPlainUri } from "./plain-uri.ts";
import { compileUriTemplate } from "./uri-template.ts";

const matches = (template: string, uri: string): boolean | undefined =>
  compileUriTemplate(template)?.matches(uri);

describe("compileUriTemplate", () => {
  test.each([
    ["memo://{id}", "memo://7", true],
    ["memo://{id}", "memo://", false],
    ["memo://{id}", "memo://7/8", false],
    ["memo://{id}", "memo://7?x", false],
    ["memo://{id}", "Memo://7", false],
    ["memo://{id}/parts/{part}", "memo://7/parts/2", true],
    ["memo://{id}/parts/{part}", "memo://7/parts", false],
    ["file:///{+path}", "file:///srv/a/b", true],
    ["file:///{+path}", "file:///", false],
    ["file:///{path*}", "file:///srv", true],
    ["{+a}-{b}", "x-y/z-w", true],
    ["db://t{/table,row}", "db://t/users/1", true],
    ["db://t{/table,row}", "db://t", true],
    ["find://all{?q,limit}", "find://all?q=a&limit=2", true],
    ["find://all{?q,limit}", "find://all", true],
    ["find://all{?q,limit}", "find://allq", false],
    ["page://p{#part}", "page://p#one", true],
    ["x://{a}{b}", "x://12", true],
    ["x://{a}{b}", "x://1", false],
    ["x://plain", "x://plain", true],
    ["x://{a:3}.txt", "x://abc.txt", true],
  ])("%s and %s: %s", (template, uri, expected) => {
    expect(matches(template, uri)).toBe(expected);
  });

  test.each(["", "x://{", "x://}", "x://{}", "x://{a b}", "x://{=a}", "x://{a{b}}", "x".repeat(1_025)])(
    "takes no template from %j",
    (source) => {
      expect(compileUriTemplate(source)).toBeNull();
    },
  );

  test("looks at each character once for each step, whatever the template", () => {
    const hostile = compileUriTemplate(`${"{+a}x".repeat(200)}y`);
    expect(hostile?.size).toBe(601);
    expect(hostile?.matches("x".repeat(2_048))).toBe(false);
  });
});

describe("isPlainUri", () => {
  test.each([
    "file:///srv/a.txt",
    "file:/srv/a.txt",
    "memo://7",
    "memo://7/..x/a..b",
    "https://host:8/a/b?x=..#f",
    "urn:isbn:0451450523",
    "x://a%20b/c%2Fd",
    "x://a/",
  ])("%s is read in one way", (uri) => {
    expect(isPlainUri(uri)).toBe(true);
  });

  test.each([
    "file:///srv/../etc/passwd",
    "file:///srv/./a",
    "file:///srv/..",
    "file:///srv/%2e%2e/etc",
    "file:///srv/..%2fetc",
    "file:///srv/..%5Cetc",
    "file:///srv\\..\\etc",
    "file:///s%72v/a",
    "file:///srv//etc",
    "file:////etc/passwd",
    "file:///srv/%2Fetc",
    "file:///srv/a%zz",
    "file:///srv/a%",
    "file:///srv/a b",
    "file:///srv/a\n",
    "file:///srv/\u00e4",
    "srv/a",
    "",
  ])("%j could be read in two", (uri) => {
    expect(isPlainUri(uri)).toBe(false);
  });
});
