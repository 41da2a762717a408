import { z } from "zod";
import { CASE_ORDERS, type CaseOrder, type CasePosition } from "../domain/case-order.ts";
import { type CaseRef, isCaseRef } from "../domain/ids.ts";
import { RefusalError } from "./error-response.ts";

/**
 * A cursor is the position of the last row of a page, as base64url of JSON: not a number of rows, so that what comes
 * or goes before it moves nothing. It is no secret and no permission: whoever makes one up reads what they may read.
 */
const caseCursorSchema = z.tuple([
  z.enum(CASE_ORDERS),
  z.int(),
  z.custom<CaseRef>((ref) => typeof ref === "string" && isCaseRef(ref)),
]);
const idCursorSchema = z.tuple([z.literal("id"), z.int().min(0)]);

export function caseCursor(order: CaseOrder, position: CasePosition): string {
  return encode([order, position.key, position.ref]);
}

/** @throws RefusalError `request.invalid` when it is no cursor of a list in this order */
export function readCaseCursor(text: string, order: CaseOrder): CasePosition {
  const [of, key, ref] = decode(text, caseCursorSchema);
  if (of !== order) throw invalid();
  return { key, ref };
}

export function idCursor(id: number): string {
  return encode(["id", id]);
}

/** @throws RefusalError `request.invalid` when it is no cursor of such a list */
export function readIdCursor(text: string): number {
  return decode(text, idCursorSchema)[1];
}

function encode(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

function decode<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
  } catch {
    // Whatever is wrong with it, there is one thing to say.
    throw invalid();
  }
}

function invalid(): RefusalError {
  const message =
    'The parameter "after" must be the "next" of an earlier answer to the same question, in the same order.';
  return new RefusalError({ code: "request.invalid", message });
}
