import { StringDecoder } from "node:string_decoder";
import { AtlasError } from "../domain/errors.ts";

/** Longest secret that is read, in bytes: what comes after it is not a secret but the wrong file. */
const MAX_BYTES = 4_096;

/** The terminal or the pipe a secret comes from. */
export interface SecretSource {
  readonly input: AsyncIterable<Buffer | string> & {
    readonly isTTY?: boolean;
    setRawMode?(isRaw: boolean): unknown;
  };
  /** Where prompts go: not standard output, which may be piped on. */
  readonly output: { write(text: string): unknown };
}

const ownTerminal: SecretSource = { input: process.stdin, output: process.stderr };

/**
 * Reads a new secret: at a terminal typed twice and not shown, else the first line of standard input. Never from an
 * argument, which other users of the machine and the shell's history would see.
 *
 * @param what names it in prompts, like `New password for sarah`
 * @throws AtlasError `config.invalid` when nothing was given, the two differ or the input ends
 */
export async function readNewSecret(what: string, source: SecretSource = ownTerminal): Promise<string> {
  if (source.input.isTTY !== true) return firstLine(source);
  const keys = keysOf(source.input);
  source.input.setRawMode?.(true);
  try {
    const first = await typed(`${what}: `, keys, source);
    const second = await typed("The same once more: ", keys, source);
    if (first === second) return given(first);
    throw new AtlasError("config.invalid", "The two are not the same. Nothing was changed.");
  } finally {
    source.input.setRawMode?.(false);
    // Lets go of the terminal, which would keep the process waiting for more.
    await keys.return();
  }
}

function given(secret: string): string {
  if (secret !== "") return secret;
  throw new AtlasError("config.invalid", "Nothing was given. Type it, or send it to standard input.");
}

async function firstLine({ input }: SecretSource): Promise<string> {
  const decoder = new StringDecoder("utf8");
  let text = "";
  for await (const chunk of input) {
    text += typeof chunk === "string" ? chunk : decoder.write(chunk);
    if (text.includes("\n") || text.length > MAX_BYTES) break;
  }
  const line = text.split("\n", 1)[0]?.replace(/\r$/, "") ?? "";
  if (line.length <= MAX_BYTES) return given(line);
  throw new AtlasError("config.invalid", "What came in is too long to be a password.");
}

const ESCAPE = "\u001b";
/** What arrows and function keys send. */
const KEY_SEQUENCE = new RegExp(`${ESCAPE}(?:\\[[0-9;?]*[@-~]|O?.)`, "gu");

/** What is typed, key by key, without the keys that stand for no character. */
async function* keysOf(input: SecretSource["input"]): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder("utf8");
  for await (const chunk of input) {
    const text = typeof chunk === "string" ? chunk : decoder.write(chunk);
    yield* text.replaceAll(KEY_SEQUENCE, "");
  }
}

const INTERRUPTS = new Set(["\u0003", "\u0004"]);
const ENDS = new Set(["\r", "\n"]);
const ERASES = new Set(["\b", "\u007f"]);
const CLEARS = "\u0015";

async function typed(
  prompt: string,
  keys: AsyncGenerator<string, void, undefined>,
  { output }: SecretSource,
): Promise<string> {
  output.write(prompt);
  const secret: string[] = [];
  for (;;) {
    const { value: key } = await keys.next();
    if (key === undefined || INTERRUPTS.has(key) || ENDS.has(key)) {
      output.write("\n");
      if (key !== undefined && ENDS.has(key)) return secret.join("");
      throw new AtlasError("config.invalid", "Interrupted. Nothing was changed.");
    }
    if (ERASES.has(key)) secret.pop();
    else if (key === CLEARS) secret.length = 0;
    else if (key >= " ") secret.push(key);
  }
}
