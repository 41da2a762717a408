import { type Document, isMap, parseDocument } from "yaml";
import { AtlasError } from "../domain/errors.ts";
import type { Answers } from "./questions.ts";
import { isOpenAi } from "./questions.ts";
import type { UpstreamEntry } from "./upstream-entry.ts";

const NEW_FILE = `# ATLAS Governance Gateway. Begun by \`atlas init\` and yours to change: \`npx atlas check\` says what is wrong with it,
# docs/reference/config.schema.json what else there is. Secrets are in .env beside this file, named here as \${NAME}.

# policy: # the first rule that matches decides; without a policy every call is scored
#   - { upstream: files, tool: "read_*", verdict: allow }
#   - { tool: "*", verdict: assess }

# mode: observe # let everything through and only record what would have been held
`;

/** One thing that the file should say. */
export interface Wish {
  readonly path: readonly string[];
  readonly value: unknown;
  /** Above the key, where it is new. */
  readonly comment?: string;
  /** Somebody said it now; else it is only for where the file says nothing. */
  readonly explicit: boolean;
}

export interface WrittenConfig {
  readonly text: string;
  /** What the file says otherwise and was left, each a sentence with what to write. */
  readonly left: readonly string[];
}

/**
 * The text of `atlas.yaml` with what it should say. Nothing that is there is changed or taken away, comments included.
 *
 * @param before null when there is no file
 * @throws AtlasError `config.invalid` when the file is no YAML mapping
 */
export function withWishes(before: string | null, wishes: readonly Wish[]): WrittenConfig {
  const document = read(before ?? NEW_FILE);
  const left: string[] = [];
  let changed = before === null;
  for (const wish of wishes) {
    const present = presentAt(document, wish.path);
    if (present === undefined) {
      add(document, wish);
      changed = true;
    } else if (wish.explicit && JSON.stringify(present) !== JSON.stringify(wish.value)) {
      left.push(
        `atlas.yaml says something else under \`${wish.path.join(".")}\` and was left as it is; to change it, write there: ${JSON.stringify(wish.value)}`,
      );
    }
  }
  const text = changed ? document.toString({ lineWidth: 0, flowCollectionPadding: true }) : (before ?? "");
  return { text, left };
}

/** What the file says of what is asked, so that a second time proposes it. */
export function configuredAnswers(before: string | null): Partial<Answers> {
  if (before === null) return {};
  const document = read(before);
  const at = (...path: readonly string[]) => {
    const value = presentAt(document, path);
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const answers = {
    judge: at("risk", "model", "kind"),
    model: at("risk", "model", "model"),
    modelUrl: at("risk", "model", "base_url"),
    port: at("listen", "port"),
  };
  // A reference (`${PORT}`) is no answer of anybody's.
  return Object.fromEntries(
    Object.entries(answers).filter(([, value]) => value !== undefined && !value.includes("${")),
  );
}

export function hasUpstreams(before: string | null): boolean {
  const upstreams = before === null ? undefined : presentAt(read(before), ["upstreams"]);
  return typeof upstreams === "object" && upstreams !== null && Object.keys(upstreams).length > 0;
}

/** What the answers ask of the file. */
export function wishesOf(answers: Partial<Answers>, said: (name: keyof Answers) => boolean): readonly Wish[] {
  const wishes: Wish[] = [];
  const { judge = "none", model = "", modelUrl = "", port = "8000", inngestEventKey = "" } = answers;
  if (judge !== "none") {
    wishes.push({
      path: ["risk", "model"],
      value: modelOf(judge, model, modelUrl),
      comment: " a model scores what the rules only estimate (docs/models.md)",
      explicit: said("judge") || said("model") || said("modelUrl"),
    });
  }
  if (inngestEventKey !== "") {
    wishes.push({
      path: ["engine"],
      value: "inngest",
      comment: " what drives waiting cases; its keys are in .env",
      explicit: said("inngestEventKey"),
    });
  }
  if (port !== "8000") {
    wishes.push({ path: ["listen", "port"], value: Number(port), explicit: said("port") });
  }
  return wishes;
}

function modelOf(judge: string, model: string, url: string): object {
  if (judge === "modal") return { kind: judge };
  if (judge === "openai" && !isOpenAi(url)) {
    return { kind: judge, model, base_url: url, api_key: "${OPENAI_API_KEY}" };
  }
  return judge === "openai" ? { kind: judge, model } : { kind: judge, model, base_url: url };
}

export function upstreamWish({ name, ...entry }: UpstreamEntry): Wish {
  return { path: ["upstreams", name], value: entry, explicit: true };
}

function read(text: string): Document {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error === undefined && (document.contents === null || isMap(document.contents))) return document;
  const where = error?.linePos?.[0];
  throw new AtlasError(
    "config.invalid",
    `atlas.yaml ${where === undefined ? "is no mapping of keys" : `cannot be read at line ${where.line}, column ${where.col}`}; mend it, or move it away and begin anew.`,
  );
}

function presentAt(document: Document, path: readonly string[]): unknown {
  const node: unknown = document.getIn(path);
  if (node === null) return undefined;
  const value: unknown = typeof node === "object" && "toJSON" in (node ?? {}) ? document.toJS() : node;
  return value === node ? node : path.reduce<unknown>(memberOf, value);
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function add(document: Document, { path, value, comment }: Wish): void {
  for (let length = 1; length < path.length; length += 1) {
    const parent = path.slice(0, length);
    if (presentAt(document, parent) === undefined) document.setIn(parent, document.createNode({}));
  }
  const key = document.createNode(path.at(-1));
  if (comment !== undefined) key.commentBefore = comment;
  const parent: unknown = document.getIn(path.slice(0, -1));
  const node = document.createNode(value);
  if (isMap(parent)) parent.add({ key, value: node });
  else document.setIn(path, node);
}
