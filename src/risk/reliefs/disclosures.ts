import type { CallView, Leaf } from "../call-view.ts";
import { nouns, PROTECTED } from "../lexicon.ts";
import { MANY } from "../meaning/breadth.ts";
import { every, ids, noneHarsh, outsideOrMany, type Relief, typed } from "./relief.ts";

/** No person can be told from the data, and it does not leave. */
export const anonymous: Relief = {
  id: "argument.anonymous",
  describe: "it gives figures, not persons",
  points: 45,
  answers: ids("outward.sent data.protected money.moved act.write tool.unclassified"),
  wholly: true,
  find(view) {
    const leaves =
      view.understood.urls.some(({ meaning }) => meaning.place === "outside") ||
      view.understood.recipients.some(({ meaning }) => meaning === "outside" || meaning === "many");
    return leaves ? undefined : typed(view.understood.on, (meaning) => meaning === "anonymous");
  },
};

export const toSelf: Relief = {
  id: "argument.to_self",
  describe: "only the caller receives it",
  points: 38,
  answers: ids("outward.sent outward.invitation outward.published act.write tool.unclassified"),
  wholly: true,
  find: (view) =>
    every(view.understood.recipients, (meaning, leaf) => meaning === "self" && leaf.typed) ??
    (view.understood.recipients.length === 0 ? emptyList(view) : undefined),
};

/** A declared list of guests without any. */
const emptyList = (view: CallView): Leaf | undefined => {
  const guests = view.lists.find((list) => list.length === 0 && RECIPIENT_LIST.test(list.pointer));
  return guests === undefined ? undefined : view.leaves.find((leaf) => leaf.declared);
};

const RECIPIENT_LIST = /^\/arguments\/(?:attendees|participants|guests|invitees|recipients)$/u;

export const toColleague: Relief = {
  id: "argument.to_colleague",
  describe: "it goes to colleagues only",
  points: 55,
  answers: ids("outward.sent outward.invitation outward.published act.write tool.unclassified"),
  wholly: true,
  find(view) {
    const { recipients, urls } = view.understood;
    if (recipients.length > 5 || urls.some(({ meaning }) => meaning.place === "outside")) return undefined;
    if (view.keys.some((key) => /attach/u.test(key.words))) return undefined;
    return every(recipients, (meaning, leaf) => (meaning === "inside" || meaning === "self") && leaf.typed);
  },
};

/** Few rows, asked for by number: an export of a handful is no dump. */
const fewRows = (view: CallView) =>
  typed(view.understood.counts, (count) => count > 0 && count <= 100) !== undefined &&
  !view.understood.counts.some(({ meaning }) => meaning >= MANY);

export const smallExtract: Relief = {
  id: "argument.small_extract",
  describe: "it takes few rows and keeps them inside",
  points: 58,
  answers: ids("outward.sent"),
  find(view) {
    if (!fewRows(view) || view.subjects.some((subject) => PROTECTED.test(subject.words))) return undefined;
    if (
      view.understood.urls.length > 0 ||
      view.understood.recipients.some(({ meaning }) => meaning === "outside" || meaning === "many")
    )
      return undefined;
    return /(?:^| )(?:export|extract|download|dump)(?= |$)/u.test(view.name.words)
      ? view.understood.counts[0]?.leaf
      : undefined;
  },
};

/** Letters that tell nobody anything new about themselves. */
const ROUTINE =
  /(?:^| )(?:reminder|appointment|confirmation|receipt|opening hours|acknowledge?ment|welcome|thank you|out of office|newsletter preview|directions|invitation to book|feedback|survey)(?= |$)/u;

export const MESSAGE_KIND =
  /^(?:template|template id|template name|kind|type|message type|letter type|notification type|category|letter|purpose|reason code)$/u;

export const GRAVE_MESSAGE = nouns(
  "decision|denial|rejection|refusal|termination|terminated|suspension|sanction|diagnosis|diagnoses|result|test result|lab result|dismissal|warning|final notice|eviction|reclaim|overpayment|debt|collection|foreclosure|legal notice|layoff|revocation|breach|fraud|positive",
);

export const routine: Relief = {
  id: "argument.routine_message",
  describe: "the message is a routine one",
  points: 55,
  answers: ids("outward.sent act.write tool.unclassified data.protected"),
  find(view) {
    if (!noneHarsh(view) || outsideOrMany(view) || view.understood.everything.length > 0) return undefined;
    return view.leaves.find(
      (leaf) =>
        leaf.typed &&
        MESSAGE_KIND.test(leaf.key) &&
        ROUTINE.test(leaf.words) &&
        !GRAVE_MESSAGE.test(leaf.words),
    );
  },
};
