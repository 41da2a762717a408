import { DATA_SETS, nouns, PERSONAL_DATA } from "../lexicon.ts";
import { actOf, floor, placeOf, type Signal } from "../signal.ts";

const PERSONAL_VALUE = /\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b|\b\d{3}-\d{2}-\d{4}\b|\b(?:\d[ -]?){13,16}\b/u;

/** Letters, messages, publication, third parties (GDPR Art. 44 ff.; EU AI Act Art. 26(11)): 72, 85 with personal data. Weights: proposed. */
export const outward: Signal = {
  id: "outward.sent",
  describe: "it tells or gives something to someone outside",
  tag: "GDPR Art. 44; EU AI Act Art. 26(11)",
  evaluate(view) {
    const act = actOf(view, "send");
    if (
      act === undefined ||
      (act.pointer === "/name" && DATA_EXPORT.test(view.name.words) && !DATA_SETS.test(view.name.words))
    )
      return [];
    const personal =
      placeOf([...view.subjects, ...view.leaves], PERSONAL_DATA) ??
      view.leaves.find((leaf) => PERSONAL_VALUE.test(leaf.text))?.pointer;
    return floor(personal === undefined ? 72 : 85, personal ?? act.pointer);
  },
};

const PUBLISHED = nouns(
  "post|tweet|story|product|listing|shareable link|shared link|link|press release|announcement|newsletter|advert|campaign|ipfs|nft",
);
const DATA_EXPORT = nouns("export (?:chart|plot|image|report)");

/** Creating a thing whose only use is that others see it. Weight: proposed. */
export const publication: Signal = {
  id: "outward.published",
  describe: "it publishes something",
  tag: "EU AI Act Art. 26(11)",
  evaluate(view) {
    return actOf(view, "create", "change")?.pointer === "/name" &&
      !view.namedRead &&
      PUBLISHED.test(view.name.words)
      ? floor(72, "/name")
      : [];
  },
};

/** A meeting with others in it sends invitations. Weight: proposed. */
export const invitation: Signal = {
  id: "outward.invitation",
  describe: "it invites other people",
  evaluate(view) {
    const guests = placeOf(
      view.keys,
      nouns("attendee|participant|invitee|guest|recipient|cc|bcc|to email|share with"),
    );
    return guests !== undefined && actOf(view, "create", "change", "send") !== undefined
      ? floor(72, guests)
      : [];
  },
};
