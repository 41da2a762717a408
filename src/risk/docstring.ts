/** Headings of the parts of a documentation comment that describe arguments, results and errors, not the act. */
const HEADING =
  /^[ \t]*(?:args|arguments|parameters|params|keyword args|inputs?|returns?|raises|throws|yields|output|examples?|errors?)[ \t]*:?[ \t]*$/iu;
const TAGGED = /^[ \t]*(?::(?:param|type|returns?|rtype|raises)\b|@(?:param|returns?|throws)\b|[-=]{3,}$)/iu;
/** Sections that are underlined hold unindented lines and end at an empty one. */
const UNDERLINE = /^[ \t]*[-=]{3,}[ \t]*$/u;
/** The same headings and names of arguments or errors before a colon, in a comment squeezed into one line. */
const LABEL =
  /(?:^|(?<=[\s.]))(?:args|arguments|parameters|params|returns|raises|yields|\w*error|\w+_\w+)[ \t]*(?:\([^()]{0,60}\))?:/giu;

/**
 * What a description says of the act: without the sections on arguments, results and errors, whose first words
 * (`Raises`, `order_id`, `Set to …`) look like verbs. A section ends at an empty line, or where the text is no longer
 * indented below its heading, so that what stands after it still counts.
 */
export function actText(description: string): string {
  const kept: string[] = [];
  let section: "none" | "indented" | "underlined" = "none";
  for (const line of description.split("\n")) {
    if (HEADING.test(line)) section = "indented";
    else if (section !== "none" && UNDERLINE.test(line)) section = "underlined";
    else if (line.trim() === "") section = "none";
    else if (section === "indented" && kept.length > 0 && /^\S/u.test(line) && !TAGGED.test(line))
      section = "none";
    if (section === "none" && !TAGGED.test(line)) kept.push(line);
  }
  return kept.join("\n").replace(LABEL, ". ");
}
