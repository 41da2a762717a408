/** What a switch means when it is on; the opposite is read of one that is off. */
export type FlagMeaning =
  | "rehearsal"
  | "commit"
  | "gentle"
  | "harsh"
  | "bypass"
  | "anonymous"
  | "everything"
  | "safety"
  | null;

const FLAGS: readonly (readonly [Exclude<FlagMeaning, null>, RegExp])[] = [
  // Nothing happens yet.
  [
    "rehearsal",
    /^(?:is |as )?(?:(?:dry run|simulate|simulation|preview|validate|check|plan|test|estimate|quote|draft|report|view|read) (?:only|mode|run)|only (?:simulate|preview|validate|check|plan|test|estimate|quote|draft|read)|dry run|dryrun|simulate|simulation|simulated|preview|preview only|what if|whatif|validate only|validation only|check only|plan only|plan|no op|noop|test|test mode|test run|sandbox|sandbox mode|draft|as draft|save as draft|is draft|draft only|estimate only|quote only|read only|readonly|rehearsal|mock|explain)$/u,
  ],
  // It happens when this is on, and only then.
  [
    "commit",
    /^(?:apply|execute|commit|submit|send|send now|send immediately|deliver|publish|published|live|go live|confirm|confirmed|activate|active|post publicly|publish publicly|make public|public|is public|visible to all|transmit|post|finali[sz]e|auto send|auto approve|enact|broadcast|release|place order|charge now|pay now|notify (?:all|customers?|users?|everyone)|email (?:all|customers?|users?))$/u,
  ],
  [
    "gentle",
    /^(?:soft|soft delete|to trash|move to trash|trash|use trash|archive|archive only|archive instead|recoverable|reversible|keep (?:copy|backup|history|data)|create backup|backup first|undoable)$/u,
  ],
  [
    "harsh",
    /^(?:permanent|permanently|hard|hard delete|purge|force delete|irreversible|skip trash|cascade|wipe|delete after.*|remove after.*|delete (?:original|source|backups?|data|history)|overwrite|overwrite existing|replace existing|replace all|truncate|destroy|erase|immediate termination|(?:auto )?(?:delete|cancel|terminate|erase|wipe|revoke|suspend|kill) .+|auto (?:deny|pay|reject|charge).*|.+ (?:purge|hard delete|wipe))$/u,
  ],
  [
    "bypass",
    /^(?:force|forced|override|override .+|.+ override|bypass|bypass .+|no verify|insecure|skip .+|ignore .+|disable .+|without .+|suppress .+|waive .+|no (?:audit|approval|review|log|check)s?|auto approve|allow (?:anonymous|public|all|unverified).*|admin mode|privileged|as root|sudo|unsafe)$/u,
  ],
  [
    "anonymous",
    /^(?:anonymi[sz]e|anonymi[sz]ed|anonymous|deidentified|deidentify|de identified|de identify|pseudonymi[sz]ed?|masked?|mask (?:pii|names|personal data)|redact(?:ed)?(?: pii)?|aggregate|aggregated|aggregate only|aggregates only|summary only|counts? only|exclude (?:pii|personal data|personal))$/u,
  ],
  [
    "everything",
    /^(?:all|recursive|everyone|all (?:users|customers|records|rows|accounts|employees|patients|regions|sites)|include all|full|global|company wide|include (?:pii|personal|personal data|sensitive|ssn|salary|salaries|diagnos[ie]s|secrets?|medical.*|deleted))$/u,
  ],
  [
    "safety",
    /^(?:enabled?|recording|logging|audit|audit log(?:ging)?|verify|verification|verify .+|require .+|mfa|two factor|mfa required|encryption|encrypted|safety.*|emergency.*|alarm.*|monitoring|notify|notify (?:user|customer|employee|patient|owner|subject)|failsafe|interlock|child lock|requires? approval|approval required|backup|backups|deletion protection|ssl|tls)$/u,
  ],
];

/** Meaning of a switch by the words of its key. */
export function flagOf(key: string): FlagMeaning {
  return FLAGS.find(([, pattern]) => pattern.test(key))?.[0] ?? null;
}

/** On, off, or no switch. Texts count too: many tools take `"true"`. */
export function switchOf(value: string | number | boolean | null): boolean | null {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return null;
  if (/^(?:true|yes|on)$/iu.test(value.trim())) return true;
  return /^(?:false|no|off)$/iu.test(value.trim()) ? false : null;
}
