import { z } from "zod";
import type { WriterId } from "../domain/ids.ts";
import type { ReadEvent } from "./chain.ts";

/** A start names the end of an earlier chain, so that cutting that end off shows. */
export interface WriterJoin {
  readonly by: WriterId;
  readonly joined: string;
  readonly sequence: number;
  readonly hash: string;
}

const joinsSchema = z.array(z.tuple([z.string(), z.int().positive(), z.string()]));

/** The joins of a `writer.started` event; undefined when it names none in a readable form. */
export function joinsOf(by: WriterId, event: ReadEvent): WriterJoin[] | undefined {
  const parsed = joinsSchema.safeParse(event.details["joins"]);
  if (!parsed.success) return undefined;
  return parsed.data.map(([joined, sequence, hash]) => ({ by, joined, sequence, hash }));
}
