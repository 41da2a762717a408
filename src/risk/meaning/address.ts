import { isWithin, placeOfHost } from "./url.ts";

/** Who is meant by a recipient. `self`: the caller's own; `inside`: a domain known to be the operator's. */
export type AddressMeaning = "self" | "inside" | "outside" | "many" | "unknown";

const EMAIL = /^(?:[^<>\n]{0,100}<)?\s*([^\s@<>,;]{1,100})@([\p{L}\p{N}.-]{1,250})\s*>?$/u;
const SELF =
  /^(?:private|only me|just me|nobody|no one|me|self|myself|own|mine|current user|my (?:own )?(?:inbox|address|email|account|notes)|sender|to self)$/u;
const INSIDE =
  /^(?:internal|intern|inside|internal only|internal team|my team|own team|team|my supervisor|supervisor|my manager|colleague|internal note|staff only|employees only|test|test group|test user|qa|sandbox|(?:team|internal|project|dev|eng|ops|private|our) [a-z0-9 ]{1,30}|[a-z0-9]{1,20} (?:internal|team|private))$/u;
const MANY =
  /^(?:@?(?:all|everyone|everybody|channel|here)|\*|all .{1,40}|every .{1,40}|entire .{1,40}|whole .{1,40}|public|world|anyone.{0,20}|broadcast|subscribers|customers|clients|citizens|patients|users|company wide|external|press|media)$/u;
/** Mailboxes that stand for many people. */
const MANY_LOCAL =
  /^(?:all|everyone|everybody|staff|team|company|customers?|clients?|members?|subscribers|users|list|newsletter|press|media|citizens|patients)(?:[._-].*)?$|^.*[._-](?:all|everyone|list|staff|customers)$/u;

const OWN_TEAM = /^(?:team|staff)[._-]?\w*$/u;

/** Reads one recipient: an e-mail address or a word that stands for people. */
export function readAddress(text: string, words: string, insideDomains: readonly string[]): AddressMeaning {
  const email = EMAIL.exec(text.trim().toLowerCase());
  if (email !== null) {
    const domain = email[2] ?? "";
    const inside = isWithin(domain, insideDomains) || placeOfHost(domain) === "internal";
    if (MANY_LOCAL.test(email[1] ?? "") && !(inside && OWN_TEAM.test(email[1] ?? ""))) return "many";
    return inside ? "inside" : "outside";
  }
  if (SELF.test(words)) return "self";
  if (INSIDE.test(words)) return "inside";
  return MANY.test(words) || MANY.test(text.trim().toLowerCase()) ? "many" : "unknown";
}

/** Domain of an e-mail address, or null. */
export function domainOf(text: string): string | null {
  return EMAIL.exec(text.trim().toLowerCase())?.[2] ?? null;
}

/** Domains that anyone can have an address in: sharing one makes nobody a colleague. */
export const PUBLIC_MAIL: ReadonlySet<string> = new Set(
  "gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com icloud.com proton.me protonmail.com gmx.de gmx.net web.de aol.com mail.com mail.ru qq.com".split(
    " ",
  ),
);
