/** Where a system stands. */
export type EnvironmentMeaning = "production" | "rehearsal" | null;

const KEY =
  /(?:^| )(?:env|environment|stage|target|cluster|namespace|ns|tier|instance|workspace|realm|site|deployment|context|account|database|db|host|server|project|tenant|channel|system)$/u;
const PRODUCTION = /(?:^| )(?:prod|production|live|prd|primary|master|main|kube system|default)(?= |$)/u;
const REHEARSAL =
  /^(?:dev|development|test|testing|staging|stage|sandbox|local|localhost|qa|ci|preview|uat|demo|training|scratch|playground|lab|integration|acceptance)(?: (?:\d+|eu|us|env|environment|cluster|db|database|system))*$/u;
/** In any short argument these say production; elsewhere `main` or `primary` may be anything. */
const PLAINLY = /(?:^| )(?:prod|production|prd)(?= |$)/u;

/** Reads an environment from a short argument, on the safe side: only a whole value that is a rehearsal is one. */
export function readEnvironment(key: string, words: string): EnvironmentMeaning {
  if (PLAINLY.test(words)) return "production";
  if (!KEY.test(key)) return null;
  if (PRODUCTION.test(words)) return "production";
  return REHEARSAL.test(words) ? "rehearsal" : null;
}
