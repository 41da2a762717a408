import type { Context } from "hono";
import type { z } from "zod";
import { memberText, readStrictJson } from "../domain/strict-json.ts";
import { RefusalError } from "./error-response.ts";

/**
 * The request's body, read strictly: UTF-8, JSON that no two parsers can read in two ways, and exactly the schema's members.
 *
 * @throws RefusalError `request.invalid` that names the field and never quotes its value.
 */
export async function readBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.infer<Schema>> {
  return readText(await bodyText(c), schema);
}

/** The body as text, for a signature over exactly these bytes. @throws RefusalError `request.invalid` when it is not UTF-8. */
export async function bodyText(c: Context): Promise<string> {
  return decodeUtf8(await c.req.arrayBuffer());
}

/** A text that was read before, checked like a body. @throws RefusalError `request.invalid` */
export function readText<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
  const json = readStrictJson(text);
  if (!json.ok) {
    const { place, message } = json.failure;
    throw invalid(place === "" ? message : `At ${quoted(place)} in the body: ${message}`);
  }
  return check(schema, json.value.value, "field");
}

/** Text of one member of a body that was read, byte for byte but for insignificant white space; undefined when it is not there. */
export function memberOf(text: string, name: string): string | undefined {
  const read = readStrictJson(text);
  return read.ok ? memberText(read.value.text, [name]) : undefined;
}

/** The query, checked like a body. */
export function readQuery<Schema extends z.ZodType>(c: Context, schema: Schema): z.infer<Schema> {
  return check(schema, c.req.query(), "parameter");
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, noun: string): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === "unrecognized_keys")
    throw invalid(`There is no ${noun} ${quoted(issue.keys[0] ?? "")}.`);
  const name = issue?.path[0];
  if (issue === undefined || name === undefined) throw invalid("The body must be a JSON object.");
  const missing = !(typeof value === "object" && value !== null && name in value);
  throw invalid(
    missing
      ? `The ${noun} ${quoted(String(name))} is missing.`
      : `The ${noun} ${quoted(String(name))} ${complaint(issue)}.`,
  );
}

/** The schema's own words where it has some; the library's speak of "Invalid input: expected …". */
function complaint(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith("must ") || issue.message.startsWith("is ")) return issue.message;
  if (issue.code === "invalid_type") return `must be a ${issue.expected}`;
  return "has a value that is not allowed";
}

function invalid(message: string): RefusalError {
  return new RefusalError({ code: "request.invalid", message });
}

const MAX_QUOTED = 60;

/** A name out of the request, made harmless to read. */
function quoted(name: string): string {
  return JSON.stringify(name.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, MAX_QUOTED));
}

function decodeUtf8(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The decoder only says that the bytes are not UTF-8, which is all there is to say.
    throw invalid("The body is not valid UTF-8.");
  }
}
