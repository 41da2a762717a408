import type { CallView } from "../call-view.ts";
import { wordsOf } from "../text.ts";
import type { Core, CoreLeaf } from "./core.ts";

/** Buckets that hashed words share; a power of two. */
export const BUCKETS = 16_384;

const DESCRIPTION_WORDS = 40;
const SHORT = 40;

/**
 * Arguments whose value chooses what is done, to what, or where. The words of any other text (a name, a title) are not weighed.
 */
const CHOOSING_KEY =
  /(?:^| )(?:mode|action|act|op|operation|verb|method|command|cmd|do|step|stage|status|state|phase|env|environment|target|targets|scope|visibility|audience|channel|channels|type|kind|level|tier|strategy|delivery|disposition|outcome|decision|verdict|result|format|view|detail|granularity|effect|run|when|recipients?|to|group|groups|destination|output|sink|role|roles|permission|permissions|access|fields?|columns?|attributes?|properties|property|parameter|table|resource|resource type|entity|object|category|class|dataset|collection|section|template|topic|event|position|setting|scene|zone|node|database|db|host|branch|namespace|include|includes|select|priority|severity|region|cluster|queue|source|profile|plan|policy|variant|request|function|tag|tags|direction|disclosure|basis|reason code|service|account type|path|folder|dir|directory|file)$/u;

/** A short text among values that the schema allows, or in an argument that chooses. */
export function chooses({ key, value, property }: CoreLeaf): boolean {
  return (
    typeof value === "string" &&
    value.length <= SHORT &&
    (property.allowed !== null || CHOOSING_KEY.test(key))
  );
}

/** FNV-1a. */
function bucketOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return ((hash >>> 15) ^ hash) & (BUCKETS - 1);
}

/** Buckets of a call's words: name, description, keys, switches, sizes, chosen values, words of a query. */
export function bucketsOf(view: CallView, core: Core): readonly number[] {
  const buckets = new Set<number>();
  addGrams("n", view.nameWords.slice(0, 12), buckets);
  addGrams("d", view.description.words.split(" ").slice(0, DESCRIPTION_WORDS), buckets);
  for (const leaf of core.leaves.slice(0, 60)) addLeaf(leaf, buckets);
  for (const { meaning } of view.understood.sql.slice(0, 3))
    for (const word of meaning.words.split(" ").slice(0, 60)) buckets.add(bucketOf(`s:${word}`));
  for (const key of core.omitted.slice(0, 30))
    for (const word of key.split(" ")) buckets.add(bucketOf(`o:${word}`));
  return [...buckets];
}

function addLeaf(leaf: CoreLeaf, buckets: Set<number>): void {
  const { key, value } = leaf;
  const keyWords = key.split(" ").slice(0, 6);
  buckets.add(bucketOf(`k:${key}`));
  for (const word of keyWords) buckets.add(bucketOf(`w:${word}`));
  if (typeof value === "boolean") {
    buckets.add(bucketOf(`b:${key}=${value}`));
    for (const word of keyWords) buckets.add(bucketOf(`c:${word}=${value}`));
  } else if (typeof value === "number") {
    buckets.add(bucketOf(`m:${key}:${Math.round(Math.log10(1 + Math.abs(value)))}`));
  } else if (chooses(leaf)) {
    const words = wordsOf(value.slice(0, 200)).filter((word) => !/\d/u.test(word));
    for (const word of words) {
      buckets.add(bucketOf(`v:${word}`));
      buckets.add(bucketOf(`e:${key}=${word}`));
    }
  }
}

function addGrams(prefix: string, words: readonly string[], into: Set<number>): void {
  for (const [index, word] of words.entries()) {
    into.add(bucketOf(`${prefix}:${word}`));
    const next = words[index + 1];
    if (next !== undefined) into.add(bucketOf(`${prefix}:${word} ${next}`));
  }
}
