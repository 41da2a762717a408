import { phrases } from "../phrases.ts";

/** What becomes of a thing: not out yet, on its way, decided or ended, or seen by others. */
export type StatusMeaning = "draft" | "underway" | "final" | "published" | null;

/** Keys whose value is the state that the call sets. */
export const STATUS_KEY =
  /^(?:.* as|.* output|.* stage|.* visibility|.* access|.* audience|(?:.* )?(?:status|state|reply type|publication)|output|(?:new|target|desired|case|order|ticket|claim|application|document|lead|deal|publication|review) )?(?:status|state|stage|phase|outcome|decision|resolution|verdict|visibility|save as|publish state|result|disposition|lifecycle|availability|determination|access|access level|audience|privacy|scope|sharing|mode|action|kind|level|step)$/u;

const DRAFT =
  /^(?:(?:in |as |save |saved |keep )?drafts?(?: only)?|save draft|private|personal|only me|me only|internal|internal only|internal note|unpublished|not published|hidden|test|proposal|proposed|propose|suggest|template|rehearsal|sandbox|review|in review|for review|ready for review|needs review|internal review|peer review|prepare|prepared|none|unlisted draft)$/u;
const UNDERWAY =
  /^(?:in progress|in process|pending|pending .*|awaiting .*|waiting.*|open|opened|reopened|new|received|acknowledged|acked|triaged?|queued|on hold|hold|under review|needs info.*|information requested|documents? requested|request documents?|request information|flag for later|flag.* for review|flagged|needs attention|todo|doing|backlog|assigned|scheduled|planned|contacted|qualified|unqualified|prospect|interested|phone screen|screening|interview|interviewing|shortlist(?:ed)?|cleaning|occupied|available|busy|away|online|do not disturb|ready|packed|processing|investigating|snoozed?|unread|seen|starred|.* (?:received|requested|uploaded|collected)|low|normal|medium|minor)$/u;
const FINAL = phrases(
  "approved?|approves|denied|deny|reject|rejected|decline|declined|granted?|revoked?|terminated?|terminate|termination|suspended?|suspend|sanction|sanctioned|dismissed?|fired?|hired?|closed?|closed won|cancelled|canceled|cancel|discharged?|discharge|deceased|paid|settled|refunded|written off|write off|verified|waived?|waive|forgiven|expired?|deleted?|archived|blocked|banned|disabled|deactivated|decommissioned|retired|evicted|foreclosed|reclaimed?|overpaid|ineligible|eligible|not eligible|disqualified|withdrawn|ended|end|final|finali[sz]ed|executed|shipped|unlocked|disarmed|demoted|promoted|resolved fraud|cleared|confirmed fraud|fraud|blacklisted|accepted|signed|active|activated|off|stopped|shutdown",
);
const PUBLISHED =
  /^(?:public|published?|publish|live|sent|send|released?|external|open to all|everyone|world|anyone.*|all users|public read|public read write|company wide|go live|broadcast|posted|shared|listed|visible|internet.*)$/u;

/** Reads a state from short words. */
export function readStatus(words: string): StatusMeaning {
  if (PUBLISHED.test(words)) return "published";
  if (DRAFT.test(words)) return "draft";
  if (UNDERWAY.test(words)) return "underway";
  return FINAL.test(words) ? "final" : null;
}

/** Keys of words meant for people; they say nothing of what is done. */
const FREE_TEXT_KEY =
  /(?:^| )(?:notes?|text|title|subject|name|message|body|comment|reason|description|label|tags?|content|summary|remark|memo|query|search|q|keyword|folder|value|template|caption)$/u;
const PLAINLY_DRAFT =
  /^(?:drafts?|as draft|draft only|tentative|provisional|proposed|proposal|simulation|simulated|simulate|dry run|dryrun|preview|preview only|what if|report only|check only|validate only|plan only|estimate only|paper|paper trading|internal comment|internal note|internal only|only me|rehearsal|sandbox|mock|no op)$/u;

/** Whether a value says by itself, under any key that is not for prose, that nothing leaves or happens yet. */
export function isPlainlyDraft(key: string, words: string): boolean {
  return PLAINLY_DRAFT.test(words) && !FREE_TEXT_KEY.test(key);
}
