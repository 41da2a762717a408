import { describe, expect, test } from "vitest";
import { MAX_PASSWORD_LENGTH, normalisePassword, passwordProblem } from "./password.ts";

describe("passwordProblem", () => {
  test.each([
    "correct mule battery staple",
    "quarzuhrwerkträger",
    "all lower case letters are fine",
    "84736-2910-57361-4",
    "Tuesday I walked to the harbour",
    "пароль из нескольких слов",
    "🦊🐢🦉🦀🐝🦔🐬🐘🦜🐌🦋🐙🦩🐊🦚",
    "x".repeat(5) + "kettle umbrella fjord",
  ])("takes %j, whatever kinds of characters it has", (password) => {
    expect(passwordProblem(password, "sarah")).toBeNull();
  });

  test.each([
    ["too short by one", "kettle fjord 14", "kettle fjord 1"],
    [
      "counted as people see it, not as it is stored",
      "🦊🐢🦉🦀🐝🦔🐬🐘🦜🐌🦋🐙🦩🐊🦚",
      "🦊🐢🦉🦀🐝🦔🐬🐘🦜🐌🦋🐙🦩🐊",
    ],
  ])("asks for fifteen characters: %s", (_, enough, short) => {
    expect(passwordProblem(enough, "sarah")).toBeNull();
    expect(passwordProblem(short, "sarah")).toContain("at least 15 characters");
  });

  test("has an upper limit", () => {
    const words = "kettle umbrella fjord marble ".repeat(20);
    expect(passwordProblem(`${words.slice(0, MAX_PASSWORD_LENGTH - 1)}x`, "sarah")).toBeNull();
    expect(passwordProblem(words, "sarah")).toContain(`at most ${MAX_PASSWORD_LENGTH} characters`);
  });

  test.each([
    ["a common password that is long enough", "passwordpassword"],
    ["common words joined", "Welcome-Admin-2024!"],
    ["letters written as signs", "P@ssw0rd-P@$$w0rd-1"],
    ["one character", "aaaaaaaaaaaaaaaaaaaa"],
    ["something short repeated", "fj0rdfj0rdfj0rdfj0rd"],
    ["counting", "123456789012345"],
    ["the alphabet backwards", "zyxwvutsrqponmlkj"],
    ["rows of a keyboard", "qwertyuiopasdfghjkl"],
    ["columns of a keyboard", "1qaz2wsx3edc4rfv5tgb"],
    ["the account's own name", "sarah.sarah.sarah!"],
    ["the account's own name with a year", "Sarah-Password-2026"],
    ["the product's name", "atlas-gateway-admin-1"],
  ])("refuses %s", (_, password) => {
    expect(passwordProblem(password, "sarah")).toContain("common passwords");
  });

  test("knows the parts of the account's own name", () => {
    expect(passwordProblem("Wilhelmina_Oberhuber_1", "wilhelmina.oberhuber")).toContain("own name");
    expect(passwordProblem("Wilhelmina_Oberhuber_1", "sarah")).toBeNull();
  });
});

describe("normalisePassword", () => {
  test("makes one password of two ways to type it", () => {
    expect(normalisePassword("cafe\u0301 ﬁne")).toBe("caf\u00e9 fine");
  });
});
