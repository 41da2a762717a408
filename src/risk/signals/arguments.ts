import type { CallView, Leaf } from "../call-view.ts";
import { nouns, PERSONS, SAFETY_NOUNS } from "../lexicon.ts";
import { MANY } from "../meaning/breadth.ts";
import { GRAVE_MESSAGE, MESSAGE_KIND } from "../reliefs/disclosures.ts";
import { actOf, type Finding, floor, modifier, type Signal } from "../signal.ts";
import { isField, type Understood } from "../understanding.ts";

/** All weights here are proposed, not derived from law or data. */

const where = <T>(all: readonly Understood<T>[], want: (meaning: T, leaf: Leaf) => boolean) =>
  all.find(({ leaf, meaning }) => want(meaning, leaf))?.leaf.pointer;

const floorAt = (points: number, pointer: string | undefined): readonly Finding[] =>
  pointer === undefined ? [] : floor(points, pointer);

/** In a read by name or by choice, the same words only filter. */
const readOnly = (view: CallView) =>
  (view.describedRead && view.acts.length === 0) ||
  (view.namedRead && !view.acts.some((act) => act.pointer === "/name")) ||
  (view.open &&
    view.understood.choices.length > 0 &&
    view.understood.choices.every(({ leaf, meaning }) => leaf.typed && meaning === "read"));

/** A state that decides about someone or ends something: 80; one that others see: 76. */
export const finalStatus: Signal = {
  id: "status.final",
  describe: "it sets a final or public state",
  tag: "EU AI Act Art. 14",
  evaluate(view) {
    if (readOnly(view)) return [];
    const { statuses } = view.understood;
    return [
      ...floorAt(
        80,
        where(statuses, (meaning) => meaning === "final"),
      ),
      ...floorAt(
        76,
        where(statuses, (meaning) => meaning === "published"),
      ),
    ];
  },
};

/** A switch that removes for good: 82; that goes around a safeguard: 85; a safeguard switched off: 82. */
export const switches: Signal = {
  id: "flag.harsh",
  describe: "a switch in its arguments removes something for good or goes around a safeguard",
  tag: "EU AI Act Art. 14, 15",
  evaluate(view) {
    const { on, off } = view.understood;
    const unguarded = off.find(
      ({ leaf, meaning }) =>
        meaning === "safety" &&
        (/^enabled?$/u.test(leaf.key)
          ? SAFETY_NOUNS.test(view.name.words)
          : !/^(?:notify.*|backups?)$/u.test(leaf.key)),
    );
    return [
      ...floorAt(
        82,
        where(on, (meaning) => meaning === "harsh"),
      ),
      ...(readOnly(view)
        ? []
        : floorAt(
            85,
            where(on, (meaning) => meaning === "bypass"),
          )),
      ...(readOnly(view) ? [] : floorAt(82, unguarded?.leaf.pointer)),
      ...(readOnly(view) ? [] : quiet(view)),
    ];
  },
};

/** Whoever is affected is not told, or nothing is kept. */
function quiet(view: CallView): readonly Finding[] {
  const pointer = where(view.understood.off, (_, leaf) =>
    /^(?:notify.*|backups?|create backup)$/u.test(leaf.key),
  );
  return pointer === undefined ? [] : modifier(10, pointer);
}

/** Money, identity, rights or health data of a record changed: 80. */
export const weightyField: Signal = {
  id: "field.weighty",
  describe: "it changes a field that money, rights or health hang on",
  tag: "EU AI Act Annex III 5(a)",
  evaluate(view) {
    if (readOnly(view)) return [];
    const changes = actOf(view, "change")?.pointer === "/name";
    return floorAt(
      80,
      where(
        view.understood.fields,
        (meaning, leaf) => meaning === "weighty" && !smallShare(view, leaf) && (changes || isField(leaf)),
      ),
    );
  },
};

/** A few per cent of something are judged as that, not as the field they stand in. */
const smallShare = (view: CallView, leaf: Leaf) =>
  view.understood.percents.some(
    (percent) => percent.leaf === leaf && leaf.typed && Math.abs(percent.meaning) <= 10,
  );

/** Many people told at once: 84; people outside in copy or by a public link: 78. */
export const audience: Signal = {
  id: "audience.many",
  describe: "it reaches many people or someone outside",
  tag: "GDPR Art. 44; EU AI Act Art. 26(11)",
  evaluate(view) {
    if (readOnly(view)) return [];
    const { recipients } = view.understood;
    const outside = recipients.filter(({ meaning }) => meaning === "outside");
    const hidden = outside.find(({ leaf }) => leaf.key === "bcc" || /forward|redirect/u.test(leaf.key));
    const attached =
      outside.length > 0 ? view.keys.find((key) => /(?:^| )attach/u.test(key.words))?.pointer : undefined;
    return [
      ...floorAt(
        84,
        where(recipients, (meaning) => meaning === "many"),
      ),
      ...floorAt(84, hidden?.leaf.pointer ?? attached),
      ...(recipients.length >= 3 && actOf(view, "send") !== undefined
        ? modifier(8, recipients[0]?.leaf.pointer ?? "")
        : []),
    ];
  },
};

/** A letter that tells someone of a decision, a debt or a diagnosis: 84. */
export const graveMessage: Signal = {
  id: "outward.grave",
  describe: "the message carries a decision, a debt or a diagnosis",
  tag: "GDPR Art. 22; EU AI Act Art. 86",
  evaluate(view) {
    if (readOnly(view) || (actOf(view, "send", "create") === undefined && !view.open)) return [];
    const letter = view.leaves.find(
      (leaf) => MESSAGE_KIND.test(leaf.key) && leaf.text.length <= 60 && GRAVE_MESSAGE.test(leaf.words),
    );
    return actOf(view, "send") === undefined ? [] : floorAt(84, letter?.pointer);
  },
};

/** A request that changes something at its target: 76; to cloud credentials: 92; data sent to an address outside: 80. */
export const network: Signal = {
  id: "network.write",
  describe: "it sends data or a changing request over the network",
  tag: "EU AI Act Art. 15(5)",
  evaluate(view) {
    const { urls, methods } = view.understood;
    const unsafe = where(methods, (meaning) => meaning === "unsafe");
    const outside = where(
      urls,
      (meaning, leaf) =>
        meaning.place === "outside" && !/^(?:url|uri|link|href|website|image.*|source.*)$/u.test(leaf.key),
    );
    return [
      ...floorAt(76, unsafe),
      ...floorAt(
        92,
        where(urls, (meaning) => meaning.place === "metadata"),
      ),
      ...floorAt(
        85,
        where(urls, (meaning) => meaning.place === "local-file" || meaning.carriesData),
      ),
      ...floorAt(80, readOnly(view) && actOf(view, "send") === undefined ? undefined : outside),
      ...floorAt(
        78,
        readOnly(view)
          ? undefined
          : where(
              urls,
              (meaning, leaf) =>
                meaning.place === "outside" &&
                actOf(view, "create") !== undefined &&
                leaf.key !== "source url",
            ),
      ),
    ];
  },
};

/** Outside its folder: 80 even to read; a write to the system: 88; to every file or a backup: 85. */
export const paths: Signal = {
  id: "path.risky",
  describe: "the path leaves its folder or names system files, backups or everything",
  tag: "NIST AI RMF MANAGE 2.4",
  evaluate(view) {
    const found = view.understood.paths;
    const destroys = actOf(view, "destroy") !== undefined;
    return [
      ...floorAt(
        80,
        where(found, (meaning) => meaning === "traversal"),
      ),
      ...(readOnly(view)
        ? []
        : floorAt(
            88,
            where(found, (meaning) => meaning === "system"),
          )),
      ...(destroys && !readOnly(view)
        ? floorAt(
            85,
            where(found, (meaning) => meaning === "backup" || meaning === "wildcard"),
          )
        : []),
    ];
  },
};

/** From this amount on money is a hard floor whatever the tool is called, in whatever currency. */
export const MONEY_FLOOR = 1_000;

/** Money above {@link MONEY_FLOOR} in anything but a read: 82. */
export const largeAmount: Signal = {
  id: "amount.large",
  describe: "the amount of money is large",
  tag: "EU AI Act Annex III 5(a)",
  evaluate(view) {
    return readOnly(view)
      ? []
      : floorAt(
          82,
          where(view.understood.amounts, (amount, leaf) => amount >= MONEY_FLOOR && !CEILING.test(leaf.key)),
        );
  },
};
/** `value` and `limit` alone name anything. */
const CEILING = /^(?:value|limit|total|sum|max limit)$/u;

/** Discounts from 30 % and rollouts from 50 %: 80. */
export const largePercent: Signal = {
  id: "percent.large",
  describe: "the percentage is large",
  evaluate(view) {
    if (readOnly(view)) return [];
    const { percents } = view.understood;
    const discount = /(?:^| )(?:discounts?|price|coupon|markdown|sale)(?= |$)/u;
    return [
      ...floorAt(
        80,
        where(
          percents,
          (percent, leaf) => percent >= 30 && (discount.test(leaf.key) || discount.test(view.name.words)),
        ),
      ),
      ...floorAt(
        80,
        where(
          percents,
          (percent, leaf) => percent >= 50 && /rollout|traffic/u.test(`${leaf.key} ${view.name.words}`),
        ),
      ),
    ];
  },
};

/** A setting or command that can hurt people or open a building: 82. */
export const hazardousSetting: Signal = {
  id: "device.hazard",
  describe: "the setting can hurt someone or open something",
  evaluate(view) {
    return readOnly(view)
      ? []
      : floorAt(
          82,
          where(view.understood.devices, (meaning) => meaning === "hazard"),
        );
  },
};

/** Cluster objects that hold secrets: 78 even to read; that grant access or that others share: 86 to change. */
export const clusterObject: Signal = {
  id: "cluster.sensitive",
  describe: "it touches secrets, access or shared objects of a cluster",
  evaluate(view) {
    const { kinds } = view.understood;
    return [
      ...floorAt(
        78,
        where(kinds, (meaning) => meaning === "secret"),
      ),
      ...(readOnly(view)
        ? []
        : floorAt(
            86,
            where(kinds, (meaning) => meaning === "access" || meaning === "shared"),
          )),
    ];
  },
};

const PERSONAL = nouns(
  "name|full name|first name|last name|email|e mail|phone|home phone|mobile|address|birthdate|date of birth|birth date|dob|birthday|ssn|bsn|national id|nationality|iban|card number|salary|gender|religion|ethnicity|age|password|diagnosis|income",
);

/** Columns that name persons, taken in bulk or by query: 78; whole rows about persons: 80. */
export const personalExtract: Signal = {
  id: "data.extract",
  describe: "it takes out data on many persons",
  tag: "GDPR Art. 5(1)(c)",
  evaluate(view) {
    const { sql, counts } = view.understood;
    const people = [
      view.name.words,
      ...view.leaves
        .filter(
          (leaf) =>
            leaf.text.length <= 60 &&
            /^(?:object|table|list|dataset|entity|collection|type|resource|data|report|segment)$/u.test(
              leaf.key,
            ),
        )
        .map((leaf) => leaf.words),
    ].some((words) => PERSONS.test(words));
    const columns = view.leaves.filter(
      (leaf) =>
        /^(?:columns?|fields?|include|includes|select|attributes)$/u.test(leaf.key) &&
        PERSONAL.test(leaf.words),
    );
    const bulk = where(counts, (count, leaf) => count >= MANY && !/uses|quantity|qty|copies/u.test(leaf.key));
    const exported =
      actOf(view, "send")?.pointer === "/name" ||
      /(?:^| )(?:export|download|dump|extract)(?= |$)/u.test(view.name.words);
    const identified = where(view.understood.off, (meaning) => meaning === "anonymous");
    return [
      ...floorAt(
        78,
        where(
          sql,
          (meaning) => !meaning.aggregate && PERSONAL.test(meaning.words) && PERSONS.test(meaning.words),
        ),
      ),
      ...floorAt(
        80,
        where(sql, (meaning) => meaning.wholeRows && PERSONS.test(meaning.words)),
      ),
      ...(exported || columns.length > 1 ? floorAt(78, columns[0]?.pointer) : []),
      ...(people || columns.length > 0 ? floorAt(76, bulk) : []),
      ...(exported || people ? floorAt(80, identified) : []),
    ];
  },
};

/** Runs a day from which a schedule hammers: +10. */
const FREQUENT = 200;

/** Often repeated, or effective before the day it is decided: +10 each (Charter Art. 41; EU AI Act Art. 86). */
export const repetition: Signal = {
  id: "time.repeated",
  describe: "it repeats often",
  evaluate(view) {
    const pointer = where(view.understood.crons, (runs) => runs >= FREQUENT);
    return pointer === undefined ? [] : modifier(10, pointer);
  },
};
