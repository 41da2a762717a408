import { floor, placeOf, type Signal } from "../signal.ts";

const INJECTION =
  /(?:ignore|disregard|forget|override) (?:all |any |the |your |previous |prior |above |earlier ){1,3}(?:instruction|rule|polic|prompt|direction)|(?:^| )(?:system prompt|do not (?:tell|inform|mention)|without (?:telling|informing|asking)|risk score|score (?:is )?(?:0|zero|low)|low risk|pre approved|already approved|auto approve|no (?:human )?review|im start|im end|end of prompt|you are now|act as an? |hidden instruction|mark this as safe|classify this as|do not pause)/u;

/** Words aimed at whoever judges the call, in arguments or description (EU AI Act Art. 15(5)). Weight: proposed. */
export const injection: Signal = {
  id: "text.injection",
  describe: "it carries words that try to steer its assessment",
  tag: "EU AI Act Art. 15(5)",
  evaluate(view) {
    const place = placeOf([view.description, ...view.keys, ...view.leaves], INJECTION);
    const long = view.leaves.find((leaf) => leaf.words === "" && INJECTION.test(leaf.text.toLowerCase()));
    return place === undefined && long === undefined ? [] : floor(75, place ?? long?.pointer ?? "");
  },
};

/** Invisible, full-width or look-alike characters: 75 in a definition; a word of mixed scripts anywhere that could hide a verb: 90. Weights: proposed. */
export const disguise: Signal = {
  id: "text.disguised",
  describe: "it contains characters that look like others",
  tag: "EU AI Act Art. 15(5)",
  evaluate(view) {
    const mixed = view.mixed[0];
    if (mixed !== undefined) return floor(90, mixed);
    const disguised = view.disguised[0];
    return disguised === undefined ? [] : floor(75, disguised);
  },
};

/** Too long, too deep or too many to read: 100, because what was not read may be anything. */
export const overLimit: Signal = {
  id: "call.over_limit",
  describe: "it is too large to be read in full",
  tag: "EU AI Act Art. 15(5)",
  evaluate(view) {
    return view.overLimit === null ? [] : floor(100, view.overLimit);
  },
};

/**
 * A tool that says of itself that it may destroy is believed; only the opposite claim needs trust. 70, just a pause:
 * the hint is as broad as "not purely additive". Weight: proposed.
 */
export const destructiveHint: Signal = {
  id: "annotation.destructive",
  describe: "the tool says that it may destroy",
  evaluate(view) {
    return view.destructiveHint ? floor(70, "/annotations/destructiveHint") : [];
  },
};
