import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { readNewSecret } from "./secret-input.ts";

/** A terminal on which somebody types these keys; each text is what arrives at once. */
function terminal(...typed: readonly (string | Buffer)[]) {
  const modes: boolean[] = [];
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
  });
  for (const keys of typed) stream.write(keys);
  stream.end();
  let shown = "";
  return {
    modes,
    shown: () => shown,
    source: {
      input: stream,
      output: {
        write: (text: string) => {
          shown += text;
        },
      },
    },
  };
}

function pipe(...chunks: readonly (string | Buffer)[]) {
  const input = new PassThrough();
  for (const chunk of chunks) input.write(chunk);
  input.end();
  return { input, output: { write: () => true } };
}

const refused = (words: string) =>
  expect.objectContaining({ code: "config.invalid", message: expect.stringContaining(words) });

describe("readNewSecret at a terminal", () => {
  test("asks twice and shows nothing of it", async () => {
    const { source, shown, modes } = terminal("kettle fjord\r", "kettle fjord\n");
    expect(await readNewSecret("New password for sarah", source)).toBe("kettle fjord");
    expect(shown()).toBe("New password for sarah: \nThe same once more: \n");
    expect(modes).toEqual([true, false]);
  });

  test("takes what was pasted, corrected and typed in two halves of a letter", async () => {
    const umlaut = Buffer.from("ü");
    const { source } = terminal(
      "wrong\u0015kettlX\u007fe",
      "\u001b[D",
      umlaut.subarray(0, 1),
      umlaut.subarray(1),
      "🦊🦊\b\rkettleü🦊\r",
    );
    expect(await readNewSecret("x", source)).toBe("kettleü🦊");
  });

  test.each([
    ["the two differ", ["one\r", "two\r"], "not the same"],
    ["nothing is typed", ["\r", "\r"], "Nothing was given"],
    ["Ctrl-C is pressed", ["kettle\u0003"], "Interrupted"],
    ["the terminal goes away", ["kettle\r", "ket"], "Interrupted"],
  ])("gives up when %s, and leaves the terminal as it was", async (_, keys, words) => {
    const { source, modes } = terminal(...keys);
    await expect(readNewSecret("x", source)).rejects.toEqual(refused(words));
    expect(modes).toEqual([true, false]);
  });
});

describe("readNewSecret from a pipe", () => {
  test.each([
    ["kettle fjord"],
    ["kettle fjord\n"],
    ["kettle fjord\r\n"],
    ["kettle", " fjord\nsecond line\n"],
  ])("takes the first line of %j", async (...chunks) => {
    expect(await readNewSecret("x", pipe(...chunks))).toBe("kettle fjord");
  });

  test.each([
    ["nothing", "", "Nothing was given"],
    ["an empty line", "\nkettle\n", "Nothing was given"],
    ["a whole file", "x".repeat(5_000), "too long"],
  ])("refuses %s", async (_, text, words) => {
    await expect(readNewSecret("x", pipe(text))).rejects.toEqual(refused(words));
  });
});
