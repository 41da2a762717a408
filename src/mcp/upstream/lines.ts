import { StringDecoder } from "node:string_decoder";

/** What is kept of each end of a line that is too long, to tell what it was. */
const FRAGMENT_BYTES = 1_024;

/** A line of so many times the longest that is delivered will have no end that anybody waits for. */
const ENDLESS_FACTOR = 256;

/** A line that was too long to be kept. */
export interface OverlongLine {
  readonly head: string;
  readonly tail: string;
  readonly bytes: number;
}

export interface LineSplitterParams {
  /** Longest line that is delivered. */
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  /** Called at the end of a longer one; the lines after it are delivered again. */
  readonly onOverlong: (line: OverlongLine) => void;
  /** A line seems to have no end; nothing is delivered after it. */
  readonly onEndless?: () => void;
}

/** Splits a byte stream into lines with a bound on what it keeps. */
export function createLineSplitter(params: LineSplitterParams): (chunk: Buffer) => void {
  let parts: string[] = [];
  let bytes = 0;
  let overlong: { readonly head: string; tail: Buffer } | null = null;
  let isEndless = false;
  const decoder = new StringDecoder("utf8");

  const keep = (piece: Buffer): void => {
    bytes += piece.length;
    if (bytes <= params.maxBytes) {
      parts.push(decoder.write(piece));
      return;
    }
    overlong ??= {
      head: (parts.join("") + decoder.write(piece)).slice(0, FRAGMENT_BYTES),
      tail: Buffer.of(),
    };
    parts = [];
    overlong.tail = Buffer.from(
      Buffer.concat([overlong.tail, piece.subarray(-FRAGMENT_BYTES)]).subarray(-FRAGMENT_BYTES),
    );
  };

  const finish = (): void => {
    const rest = decoder.end();
    if (overlong === null) {
      const line = parts.join("") + rest;
      params.onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    } else {
      params.onOverlong({ head: overlong.head, tail: overlong.tail.toString("utf8"), bytes });
    }
    parts = [];
    bytes = 0;
    overlong = null;
  };

  return (chunk) => {
    let rest = chunk;
    while (!isEndless) {
      const end = rest.indexOf(0x0a);
      keep(end === -1 ? rest : rest.subarray(0, end));
      if (bytes > params.maxBytes * ENDLESS_FACTOR) {
        isEndless = true;
        params.onEndless?.();
        return;
      }
      if (end === -1) return;
      finish();
      rest = rest.subarray(end + 1);
    }
  };
}
