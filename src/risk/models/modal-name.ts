/** A deployed function of Modal, as its client looks it up. The workspace is not part of it: the token's workspace is asked. */
export interface ModalFunctionName {
  readonly app: string;
  /** `function`, or `Class.method`. */
  readonly function: string;
  /** Modal environment; null for the token's default. */
  readonly environment: string | null;
}

/** The function's name when the operator names only the app. */
const DEFAULT_FUNCTION = "generate";

const PART = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
const NAME = new RegExp(
  `^(?:(?<workspace>${PART})/)?(?<app>${PART})(?:/(?<fn>${PART}))?(?:@(?<environment>${PART}))?$`,
  "u",
);

/**
 * Reads `[workspace/]App[/function][@environment]`. Two parts are workspace and app, as in
 * `nislam-mics/ATLAS-NIST-Measure`; a function of an app is named with all three.
 *
 * @returns null when the text is no such name
 */
export function parseModalName(text: string): ModalFunctionName | null {
  const groups = NAME.exec(text)?.groups;
  if (groups?.["app"] === undefined) return null;
  return {
    app: groups["app"],
    function: groups["fn"] ?? DEFAULT_FUNCTION,
    environment: groups["environment"] ?? null,
  };
}
