/** What a command line does. `none`: not a command as far as can be seen; `unsure` counts as a write. */
export type ShellMeaning = "none" | "read" | "write" | "unsure";

/** Programs that only show, whatever their plain arguments. */
const READERS = new Set(
  (
    "ls cat head tail grep egrep fgrep rg wc sort uniq cut pwd echo whoami id date uptime df du ps stat file tree which " +
    "hostname uname free lsof netstat ss dig nslookup ping traceroute printenv diff cmp sha256sum md5sum basename dirname " +
    "jq nl column less more true test history groups lscpu vmstat iostat"
  ).split(" "),
);

/** Verbs of programs that have reading and writing ones: only these read. Empty word: no verb given. */
const READING_VERBS: Readonly<Record<string, ReadonlySet<string>>> = Object.fromEntries(
  Object.entries({
    git: "status log diff show blame shortlog describe ls-files ls-tree rev-parse rev-list grep whatchanged cat-file reflog",
    kubectl: "get describe logs top explain version cluster-info api-resources api-versions",
    oc: "get describe logs status whoami",
    docker: "ps images logs inspect stats top version info port history",
    podman: "ps images logs inspect stats top version info",
    helm: "list status history get show search version template lint",
    terraform: "plan show validate output version providers graph fmt-check",
    tofu: "plan show validate output version",
    npm: "ls list view outdated audit-report ping whoami",
    pip: "list show freeze check",
    systemctl: "status is-active is-enabled list-units show cat",
    service: "status",
    journalctl: "*",
    aws: "describe list get",
    gcloud: "list describe",
    az: "list show",
    apt: "list show search policy",
    cargo: "check tree metadata",
    crontab: "-l",
    redis: "get info",
  }).map(([program, verbs]) => [program, new Set(verbs.split(" "))]),
);

/** Options that make a reader write, run or reach outside. */
const WRITING_OPTIONS =
  /^(?:-exec|-execdir|-delete|-ok|-fprint\S*|--output(?:=.*)?|-o|--in-place|-i|--ext-diff|--exec(?:=.*)?|--pre(?:=.*)?|-f)$/u;
const SECRET_KINDS = /(?:^|[\s,/])(?:secrets?|configmaps?\/.*secret|token|credentials?)(?:$|[\s,/])/iu;

/** Commands known by name, so that a text that begins with one is taken for a command line. */
const PROGRAMS = new Set([
  ...READERS,
  ...Object.keys(READING_VERBS),
  ...(
    "rm rmdir mv cp dd mkfs curl wget bash sh zsh chmod chown kill pkill shutdown reboot nc ncat python python3 perl node " +
    "ruby ssh scp rsync sudo su iptables useradd userdel passwd eval exec tee truncate powershell sed awk find xargs make " +
    "mount umount tar unzip zip npx yarn pnpm psql mysql mongo mysqldump pg_dump touch mkdir ln source export env"
  ).split(" "),
]);

const EMBEDDED =
  /(?:[;&|`\n]\s*|^\s*|\$\(\s*|\bsudo\s+|-exec\s+)(?:sudo|rm|rmdir|curl|wget|bash|sh|zsh|chmod|chown|dd|mkfs\S*|kill|pkill|shutdown|reboot|nc|ncat|python3?|perl|node|ssh|scp|systemctl|kubectl|docker|helm|terraform|iptables|crontab|useradd|passwd|eval|exec|mv|cp|tee|truncate|powershell|invoke-\w+)\s+[-\w./$"'~*:@]|\$\([^)]{1,200}\)|>\s*\/(?:etc|dev|var|usr|root|home)\b|\brm\s+-[rf]|:\(\)\s*\{|\b(?:os\.system|subprocess\.|child_process|__import__|Runtime\.getRuntime|eval\s*\(|exec\s*\()/u;

/** Whether a text that is no command argument carries shell or program commands. */
export function looksLikeShell(text: string): boolean {
  return EMBEDDED.test(text);
}

/**
 * Reads a command line; `program` is the tool itself when the text is only what follows it (`get pods`).
 * 1. A pipeline of known readers reads; anything unknown, and every redirection into a file, does not.
 * 2. Substitution, backquotes, background jobs, variables that change the program and newlines are unsure.
 */
export function readShell(text: string, program = ""): ShellMeaning {
  const line = text.trim();
  if (line === "" || line.length > 2_000) return line === "" ? "none" : "unsure";
  const first = /^[^\s;|&]*/u.exec(line)?.[0] ?? "";
  const own = program !== "" && first !== program && !PROGRAMS.has(first);
  if (!own && !PROGRAMS.has(first)) return "none";
  if (/[`\n\\]|\$[({]|<\(|(?:^|[^&])&(?:[^&]|$)|<</u.test(line.replace(/2>&1/gu, ""))) return "unsure";
  if (/>(?!\s*\/dev\/null)/u.test(line.replace(/2>(?:&1|\/dev\/null)/gu, ""))) return "write";
  const commands = line.replace(/2>(?:&1|\/dev\/null)/gu, "").split(/\|\||&&|[;|]/u);
  const readings = commands.map((part, index) => readOne(index === 0 && own ? `${program} ${part}` : part));
  if (readings.includes("write")) return "write";
  return readings.every((reading) => reading === "read") ? "read" : "unsure";
}

const wordsOfCommand = (line: string) => line.trim().split(/\s+/u);

function readOne(command: string): ShellMeaning {
  const words = wordsOfCommand(command);
  const program = words[0] ?? "";
  const rest = words.slice(1);
  if (program === "sudo") return "write";
  if (program === "find") return rest.some((word) => WRITING_OPTIONS.test(word)) ? "write" : "read";
  if (READERS.has(program)) return readerWrites(program, rest) ? "write" : "read";
  const verbs = READING_VERBS[program];
  if (verbs === undefined) return "write";
  if (verbs.has("*")) return rest.some((word) => /^--(?:vacuum|rotate|flush)/u.test(word)) ? "write" : "read";
  if (program !== "crontab" && rest.some((word) => /^(?:-c|--exec|--output|--ext-diff)/u.test(word)))
    return "unsure";
  const plain = rest.filter((word) => !word.startsWith("-"));
  if (/^(?:aws|gcloud|az)$/u.test(program))
    return plain.slice(1).some((word) => verbs.has(word.split("-")[0] ?? "")) && !SECRET_KINDS.test(command)
      ? "read"
      : "write";
  if (rest.length === 1 && /^(?:--version|--help|version|help)$/u.test(rest[0] ?? "")) return "read";
  const verb = program === "crontab" ? (rest[0] ?? "") : verbOf(rest);
  if (program === "git" && (verb === "branch" || verb === "tag" || verb === "remote")) {
    return plain.length === 1 && !rest.some((word) => /^-(?:[dDmMf]|-delete|-move|-force)/u.test(word))
      ? "read"
      : "write";
  }
  return verbs.has(verb) && !(/^(?:kubectl|oc)$/u.test(program) && SECRET_KINDS.test(command))
    ? "read"
    : "write";
}

/** The first word that is neither an option nor the value of a leading `-n ns`. */
function verbOf(rest: readonly string[]): string {
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? "";
    if (/^(?:-n|--namespace|--context|-C)$/u.test(word)) i++;
    else if (!word.startsWith("-")) return word;
  }
  return "";
}

function readerWrites(program: string, rest: readonly string[]): boolean {
  if (program === "sort" || program === "tree" || program === "diff")
    return rest.some((word) => /^-o|^--output/u.test(word));
  if (program === "rg") return rest.some((word) => word.startsWith("--pre"));
  if (program === "date" || program === "hostname")
    return rest.some((word) => !word.startsWith("+") && !word.startsWith("-"));
  return false;
}
