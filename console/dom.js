/**
 * Builds elements. Text only ever becomes a text node, so nothing an agent, a tool or a model wrote can become markup.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value === "boolean") element[name] = value;
    else element.setAttribute(name, String(value));
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/**
 * Characters that change what a reader sees without being seen: controls, bidi and zero-width marks, other invisible
 * ones, private use, unassigned, and every space but U+0020.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}\p{Variation_Selector}]|(?! )\p{Zs}/gu;

/** Text as text nodes, with each hidden character shown by its code point. */
export function visible(text, keep = /(?!)/u) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (keep.test(match[0])) continue;
    nodes.push(text.slice(from, match.index), hiddenMark(match[0]));
    from = match.index + match[0].length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

/** A name like {@link visible} shows it, with places where a narrow column may break it. */
export function nameOf(text) {
  return visible(text).flatMap((node) =>
    typeof node === "string" ? node.split(/(?<=[_./-])/u).flatMap((part) => [part, h("wbr")]) : [node],
  );
}

function hiddenMark(character) {
  const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return h(
    "mark",
    { class: "hidden-char", title: "A character that is not visible by itself" },
    `⟨U+${code}⟩`,
  );
}

export function countHidden(text) {
  return [...text.matchAll(HIDDEN)].length;
}

/** JSON text with line breaks and indents put between its tokens; every token stays as it is. */
export function indented(text) {
  let out = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^"{}[\],:]+/gsu) ?? [];
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    if (token === "{" || token === "[") {
      depth += 1;
      out += token + (next === "}" || next === "]" ? "" : line());
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const previous = tokens[index - 1];
      out += (previous === "{" || previous === "[" ? "" : line()) + token;
    } else if (token === ",") {
      out += token + line();
    } else {
      out += token === ":" ? ": " : token;
    }
  }
  return out;
}

/** `2 h 05 min`, `4 min 09 s`. */
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  if (s >= 172_800) return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  if (s >= 60) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${s} s`;
}

/** `2026-11-21 22:17:51 UTC+01:00`: the reader's own time, which no reader can take for another day. */
export function timeOf(iso) {
  const date = new Date(iso);
  const two = (n) => String(n).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  const ahead = -date.getTimezoneOffset();
  const zone = `${ahead < 0 ? "-" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`;
  return h(
    "time",
    { datetime: iso, title: iso },
    `${day} ${time}`,
    h("span", { class: "zone" }, ` UTC${zone}`),
  );
}
