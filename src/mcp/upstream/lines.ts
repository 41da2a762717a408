import { StringDecoder } from "node:string_decoder";

/** What may arrive without a line break. */
export const MAX_LINE_BYTES = 10 * 1024 * 1024;

export interface LineSplitterParams {
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  /** A line grew past the limit; nothing is delivered after it. */
  readonly onOverflow: () => void;
}

/** Splits a byte stream into lines with a bound on what it keeps. */
export function createLineSplitter(params: LineSplitterParams): (chunk: Buffer) => void {
  let parts: string[] = [];
  let keptBytes = 0;
  let overflown = false;
  const decoder = new StringDecoder("utf8");

  return (chunk) => {
    let rest = chunk;
    while (!overflown) {
      const end = rest.indexOf(0x0a);
      const piece = end === -1 ? rest : rest.subarray(0, end);
      keptBytes += piece.length;
      if (keptBytes > params.maxBytes) {
        overflown = true;
        parts = [];
        params.onOverflow();
        return;
      }
      parts.push(decoder.write(piece));
      if (end === -1) return;
      const line = parts.join("") + decoder.end();
      parts = [];
      keptBytes = 0;
      params.onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
      rest = rest.subarray(end + 1);
    }
  };
}
