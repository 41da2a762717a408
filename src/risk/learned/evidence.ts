import type { CallView } from "../call-view.ts";
import type { Ruled } from "../rules.ts";
import { wordsOf } from "../text.ts";
import type { Core, CoreLeaf } from "./core.ts";
import { actGrades, thingGrades } from "./impact-words.ts";
import { chooses } from "./words.ts";

export interface EvidenceParams {
  /** The call with the arguments of its core only. */
  readonly view: CallView;
  readonly core: Core;
  /** What the rules make of that. */
  readonly ruled: Ruled;
  /** Log-odds of harm by the call's words, see `words.ts`. */
  readonly odds: number;
}

interface Grades {
  readonly acts: readonly number[];
  readonly things: readonly number[];
}

const POSITIONS = [
  "name",
  "opening",
  "description",
  "keys",
  "chosen",
  "left",
  "on",
  "off",
  "told",
  "content",
  "omitted",
  "toldOmitted",
] as const;
type Position = (typeof POSITIONS)[number];

interface Context extends EvidenceParams {
  readonly grades: Readonly<Record<Position, Grades>>;
  readonly choices: readonly Choice[];
  readonly numbers: readonly number[];
  /** Numbers in the description. */
  readonly described: readonly number[];
}

/** A value among those that the schema allows. */
interface Choice {
  readonly words: readonly string[];
  readonly others: readonly (readonly string[])[];
  /** Place among the allowed values, 0 first to 1 last. */
  readonly place: number;
  readonly isDefault: boolean;
}

const gradesOf = (words: readonly string[]): Grades => ({
  acts: actGrades(words),
  things: thingGrades(words),
});
const highest = (all: readonly number[]) => all.reduce((most, value) => Math.max(most, value), -4);
const lowest = (all: readonly number[]) => all.reduce((least, value) => Math.min(least, value), 4);
const mean = (all: readonly number[]) =>
  all.length === 0 ? 0 : all.reduce((sum, value) => sum + value, 0) / all.length;
const magnitude = (value: number) => Math.log10(1 + Math.min(1e12, Math.abs(value)));

/** Numbers under these keys name a thing or a time. */
const NAMING_KEY =
  /(?:^| )(?:id|ids|ref|reference|uuid|no|number|code|sku|phone|date|at|on|until|from|since|time|year|month|day)$/u;

function choicesOf({ leaves }: Core): readonly Choice[] {
  return leaves.slice(0, 60).flatMap(({ value, property }) => {
    const allowed = property.allowed ?? [];
    const at = allowed.indexOf(String(value));
    if (at < 0 || allowed.length < 2) return [];
    return [
      {
        words: wordsOf(String(value)),
        others: allowed.filter((_, index) => index !== at).map(wordsOf),
        place: at / (allowed.length - 1),
        isDefault: property.default === value,
      },
    ];
  });
}

/** What the texts say right after the words. */
function toldOf(wanted: string, clauses: readonly (readonly string[])[]): readonly string[] {
  const parts = wanted.split(" ");
  if (wanted.length < 2) return [];
  return clauses.flatMap((words) => {
    const at = words.findIndex((_, index) => parts.every((part, offset) => words[index + offset] === part));
    return at < 0 ? [] : words.slice(at + parts.length, at + parts.length + 8);
  });
}

const CLAUSE_CHARS = 1_500;

function contextOf(params: EvidenceParams): Context {
  const { view, core } = params;
  const { leaves } = core;
  const text = view.descriptionText.slice(0, CLAUSE_CHARS);
  const descriptionWords = view.description.words.split(" ").slice(0, 150);
  const clauses = [
    ...text.split(/[.;\n]/u).map((clause) => wordsOf(clause)),
    ...leaves.slice(0, 20).map(({ property }) => wordsOf(property.description)),
  ];
  const choosing = leaves.filter(chooses).slice(0, 20);
  const switches = (value: boolean) =>
    leaves.filter((leaf) => leaf.value === value).flatMap(({ key }) => key.split(" "));
  const chosenWords = (leaf: CoreLeaf) => wordsOf(String(leaf.value)).join(" ");
  const spoken = [
    ...choosing.map(chosenWords),
    ...leaves.filter(({ value }) => typeof value === "boolean").map(({ key }) => key),
  ];
  const choices = choicesOf(core);
  const read = [
    ...view.understood.sql.map(({ meaning }) => meaning.words),
    ...view.understood.paths.map(({ leaf }) => leaf.words),
  ];
  const omitted = omittedOf(params);
  return {
    ...params,
    choices,
    numbers: leaves.flatMap(({ key, value }) =>
      typeof value === "number" && !NAMING_KEY.test(key) ? [value] : [],
    ),
    described: [...text.matchAll(/(?<![\w.-])\d{1,9}(?:[.,]\d{1,4})?(?![\w-])/gu)].map(([found]) =>
      Number(found.replace(",", ".")),
    ),
    grades: {
      name: gradesOf(view.nameWords.slice(0, 12)),
      opening: gradesOf(descriptionWords.slice(0, 8)),
      description: gradesOf(descriptionWords),
      keys: gradesOf(leaves.slice(0, 30).flatMap(({ key }) => key.split(" "))),
      chosen: gradesOf(choosing.flatMap((leaf) => chosenWords(leaf).split(" "))),
      left: gradesOf(choices.flatMap(({ others }) => others.flat())),
      on: gradesOf(switches(true)),
      off: gradesOf(switches(false)),
      told: gradesOf(spoken.slice(0, 12).flatMap((words) => toldOf(words, clauses))),
      content: gradesOf(read.slice(0, 5).flatMap((words) => words.split(" ").slice(0, 60))),
      omitted: gradesOf(omitted.flatMap((key) => key.split(" "))),
      toldOmitted: gradesOf(omitted.flatMap((key) => toldOf(key, clauses))),
    },
  };
}

/** Arguments that the schema declares, or that the description names in code marks, and the call leaves out. */
function omittedOf({ view, core }: EvidenceParams): readonly string[] {
  const given = new Set(core.leaves.map(({ key }) => key));
  const marked = [
    ...view.descriptionText.slice(0, CLAUSE_CHARS).matchAll(/`([a-z][\w.-]{1,30})(?:[=:][^`]{0,60})?`/giu),
  ].map((match) => wordsOf(match[1] ?? "").join(" "));
  return [...new Set([...core.omitted, ...marked])]
    .filter((key) => !given.has(key) && key !== "")
    .slice(0, 30);
}

interface Evidence {
  readonly id: string;
  of(context: Context): number;
}

const item = (id: string, of: (context: Context) => number): Evidence => ({ id, of });

const graded = POSITIONS.flatMap((position) => {
  const acts = (c: Context) => c.grades[position].acts;
  const things = (c: Context) => c.grades[position].things;
  return [
    item(`${position}.act.high`, (c) => highest(acts(c))),
    item(`${position}.act.low`, (c) => lowest(acts(c))),
    item(`${position}.act.mean`, (c) => mean(acts(c))),
    item(`${position}.act.first`, (c) => acts(c)[0] ?? 0),
    item(`${position}.thing.high`, (c) => highest(things(c))),
    item(`${position}.thing.mean`, (c) => mean(things(c))),
  ];
});

const KINDS =
  "read destroy change create pay decide send execute operate request bypass access move_things attack".split(
    " ",
  );
const acted = (pointer: string, kind: string) => (c: Context) =>
  Number(c.view.acts.some((act) => act.pointer === pointer && [...act.kinds].some((each) => each === kind)));
const acts = KINDS.flatMap((kind) => [
  item(`name.${kind}`, acted("/name", kind)),
  item(`description.${kind}`, acted("/description", kind)),
]);

type Understood = CallView["understood"];
type Listed = {
  [K in keyof Understood]: Understood[K] extends readonly { readonly meaning: unknown }[] ? K : never;
}[keyof Understood];
/** How many arguments mean a thing. */
const meant = (key: Listed, wanted: string, of: (meaning: unknown) => unknown = (meaning) => meaning) =>
  item(
    `${key}.${wanted}`,
    (c) => c.view.understood[key].filter(({ meaning }) => String(of(meaning)) === wanted).length,
  );
const member = (name: string) => (meaning: unknown) =>
  typeof meaning === "object" && meaning !== null ? Reflect.get(meaning, name) : undefined;
const each = (key: Listed, words: string) => words.split(" ").map((word) => meant(key, word));
const largest = (key: "amounts" | "percents" | "counts") => (c: Context) =>
  highest([0, ...c.view.understood[key].map(({ meaning }) => Math.abs(meaning))]);

const FLAGS = "rehearsal commit gentle harsh bypass anonymous everything safety";
const understood: readonly Evidence[] = [
  ...each("choices", "read rehearsal act unknown"),
  ...each("on", FLAGS),
  ...each("off", FLAGS),
  ...each("statuses", "draft underway final published"),
  ...each("fields", "trifling weighty"),
  ...each("devices", "trifling hazard"),
  ...each("environments", "production rehearsal"),
  ...each("recipients", "self inside outside many unknown"),
  ...each("methods", "safe unsafe"),
  ...each("paths", "temporary workspace system secret backup wildcard traversal other"),
  ...each("shell", "read write"),
  ...["read", "write", "unsure"].map((kind) => meant("sql", kind, member("kind"))),
  ...["wholeRows", "aggregate", "bounded"].map((name) => ({
    ...meant("sql", "true", member(name)),
    id: `sql.${name}`,
  })),
  ...["internal", "outside", "metadata"].map((place) => meant("urls", place, member("place"))),
  item("everything", (c) => c.view.understood.everything.length),
  item("amounts", (c) => magnitude(largest("amounts")(c))),
  item("percents", largest("percents")),
  item("counts", (c) => magnitude(largest("counts")(c))),
];

const says = (pattern: RegExp) => (c: Context) => Number(pattern.test(c.view.description.words));
const shape: readonly Evidence[] = [
  item("named_read", (c) => Number(c.view.namedRead)),
  item("described_read", (c) => Number(c.view.describedRead)),
  item("open", (c) => Number(c.view.open)),
  item("description.words", (c) => Math.min(100, c.view.description.words.split(" ").length)),
  item("description.denies", says(/(?:^| )(?:not|never|no|nothing|without|only|merely|just)(?= |$)/u)),
  item(
    "description.final",
    says(
      /(?:^| )(?:irreversibl\w*|permanent\w*|cannot be (?:undone|reversed)|immediately|live|legally|binding|production)(?= |$)/u,
    ),
  ),
  item("choices.place", (c) => highest([-1, ...c.choices.map(({ place }) => place)])),
  item("choices.first", (c) => (c.choices.length === 0 ? -1 : lowest(c.choices.map(({ place }) => place)))),
  item("choices.default", (c) =>
    c.choices.length === 0 ? -1 : Number(c.choices.every(({ isDefault }) => isDefault)),
  ),
  item("choices.over", (c) => highest(c.choices.map((choice) => edge(choice, highest, -1)))),
  item("choices.under", (c) => lowest(c.choices.map((choice) => edge(choice, lowest, 1)))),
  item("switches.on", (c) => c.core.leaves.filter(({ value }) => value === true).length),
  item("switches.off", (c) => c.core.leaves.filter(({ value }) => value === false).length),
  item("defaults", (c) => c.core.leaves.filter(({ byDefault }) => byDefault).length),
  item("numbers.high", (c) => (c.numbers.length === 0 ? -1 : magnitude(highest(c.numbers.map(Math.abs))))),
  item("numbers.low", (c) => (c.numbers.length === 0 ? -1 : magnitude(Math.min(...c.numbers.map(Math.abs))))),
  item("numbers.negative", (c) => Number(c.numbers.some((value) => value < 0))),
  item("numbers.over_described", (c) => compared(c, (n, d) => Math.max(...n) > Math.max(...d))),
  item("numbers.in_described", (c) =>
    compared(c, (n, d) => Math.max(...n) <= Math.max(...d) && Math.min(...n) >= Math.min(...d)),
  ),
  item("numbers.in_schema", (c) => highest([-1, ...c.core.leaves.slice(0, 30).map(shareOf)])),
  item("omitted", (c) => c.core.omitted.length),
  item("lists", (c) => highest([0, ...c.core.lists])),
  item("arguments", (c) => c.core.leaves.length),
  item(
    "names_one",
    (c) => c.core.leaves.filter(({ key }) => /(?:^| )(?:id|ref|reference|number|no)$/u.test(key)).length,
  ),
];

/** How far the choice stands above (or below) the gravest (or mildest) of the values left. */
function edge({ words, others }: Choice, of: (all: readonly number[]) => number, neutral: number): number {
  return of([neutral, ...actGrades(words)]) - of([neutral, ...others.flatMap(actGrades)]);
}

const compared = (
  { numbers, described }: Context,
  holds: (n: readonly number[], d: readonly number[]) => boolean,
) => (described.length === 0 || numbers.length === 0 ? -1 : Number(holds(numbers, described)));

/** Where a number stands between the least and the most that the schema allows; -1 when it does not say. */
function shareOf({ value, property: { least, most } }: CoreLeaf): number {
  if (typeof value !== "number" || most === null || most <= least) return -1;
  return Math.min(2, Math.max(0, (value - least) / (most - least)));
}

const SIGNALS =
  "act.destructive safeguard.bypass access.changed code.execution data.protected data.extract money.moved money.requested entitlement.decision outward.sent outward.published outward.invitation outward.grave audience.many status.final flag.harsh field.weighty network.write path.risky amount.large percent.large device.hazard cluster.sensitive world.physical system.operated act.write act.request act.read tool.unclassified scope.bulk place.production magnitude.large person.profiling act.offensive";
const RELIEFS =
  "rehearsal read_choice read_content draft underway trifling_field rehearsal_environment temporary_path workspace_path recoverable anonymous own_account small_gesture small_percent to_self to_colleague trifling_setting single_subject small_extract routine_message switched_off trifling_choice trifling_target short_period small_sum";
const rules: readonly Evidence[] = [
  item("rules", (c) => c.ruled.score),
  ...SIGNALS.split(" ").map((id) => item(id, (c) => c.ruled.points.get(id) ?? 0)),
  ...RELIEFS.split(" ").map((id) =>
    item(`relief.${id}`, (c) => Number(c.ruled.reliefs.has(`argument.${id}`))),
  ),
];

/** Everything the trees may ask of a call, in the order of their feature numbers. */
export const EVIDENCE: readonly Evidence[] = [
  ...graded,
  ...acts,
  ...understood,
  ...shape,
  ...rules,
  item("words", (c) => c.odds),
];

/** The numbers that the trees read, one for each of {@link EVIDENCE}. */
export function evidenceOf(params: EvidenceParams): Float64Array {
  const context = contextOf(params);
  return Float64Array.from(EVIDENCE, (each) => each.of(context));
}
