/** Functions that read or compute; any other call in a query may write, sleep or reach outside. */
const HARMLESS_FUNCTIONS = new Set(
  (
    "count sum avg min max lower upper coalesce date time datetime strftime length round abs substr substring trim " +
    "ltrim rtrim cast extract now date_trunc date_part concat nullif ifnull ceil floor year month day row_number rank " +
    "dense_rank lag lead string_agg array_agg group_concat distinct json_extract greatest least to_char to_date replace " +
    "in exists and or not from as on over where by select any all some when then else case having join between like " +
    "union intersect except using filter partition limit with"
  ).split(" "),
);

const WRITE_WORDS =
  /\b(?:insert|update|delete|drop|alter|create|truncate|grant|revoke|merge|call|exec|execute|into|lock|outfile|dumpfile|copy|attach|detach|pragma|do|vacuum|set|declare|begin|commit|handler|load|analyze|reindex|share)\b/iu;

const SQL_START =
  /^\W*(?:select|with|insert|update|delete|drop|alter|create|truncate|grant|revoke|merge|call|exec|execute|replace|copy|attach|detach|pragma|do|vacuum|explain|begin|declare|use|show|load|upsert)\b/iu;

const SQL_BODY =
  /\b(?:select\s{1,50}[\w.]{1,60}\s?\(|select\s{1,50}(?:\*|@@|\d)|insert\s{1,50}into|update\s{1,50}[\w."`[\]]{1,100}\s{1,50}set|delete\s{1,50}from|drop\s{1,50}(?:table|database|schema|index|view|user|role|column|collection|function|trigger)|alter\s{1,50}(?:table|database|user|role|system)|truncate\s{1,50}(?:table\s{1,50})?\w|create\s{1,50}(?:or\s{1,50}replace\s{1,50})?(?:table|user|role|database|function|trigger|view|index|extension)|grant\s{1,50}[\w\s,]{1,100}\b(?:to|on)\b|revoke\s{1,50}[\w\s,]{1,100}\bfrom|merge\s{1,50}into|replace\s{1,50}into|exec(?:ute)?\s{1,50}\w|call\s{1,50}\w{1,60}\s?\(|attach\s{1,50}database|pragma\s{1,50}\w|vacuum\b|copy\s{1,50}\w{1,60}\s{1,50}(?:to|from)|with\s{1,50}\w{1,60}\s{1,50}as\s?\()/iu;

const GRAPHQL_WRITE = /^\s*(?:mutation|subscription)\b/iu;

export type SqlReading =
  /** Not SQL as far as can be seen. */
  | "none"
  /** One SELECT whose every function is known to be harmless. */
  | "lone_select"
  /** Anything else that looks like SQL, or a GraphQL mutation. */
  | "other";

/**
 * Reads a text as SQL, on the safe side of every dialect:
 * 1. string literals and quoted names are taken out first, with doubled quotes; a backslash or a quote left over is `other`;
 * 2. comments are `other`, because dialects execute some of them and they can split words;
 * 3. `;` may only end the text;
 * 4. no word of a writing statement and no unknown function may remain.
 */
export function readSql(text: string): SqlReading {
  if (GRAPHQL_WRITE.test(text)) return "other";
  const body =
    SQL_BODY.test(text) || (/\bselect\b/iu.test(text) && /\bfrom\b/iu.test(text)) || /\/\*/u.test(text);
  if (!body || !(SQL_START.test(text) || /;|--|'|\/\*|union\s/iu.test(text))) return "none";
  const bare = text
    .replace(/'(?:[^']|'')*'/gu, " ")
    .replace(/"(?:[^"]|"")*"/gu, " q ")
    .trim();
  if (!/^select\b/iu.test(bare)) return "other";
  if (/['"\\#]|--|\/\*|\$\w*\$/u.test(bare) || /;./su.test(bare)) return "other";
  if (WRITE_WORDS.test(bare)) return "other";
  for (const match of bare.matchAll(/([\p{L}_][\p{L}\p{N}_.]*)\s*\(/gu)) {
    if (!HARMLESS_FUNCTIONS.has((match[1] ?? "").toLowerCase())) return "other";
  }
  return "lone_select";
}

const SHELL =
  /(?:[;&|`\n]\s*|^\s*|\$\(\s*|\bsudo\s+|-exec\s+)(?:sudo|rm|rmdir|curl|wget|bash|sh|zsh|chmod|chown|dd|mkfs\S*|kill|pkill|shutdown|reboot|nc|ncat|python3?|perl|node|ssh|scp|systemctl|kubectl|docker|helm|terraform|iptables|crontab|useradd|passwd|eval|exec|mv|cp|tee|truncate|powershell|invoke-\w+)\s+[-\w./$"'~*:@]|\$\([^)]{1,200}\)|>\s*\/(?:etc|dev|var|usr|root|home)\b|\brm\s+-[rf]|:\(\)\s*\{|\b(?:os\.system|subprocess\.|child_process|__import__|Runtime\.getRuntime|eval\s*\(|exec\s*\()/u;

/** Whether a text carries shell or program commands. */
export function looksLikeShell(text: string): boolean {
  return SHELL.test(text);
}
