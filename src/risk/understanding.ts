import type { CallCore, CallView, Leaf } from "./call-view.ts";
import { ACT_KEY, HAZARD, NOUN_VERBS } from "./lexicon.ts";
import { type AddressMeaning, domainOf, PUBLIC_MAIL, readAddress } from "./meaning/address.ts";
import { readAmount } from "./meaning/amount.ts";
import { isEverything, readCount } from "./meaning/breadth.ts";
import { readCron } from "./meaning/cron.ts";
import {
  type DeviceMeaning,
  HARMLESS_DEVICE,
  HAZARD_PLACE,
  readDeviceNumber,
  readDeviceState,
} from "./meaning/device.ts";
import { type EnvironmentMeaning, readEnvironment } from "./meaning/environment.ts";
import { FIELD_CONTAINER, FIELD_NAME_KEY, type FieldMeaning, readField } from "./meaning/field.ts";
import { type FlagMeaning, flagOf, switchOf } from "./meaning/flag.ts";
import { type KindMeaning, readKind } from "./meaning/kubernetes.ts";
import { type PathMeaning, readPath } from "./meaning/path.ts";
import { looksLikeShell, readShell, type ShellMeaning } from "./meaning/shell.ts";
import { readSql, type SqlMeaning } from "./meaning/sql.ts";
import { isPlainlyDraft, readStatus, STATUS_KEY, type StatusMeaning } from "./meaning/status.ts";
import { readUrl, SAFE_METHODS, UNSAFE_METHODS, type UrlMeaning } from "./meaning/url.ts";
import { isRead, readName, verbOf } from "./name-acts.ts";

/** A meaning and the argument it was read from. */
export interface Understood<Meaning> {
  readonly leaf: Leaf;
  readonly meaning: Meaning;
}

/**
 * What the arguments mean, argument by argument. Everything found is listed, declared or not: whoever raises a score
 * takes all of it, whoever lowers one takes only what the schema declares and then only if nothing speaks against it.
 */
export interface Understanding {
  readonly sql: readonly Understood<SqlMeaning>[];
  readonly shell: readonly Understood<ShellMeaning>[];
  readonly urls: readonly Understood<UrlMeaning>[];
  readonly paths: readonly Understood<PathMeaning>[];
  readonly recipients: readonly Understood<AddressMeaning>[];
  readonly amounts: readonly Understood<number>[];
  readonly percents: readonly Understood<number>[];
  readonly counts: readonly Understood<number>[];
  readonly crons: readonly Understood<number>[];
  readonly everything: readonly Leaf[];
  readonly environments: readonly Understood<Exclude<EnvironmentMeaning, null>>[];
  /** Switches that are on, and those that are off. */
  readonly on: readonly Understood<Exclude<FlagMeaning, null>>[];
  readonly off: readonly Understood<Exclude<FlagMeaning, null>>[];
  readonly statuses: readonly Understood<StatusMeaning>[];
  readonly fields: readonly Understood<FieldMeaning>[];
  readonly devices: readonly Understood<DeviceMeaning>[];
  readonly kinds: readonly Understood<KindMeaning>[];
  readonly methods: readonly Understood<"safe" | "unsafe">[];
  /** Arguments that choose what is done. */
  readonly choices: readonly Understood<"read" | "rehearsal" | "act" | "unknown">[];
  /** Arguments that say between which accounts, and whether both are the caller's own. */
  readonly ownAccounts: readonly Understood<boolean>[];
}

const SHELL_KEY = /(?:^| )(?:command|cmd|shell|bash|script|shell command|command line|args|arguments|argv)$/u;
const PATH_KEY =
  /(?:^| )(?:path|file|filename|file path|filepath|dir|directory|folder|source|destination|target|location|output|output path|to|save to|key|uri)s?$/u;
const RECIPIENT_KEY =
  /^(?:to|cc|bcc|recipients?|to emails?|emails?|email addresses|to addresses?|addressees?|audience|segment|send to|forward to|forward|share with|shared with|with|invitees?|attendees?|participants?|guests?|channel|target audience|target group|group|list|mailing list|deliver to|delivery|destination|numbers?|phone numbers|to numbers?|recipient (?:email|group|type|list)s?|notify|viewers?|contacts?|user group|distribution list|visibility|reply to|receivers?|collaborators?)$/u;
const AMOUNT_KEY =
  /(?:^| )(?:amount|total|sum|value|price|payment|refund|credit|fee|cost|budget|monthly amount|new limit|limit|daily limit|credit limit|payout|bonus|donation|deposit|salary|discount amount|gross|net|eur|usd|gbp|euros?|dollars?|cents)(?: (?:eur|usd|gbp|amount|value|euros?|dollars?))?$/u;
const NOT_MONEY = /(?:^| )(?:rows?|page|results?|records?|items?|tokens?|rate|time|memory|cpu)(?= |$)/u;
const PERCENT_KEY =
  /(?:^| )(?:percent|percentage|pct|percent off|discount percent(?:age)?|percent discount|rollout pct|rollout|rollout percent(?:age)?|traffic(?: percent(?:age)?)?|discount|discount rate|markdown)$/u;
const DEVICE_KEY =
  /^(?:command|state|action|op|operation|mode|position|lock state|status|desired state|power|override|scene|request|setting|value)$/u;
const KIND_KEY = /^(?:kind|resource|resource type|object kind|type|object)$/u;
const ACCOUNT_KEY =
  /^(?:to|from|source|destination|(?:to|from|source|destination|target|beneficiary|payee|recipient) (?:account|wallet|pot|iban|name)|payee|beneficiary|recipient|account to|account from|target|destination type|recipient type|payee type|to account type)$/u;
const OWN_ACCOUNT =
  /^(?:(?:my |own )(?:.{0,30})|self|own|(?:savings|checking|current)(?: (?:own|account|pot|goal|\d+|[a-z]\d+))*|emergency fund|joint savings|internal|own account|between own accounts|existing own account)$/u;
/** Choices that only rehearse the act. */
const REHEARSING =
  /^(?:dry run|simulate|simulation|preview|quote|estimate|calculate|compute|validate|validation|check|plan|draft|save draft|create draft|test|count only|read only|propose|suggest|template|what if|report only|explain|prepare)$/u;
/** Single words that ask for a state of things. */
const ASKS =
  /(?:^| )(?:status|state|info|information|details?|balance|history|summary|position|battery|version|versions|temperature|level|location|location of .*|questions|statistics|stats|overview|metrics|help|ls|ps|health|availability|schedule|count|counts|count only|my notes|metadata|headers?|logs?|telemetry|diagnostics|uptime|mark read|readings?|report (?:only|position|status|state|level|temperature|battery|location|metrics))$/u;

/** Reads every argument once with every reader that its key and form call for. @param ownDomains domains that the operator named as inside */
export function understand(view: CallCore, ownDomains: readonly string[]): Understanding {
  const inside = [...ownDomains, ...senderDomain(view.leaves)];
  const each = <Meaning>(read: (leaf: Leaf) => Meaning | null | undefined): readonly Understood<Meaning>[] =>
    view.leaves.flatMap((leaf) => {
      const meaning = read(leaf);
      return meaning === null || meaning === undefined ? [] : [{ leaf, meaning }];
    });
  const short = (leaf: Leaf) => leaf.text.length <= 60 && leaf.words !== "";
  const switches = (want: boolean) =>
    each((leaf) => (switchOf(leaf.value) === want ? flagOf(leaf.key) : null));
  const device = `${view.name.words} ${view.leaves
    .filter(short)
    .map((leaf) => leaf.words)
    .join(" ")}`;
  return {
    sql: each((leaf) => sqlOf(leaf)),
    shell: each((leaf) => shellOf(leaf, view.nameWords)),
    urls: each((leaf) => (typeof leaf.value === "string" ? readUrl(leaf.text, ownDomains) : null)),
    paths: each((leaf) =>
      PATH_KEY.test(leaf.key) &&
      /[/\\.~*]/u.test(leaf.text) &&
      leaf.text.length < 1_000 &&
      !leaf.text.includes("://") &&
      !leaf.text.includes("@")
        ? readPath(leaf.text)
        : null,
    ),
    recipients: each((leaf) =>
      RECIPIENT_KEY.test(leaf.key) && leaf.text.length <= 200
        ? readAddress(leaf.text, leaf.words, inside)
        : null,
    ),
    amounts: each((leaf) =>
      AMOUNT_KEY.test(leaf.key) && !NOT_MONEY.test(leaf.key) ? readAmount(leaf.value) : null,
    ),
    percents: each((leaf) => (PERCENT_KEY.test(leaf.key) ? numberOf(leaf) : null)),
    counts: each((leaf) => readCount(leaf.key, leaf.value)),
    crons: each((leaf) =>
      /(?:^| )(?:cron|schedule|cron expression)$/u.test(leaf.key) ? readCron(leaf.text) : null,
    ),
    everything: view.leaves.filter((leaf) => isEverything(leaf.key, leaf.text, leaf.words, leaf.value)),
    environments: each((leaf) => (short(leaf) ? readEnvironment(leaf.key, leaf.words) : null)),
    on: switches(true),
    off: switches(false),
    statuses: each(statusOf),
    fields: fieldsOf(view.leaves),
    devices: each((leaf) => deviceOf(leaf, device)),
    kinds: each((leaf) => (KIND_KEY.test(leaf.key) && short(leaf) ? readKind(leaf.words) : null)),
    methods: each(methodOf),
    choices: each((leaf) => choiceOf(leaf)),
    ownAccounts: each((leaf) =>
      (ownAccountOf(leaf) ?? (ACCOUNT_KEY.test(leaf.key) && short(leaf)))
        ? OWN_ACCOUNT.test(leaf.words)
        : null,
    ),
  };
}

function statusOf(leaf: Leaf): StatusMeaning {
  if (typeof leaf.value !== "string" || leaf.text.length > 60 || leaf.words === "") return null;
  if (isPlainlyDraft(leaf.key, leaf.words)) return "draft";
  return STATUS_KEY.test(leaf.key) ? readStatus(leaf.words) : null;
}

/** A switch that says outright whose account it is. */
function ownAccountOf(leaf: Leaf): boolean | null {
  if (switchOf(leaf.value) !== true) return null;
  if (/^(?:new|unknown|first time|unverified) (?:payee|recipient|beneficiary)$/u.test(leaf.key)) return false;
  return /^(?:is )?(?:own account|to own account|between own accounts|same owner|internal transfer)$/u.test(
    leaf.key,
  )
    ? true
    : null;
}

/** Whoever shares the sender's domain is a colleague. */
function senderDomain(leaves: readonly Leaf[]): readonly string[] {
  const sender = leaves.find(
    (leaf) => leaf.typed && /^(?:from|sender|from address|from email)$/u.test(leaf.key),
  );
  const domain = sender === undefined ? null : domainOf(sender.text);
  return domain === null || PUBLIC_MAIL.has(domain) ? [] : [domain];
}

function sqlOf(leaf: Leaf): SqlMeaning | null {
  if (typeof leaf.value !== "string" || leaf.text.length < 6) return null;
  const meaning = readSql(leaf.text);
  return meaning.kind === "none" ? null : meaning;
}

const PROGRAM_NAMES = new Set(
  "git kubectl docker helm terraform oc podman npm aws gcloud az systemctl".split(" "),
);

function shellOf(leaf: Leaf, nameWords: readonly string[]): ShellMeaning | null {
  if (typeof leaf.value !== "string") return null;
  const program = nameWords.find((word) => PROGRAM_NAMES.has(word)) ?? "";
  if (SHELL_KEY.test(leaf.key) || (program !== "" && ACT_KEY.test(leaf.key))) {
    const meaning = readShell(leaf.text, program);
    if (meaning !== "none") return meaning;
  }
  return looksLikeShell(leaf.text) ? "write" : null;
}

function numberOf(leaf: Leaf): number | null {
  if (typeof leaf.value === "number") return leaf.value;
  const match = /^(-?\d{1,6}(?:\.\d{1,6})?)\s?(?:%|percent|pct)?$/u.exec(leaf.text.trim());
  return match === null ? null : Number(match[1]);
}

function fieldsOf(leaves: readonly Leaf[]): readonly Understood<FieldMeaning>[] {
  return leaves
    .flatMap((leaf) => {
      const named = FIELD_NAME_KEY.test(leaf.key) && typeof leaf.value === "string" && leaf.text.length <= 60;
      if (named) return [{ leaf, meaning: readField(leaf.words) }];
      return [
        {
          leaf,
          meaning: STATUS_KEY.test(leaf.key) || IDENTIFIES.test(leaf.key) ? null : readField(leaf.key),
        },
      ];
    })
    .filter(({ leaf, meaning }) => meaning !== null || isField(leaf));
}

/** Names which record is meant rather than what changes in it. */
const IDENTIFIES =
  /(?:^| )(?:id|ids|ref|reference|uuid|(?:case|order|ticket|invoice|client|customer|employee) (?:number|no)|slug|sku)$/u;

/** An argument that holds a field, below a container of fields or named by its value. */
export function isField(leaf: Leaf): boolean {
  const parents = leaf.pointer.split("/").slice(2, -1);
  return (
    parents.some((parent) => FIELD_CONTAINER.test(parent.toLowerCase().replace(/[_-]/gu, " "))) ||
    FIELD_NAME_KEY.test(leaf.key)
  );
}

/** A number is a setting only of something that can be set. */
const DEVICE =
  /(?:^| )(?:thermostat|climate|heating|heat|hvac|ac|air conditioner|oven|heater|heated|room|lamps?|lights?|scene|irrigation|sprinklers?|waters?|robot|arm|pump|drone|blinds?|volume|brightness|temperature|speaker|device|valve|motor|fan|charger|boiler|fridge|freezer|infusion|insulin|dose|set)(?= |$)/u;

function deviceOf(leaf: Leaf, device: string): DeviceMeaning | undefined {
  if (typeof leaf.value === "number") {
    if (!DEVICE.test(device) && !HAZARD.test(device)) return undefined;
    const meaning = readDeviceNumber(leaf.key, leaf.value, device);
    return meaning === "trifling" && HAZARD_PLACE.test(device) ? null : (meaning ?? undefined);
  }
  if (typeof leaf.value !== "string" || leaf.text.length > 40 || !DEVICE_KEY.test(leaf.key)) return undefined;
  const meaning = readDeviceState(leaf.words);
  if (
    meaning === null &&
    /^(?:(?:turn |switch |power )?(?:on|off)|toggle|dim|brighten|mute|unmute|play|pause|skip)$/u.test(
      leaf.words,
    ) &&
    HARMLESS_DEVICE.test(device) &&
    !HAZARD_PLACE.test(device)
  )
    return "trifling";
  return meaning ?? undefined;
}

function methodOf(leaf: Leaf): "safe" | "unsafe" | null {
  if (!/^(?:method|http method|verb|request method)$/u.test(leaf.key)) return null;
  const word = leaf.text.trim().toLowerCase();
  return SAFE_METHODS.has(word) ? "safe" : UNSAFE_METHODS.has(word) ? "unsafe" : null;
}

function choiceOf(leaf: Leaf): "read" | "rehearsal" | "act" | "unknown" | null {
  if (!ACT_KEY.test(leaf.key) || typeof leaf.value !== "string" || leaf.text.length > 60 || leaf.words === "")
    return null;
  if (REHEARSING.test(leaf.words)) return "rehearsal";
  const words = leaf.words.split(" ");
  const acts = words.filter((word, index) => {
    const found = verbOf(word);
    if (found === undefined || isRead(found.kinds) || found.verb !== word) return false;
    return !NOUN_VERBS.has(word) || (index === 0 && !ASKS.test(leaf.words));
  });
  if (acts.length > 0 && !MARKS.test(leaf.words)) return "act";
  const named = readName(words);
  if (named.read && named.acts.length === 0) return "read";
  return ASKS.test(leaf.words) || LOOKS.test(leaf.words) ? "read" : "unknown";
}

const LOOKS = /^(?:review|examine|audit|look up|view) \w/u;
const MARKS = /^mark (?:as )?(?:read|unread|seen)$/u;

const QUERY_KEY = /(?:^| )(?:sql|query|statement|soql|q|select|sql query|command)$/u;
/** Names of tools that carry out what an argument says. */
const CARRIER =
  /(?:^| )(?:sql|soql|query|queries|db|database|warehouse|shell|bash|terminal|command|cmd|run|exec|execute|kubectl|git|docker|helm|terraform|http|https|rest|api|request|fetch|url|web|call|ehr|fhir|crm|ledger|script|console)(?= |$)/u;

/** The tool carries out what its arguments hold, so that reading them is reading the call. */
export const carriesOut = (view: Pick<CallCore, "name" | "open">) =>
  view.open || CARRIER.test(view.name.words);

/** Whether the call carries queries, each in the argument made for it, and all of them only read. */
export function selects(view: Pick<CallView, "name" | "open" | "understood">): boolean {
  const { sql } = view.understood;
  return (
    sql.length > 0 &&
    carriesOut(view) &&
    sql.every(({ leaf, meaning }) => leaf.declared && QUERY_KEY.test(leaf.key) && meaning.kind === "read")
  );
}

/** Whether the call carries commands, each in the argument made for it, and all of them only show. */
export function shows(view: Pick<CallView, "name" | "open" | "understood">): boolean {
  const { shell } = view.understood;
  return (
    shell.length > 0 &&
    carriesOut(view) &&
    shell.every(
      ({ leaf, meaning }) =>
        leaf.declared && (SHELL_KEY.test(leaf.key) || ACT_KEY.test(leaf.key)) && meaning === "read",
    )
  );
}
