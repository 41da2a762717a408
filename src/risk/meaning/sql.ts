/** What a text does to a database. */
export interface SqlMeaning {
  /** `none`: no SQL as far as can be seen. `unsure` counts as a write. */
  readonly kind: "none" | "read" | "write" | "unsure";
  /** Lower-case words of a read outside literals, for the data categories. */
  readonly words: string;
  /** Whole rows of a table come back (`*` outside `count(*)`). */
  readonly wholeRows: boolean;
  /** Every column selected is an aggregate. */
  readonly aggregate: boolean;
  /** `WHERE`, `LIMIT` or an aggregate keeps the answer small. */
  readonly bounded: boolean;
}

/** Functions that read or compute; any other call may write, sleep or reach outside. */
const HARMLESS_FUNCTIONS = new Set(
  (
    "count sum avg min max lower upper coalesce date time datetime strftime length round abs substr substring trim " +
    "ltrim rtrim cast extract now date_trunc date_part concat nullif ifnull ceil floor year month day row_number rank " +
    "dense_rank lag lead string_agg array_agg group_concat distinct json_extract greatest least to_char to_date replace " +
    "in exists and or not from as on over where by select any all some when then else case having join between like " +
    "union intersect except using filter partition limit with median stddev variance percentile_cont interval date_add date_sub datediff"
  ).split(" "),
);

/** Words that only writing statements, procedures or locks have; in a read they make it unsure. */
const WRITE_WORDS = new Set(
  (
    "insert update delete drop alter create truncate grant revoke merge call exec execute into lock outfile dumpfile copy " +
    "attach detach pragma do vacuum set declare begin commit handler load analyze reindex share upsert rename comment kill shutdown"
  ).split(" "),
);

const AGGREGATES = new Set("count sum avg min max median stddev variance percentile_cont".split(" "));

const STARTS = new Set(
  (
    "select with insert update delete drop alter create truncate grant revoke merge call exec execute replace copy attach " +
    "detach pragma do vacuum explain begin declare use show load upsert values table rename"
  ).split(" "),
);

/** Second words without which a first word is ordinary English (`select the best`, `update on my case`). */
const BODY =
  /\b(?:select\b[^;]{0,2000}\bfrom\b|select\s{1,50}[\w.]{1,60}\s?\(|select\s{1,50}(?:\*|@@|\d)|insert\s{1,50}into|update\s{1,50}[\w."`[\]]{1,100}\s{1,50}set|delete\s{1,50}from|drop\s{1,50}(?:table|database|schema|index|view|user|role|column|collection|function|trigger)|alter\s{1,50}(?:table|database|user|role|system)|truncate\s{1,50}(?:table\s{1,50})?\w|create\s{1,50}(?:or\s{1,50}replace\s{1,50})?(?:table|user|role|database|function|trigger|view|index|extension)|grant\s{1,50}[\w\s,]{1,100}\b(?:to|on)\b|revoke\s{1,50}[\w\s,]{1,100}\bfrom|merge\s{1,50}into|replace\s{1,50}into|exec(?:ute)?\s{1,50}\w|call\s{1,50}\w{1,60}\s?\(|attach\s{1,50}database|pragma\s{1,50}\w|vacuum\b|copy\s{1,50}\w{1,60}\s{1,50}(?:to|from)|with\s{1,50}\w{1,60}\s{1,50}as\s?\(|show\s{1,50}(?:tables|databases|columns)|explain\s{1,50}\w)/iu;

const GRAPHQL_WRITE = /^\s*(?:mutation|subscription)\b/iu;

const NONE: SqlMeaning = { kind: "none", words: "", wholeRows: false, aggregate: false, bounded: false };

/**
 * Reads a text as SQL, on the safe side of every dialect:
 * 1. literals and quoted names are tokens of their own; a backslash, a dollar quote or an open quote is unsure;
 * 2. comments are unsure, because dialects execute some of them and they can split words;
 * 3. `;` may only end the text;
 * 4. the first word must be SELECT, or WITH and no writing word after it; no word of a writing statement and no
 *    unknown function may remain.
 */
export function readSql(text: string): SqlMeaning {
  if (GRAPHQL_WRITE.test(text)) return { ...NONE, kind: "write" };
  const start = /^\W*(\w+)/u.exec(text.slice(0, 200))?.[1]?.toLowerCase() ?? "";
  if (!BODY.test(text) && !/\/\*/u.test(text)) return NONE;
  if (!STARTS.has(start) && !/;|--|'|\/\*|union\s/iu.test(text)) return NONE;
  const tokens = tokensOf(text);
  if (tokens === null) return { ...NONE, kind: "unsure" };
  const first = tokens[0] ?? "";
  if (WRITE_WORDS.has(first) || first === "replace") return { ...NONE, kind: "write" };
  if (!["select", "with", "explain", "show", "values"].includes(first)) return { ...NONE, kind: "unsure" };
  if (tokens.some((token) => WRITE_WORDS.has(token))) return { ...NONE, kind: "write" };
  const strange = tokens.some(
    (token, index) =>
      tokens[index + 1] === "(" &&
      /^[\p{L}_]/u.test(token) &&
      !HARMLESS_FUNCTIONS.has(token) &&
      !namesCte(tokens, index),
  );
  if (strange) return { ...NONE, kind: "unsure" };
  return { kind: "read", ...shapeOf(tokens) };
}

/** `with recent (a, b) as (`: a name before its columns. */
function namesCte(tokens: readonly string[], index: number): boolean {
  return tokens[0] === "with" && (index === 1 || tokens[index - 1] === ",") && tokens.includes("as");
}

function shapeOf(tokens: readonly string[]): Omit<SqlMeaning, "kind"> {
  const from = tokens.indexOf("from");
  const columns = columnsOf(tokens.slice(1, from < 0 ? undefined : from));
  const aggregate =
    tokens[0] === "select" &&
    columns.length > 0 &&
    columns.every((column) => AGGREGATES.has(column[0] ?? ""));
  const counts = (token: string) => tokens.includes(token);
  return {
    words: tokens
      .filter((token) => /^[\p{L}\p{N}_.]+$/u.test(token))
      .join(" ")
      .replace(/[_.]+/gu, " "),
    wholeRows: tokens.some(
      (token, index) =>
        token === "*" && tokens[index - 1] !== "(" && !/^[\d)]/u.test(tokens[index - 1] ?? ""),
    ),
    aggregate,
    bounded: aggregate || counts("where") || counts("limit") || counts("group"),
  };
}

function columnsOf(tokens: readonly string[]): readonly (readonly string[])[] {
  const columns: string[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token === "(") depth++;
    if (token === ")") depth--;
    if (token === "," && depth === 0) columns.push([]);
    else columns.at(-1)?.push(token);
  }
  return columns.filter((column) => column.length > 0);
}

const TOKEN =
  /\s+|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|[\p{L}_][\p{L}\p{N}_]*|\d+(?:\.\d+)?|[<>=!|]+|[(),.;*+\-/%:?[\]@&^~]/uy;

/** Lower-case tokens without literals; null when a dialect might read the text otherwise. */
function tokensOf(text: string): readonly string[] | null {
  const tokens: string[] = [];
  const scan = new RegExp(TOKEN);
  let ended = false;
  while (scan.lastIndex < text.length) {
    const at = scan.lastIndex;
    const token = scan.exec(text)?.[0];
    if (token === undefined) return null;
    if (text.startsWith("--", at) || text.startsWith("/*", at)) return null;
    if (/^\s/u.test(token)) continue;
    if (ended) return null;
    if (token === ";") {
      ended = true;
      continue;
    }
    tokens.push(
      /^["`]/u.test(token)
        ? token.slice(1, -1).toLowerCase()
        : token.startsWith("'")
          ? "''"
          : token.toLowerCase(),
    );
  }
  return tokens;
}
