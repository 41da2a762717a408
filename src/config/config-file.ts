import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type YAMLError } from "yaml";

/** A key path as zod gives it. */
export type KeyPath = readonly PropertyKey[];

/** One thing that is wrong with the file. Never holds a value of the file, because values may be secrets. */
export interface Problem {
  readonly path: KeyPath;
  /** What is wrong; what to do. */
  readonly message: string;
  /** Offset in the text when the place is no key of the parsed structure. */
  readonly offset?: number;
}

/** Gives the text that a string scalar stands for, or says what is wrong with it. */
export type ResolveString = (text: string) => { readonly text: string } | { readonly problem: string };

export interface ReadFile {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Key paths (dotted) of strings that held a reference. */
  readonly substituted: ReadonlySet<string>;
  /** `line:col` of a path, or of its nearest parent that the file has. */
  position(problem: Problem): string;
}

const MAX_DEPTH = 20;
const MAX_NODES = 20_000;

/** Our words for what the YAML parser finds; its own may quote the file. */
const YAML_PROBLEMS: Partial<Record<YAMLError["code"], string>> = {
  DUPLICATE_KEY: "this key is given twice; keep one of them",
  TAB_AS_INDENT: "a tab is used as indentation; use spaces",
  BAD_INDENT:
    "the indentation does not fit, or a bracket before it is not closed; align it with its neighbours",
  MISSING_CHAR: "a quote, bracket or comma is missing; close what was opened",
  MULTIPLE_DOCS: "the file holds several YAML documents; keep one and remove `---`",
  BAD_ALIAS: "an alias has no anchor before it; quote the text if it begins with `*`",
};

/** Parses YAML and resolves references in its string scalars, so that no resolved value is ever read as structure. */
export function readConfigText(text: string, resolve: ResolveString): ReadFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    version: "1.2",
  });
  const problems: Problem[] = [...document.errors, ...document.warnings].map((error) => ({
    path: [],
    offset: error.pos[0],
    message:
      YAML_PROBLEMS[error.code] ?? "this is not valid YAML; check quotes, colons and indentation around here",
  }));
  const offsets = new Map<string, number>();
  const substituted = new Set<string>();
  let nodes = 0;

  const scalarOf = (value: unknown, path: KeyPath): unknown => {
    if (typeof value !== "string" || !value.includes("$")) return value;
    const resolved = resolve(value);
    if ("problem" in resolved) {
      problems.push({ path, message: resolved.problem });
      return value;
    }
    if (resolved.text !== value) substituted.add(pathText(path));
    return resolved.text;
  };

  const valueOf = (node: unknown, path: KeyPath): unknown => {
    nodes += 1;
    if (path.length > MAX_DEPTH || nodes > MAX_NODES) {
      problems.push({
        path: path.slice(0, MAX_DEPTH),
        message: "the file is nested too deeply or repeats itself; simplify it",
      });
      return null;
    }
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      const entries = target.items.flatMap(({ key, value }): [string, unknown][] => {
        const name = isScalar(key) ? key.value : undefined;
        const offset = startOf(key);
        if (typeof name !== "string") {
          problems.push({
            path,
            message: "a key here is not a text; put it in quotes",
            ...(offset === undefined ? {} : { offset }),
          });
          return [];
        }
        const child = [...path, name];
        if (offset !== undefined) offsets.set(pathText(child), offset);
        return [[name, valueOf(value, child)]];
      });
      return Object.fromEntries(entries);
    }
    if (isSeq(target)) {
      return target.items.map((item, index) => {
        const child = [...path, index];
        const offset = startOf(item);
        if (offset !== undefined) offsets.set(pathText(child), offset);
        return valueOf(item, child);
      });
    }
    return isScalar(target) ? scalarOf(target.value, path) : null;
  };

  const value = document.errors.length === 0 ? valueOf(document.contents, []) : null;
  return {
    value,
    problems,
    substituted,
    position({ path, offset }) {
      let at = offset;
      for (let length = path.length; at === undefined && length > 0; length -= 1) {
        at = offsets.get(pathText(path.slice(0, length)));
      }
      const { line, col } = lines.linePos(at ?? 0);
      return `${Math.max(1, line)}:${Math.max(1, col)}`;
    },
  };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** `upstreams.welfare.args[0]`. */
export function pathText(path: KeyPath): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    "",
  );
}
