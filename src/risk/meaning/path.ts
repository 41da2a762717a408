/** What a path names, on the safe side: `other` whenever it is not plain. */
export type PathMeaning =
  | "temporary"
  | "workspace"
  | "system"
  | "secret"
  | "backup"
  | "wildcard"
  | "traversal"
  | "other";

/** Paths that hold secrets, whatever reads them; found inside any text. */
export const SECRET_PATH =
  /(?:^|[\s/\\"'=@])(?:etc\/(?:shadow|passwd|sudoers|gshadow|ssl\/private|kubernetes)|\.ssh|\.aws|\.gnupg|\.kube|\.netrc|\.npmrc|\.pgpass|\.docker\/config|\.git-credentials|\.env(?:\.[\w-]+)?|id_(?:rsa|dsa|ecdsa|ed25519)|proc\/[\w*]+\/(?:environ|mem)|run\/secrets|secrets?(?:\/|\.ya?ml|\.json)|credentials?(?:\.\w+)?|shadow|[\w.-]+\.(?:pem|key|p12|pfx|kdbx|keystore|jks))(?=$|[\s/\\"';|&)])/iu;
const SYSTEM =
  /^(?:\/(?:etc|usr|bin|sbin|boot|dev|lib|lib64|proc|root|sys|opt|var\/lib|var\/log|system|library)(?:\/|$)|[a-z]:\\(?:windows|program files))/iu;
const TEMPORARY =
  /^(?:\/tmp\/|\/var\/tmp\/|\.?\/?(?:tmp|temp)\/|[a-z]:\\temp\\)|\.(?:tmp|temp|swp|pyc|cache|part)$|(?:^|\/)(?:node_modules|__pycache__|\.cache|dist|build|target)\//iu;
const BACKUP =
  /(?:^|[/\\_.-])(?:backups?|archives?|snapshots?|dumps?|master|prod(?:uction)?)(?=$|[/\\_.-])|\.(?:bak|dump|sql|tar|tgz|gz|zip|db|sqlite3?|mdb)$/iu;
const WORKSPACE = /^(?:\/workspaces?\/|workspace\/|\/sandbox\/|sandbox\/|scratch\/|\.\/)/iu;
const PLAIN = /^[\p{L}\p{N}\s._/\\:~@+,()=-]{1,1000}$/u;

/** Reads a path without touching a disk; decoded once, so that `%2e%2e` is what it means. */
export function readPath(text: string): PathMeaning {
  const path = decoded(text.trim());
  if (SECRET_PATH.test(path)) return "secret";
  if (/(?:^|[/\\])\.\.(?:[/\\]|$)/u.test(path)) return "traversal";
  if (/[*?[\]{}]/u.test(path) || /^(?:\/|~\/?|[a-z]:\\?|\.)$/iu.test(path)) return "wildcard";
  if (!PLAIN.test(path)) return "other";
  if (SYSTEM.test(path)) return "system";
  if (BACKUP.test(path)) return "backup";
  if (TEMPORARY.test(path)) return "temporary";
  return WORKSPACE.test(path) ? "workspace" : "other";
}

function decoded(text: string): string {
  if (!/%[0-9a-f]{2}/iu.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoding after all; the sign itself makes the path not plain.
    return text;
  }
}
