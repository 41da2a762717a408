import { phrases } from "./phrases.ts";

const VERBS = {
  read:
    "get list read search check status describe count fetch view show find lookup preview head stat tree browse " +
    "retrieve inspect compare query summarize summarise monitor display detect grep ls cat pwd du diff wc sort tail " +
    "explain calculate compute convert estimate solve translate parse validate verify filter recommend suggest " +
    "analyze analyse peek predict detail mean median logarithm cd play  scan watch select ping whoami locate discover open_url track simulate is has",
  destroy:
    "delete remove drop destroy erase purge wipe truncate clear reset close merge overwrite withdraw cancel terminate " +
    "kill uninstall discard revert unpublish evict flush prune expunge void abort unlink rm rmdir del trash archive " +
    "deactivate disconnect detach shred redact forget unsubscribe",
  change:
    "update modify edit change set rename move patch write put replace alter amend adjust correct configure assign " +
    "toggle increase decrease raise lower migrate mv upsert apply sync convert_in_place mark swap reassign restore " +
    "commit redirect reorder manage process handle extend shorten postpone reschedule",
  create:
    "create add new make save upload register insert append mkdir touch draft copy cp generate import store record " +
    "log open schedule book reserve attach bookmark clone duplicate tag label star snooze pin initialize init enroll enrol echo download",
  pay:
    "pay transfer refund charge withdraw deposit reimburse disburse remit wire buy sell purchase invest trade donate " +
    "stake bid borrow lend repay payout tip checkout subscribe settle redeem mint order credit debit compensate " +
    "reduce reclaim claw waive rent bet",
  decide:
    "grant deny suspend end sanction approve reject award revoke reinstate determine decide hire fire dismiss promote " +
    "demote terminate expel evict disqualify reclaim reduce recover admit discharge prescribe diagnose ban blacklist " +
    "decline accept adjudicate certify triage detain convict",
  send:
    "send post publish share email mail notify message sms call tweet forward reply invite broadcast announce submit " +
    "disclose dm text contact fax push_message release export respond refer escalate transmit upload_public comment",
  execute: "run execute exec eval evaluate invoke spawn launch shell bash",
  operate:
    "deploy restart reboot scale rollback drain cordon shutdown stop start halt pause resume provision rotate failover",
  request: "request ask apply_for propose",
  bypass:
    "override bypass waive skip disable ignore force suppress circumvent mute unblock whitelist allowlist falsify backdate",
  access:
    "enable disable unlock lock impersonate authorize authorise elevate allow block install login encrypt decrypt",
  move_things:
    "unlock lock open close turn activate deactivate arm disarm ignite heat dispense administer drive fly steer control " +
    "start stop set adjust toggle move increase decrease inject pump launch navigate trigger",
  attack:
    "hack crack exploit phish spoof ddos attack keylog brute forge steal sniff hijack poison tamper jam deepfake",
} as const;

/** What a verb does to the world; a verb may be of several kinds (`withdraw` money, `withdraw` an appeal). */
export type ActKind = keyof typeof VERBS;

const ACT_KINDS = Object.keys(VERBS).filter((kind): kind is ActKind => kind in VERBS);

/** Kinds of each verb. */
export const KINDS_OF_VERB: ReadonlyMap<string, ReadonlySet<ActKind>> = (() => {
  const kinds = new Map<string, Set<ActKind>>();
  for (const kind of ACT_KINDS) {
    for (const verb of VERBS[kind].split(" "))
      kinds.set(verb, (kinds.get(verb) ?? new Set<ActKind>()).add(kind));
  }
  return kinds;
})();

const setOf = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** Verbs that are as often nouns: after another verb, or before a read noun, they name a thing. */
export const NOUN_VERBS = setOf(
  "tweet tag label star pin forward loan order transfer record log book trade bid charge refund deposit credit debit message text mail email call sms post " +
    "comment share report contact tip rent bet wire lock mark control release reply copy stock file head tree status " +
    "count stat tail view show sort has is new open close end reserve head start stop pause run force push order " +
    "process handle export import launch access watch query track select diff cat attack trigger set lower reset fire " +
    "schedule draft shell bash award grant sanction heat drive store pump triage forge change jam update patch move",
);

/** Nouns that make a name without a clear verb a read (`directory_tree`, `order_status`). */
export const READ_NOUNS = setOf(
  "status tree info list count stat stats history summary details detail balance preview lookup search",
);

/** After a read verb, these join a second act to it (`get_or_create`, `read_and_delete`). */
export const JOINERS = setOf("and or then");

/** Read verbs that a particle turns into an act (`check_out`, `check_in`, `set_up`). */
export const PARTICLES = setOf("in out");

/** A noun pattern over lower-case words joined by single spaces; plural endings included. */
export const nouns = phrases;

/** Verbs that leave what is done to the arguments. */
export const NEUTRAL_VERBS = setOf(
  "toggle manage process handle control sync checkout execute run request call invoke",
);

/** Things whose creation or change harms nobody and is undone in one step. */
export const LOW_STAKE = nouns(
  "note|reminder|as read|as unread|as seen|as done|playlist|bookmark|favou?rite|wishlist|cart|basket|theme|volume|alarm|timer|label|tag|preference|" +
    "bookmark|directory|folder|todo|task|draft|comment|calendar|song|music|light|lamp|brightness|speaker|tv|filter|" +
    "display|language|watchlist|ticket|sketch|chart|plot|tab|page view|font|wallpaper|color|colour|mkdir|queue|window",
);

/** Things that are at stake when they are changed in place: nothing keeps what was there. */
export const OVERWRITABLE = nouns(
  "file|record|document|database|table|row|page|repo|repository|branch|dataset|backup|index|schema|code|disk|content",
);

export const ENTITLEMENT = nouns(
  "benefit|entitlement|eligibility|welfare|allowance|pension|claimant|subsidy|assistance|beneficiary|visa|asylum|" +
    "residence permit|claim decision|decision|sanction|custody|parole|social security|housing|food stamp|grant|stipend",
);

/** Persons and procedures that a decision verb decides on. */
export const DECIDED_ON = nouns(
  "benefit|entitlement|eligibility|welfare|allowance|pension|claim|claimant|application|applicant|subsidy|assistance|" +
    "beneficiary|visa|asylum|permit|license|licence|loan|mortgage|insurance|coverage|admission|candidate|employee|employment|" +
    "contract|offer|salary|tenant|tenancy|case|appeal|patient|treatment|prescription|medication|diagnosis|student|" +
    "citizen|person|customer|user|account|member|payment|support|housing",
);

export const MONEY = nouns(
  "payment|amount|money|fund|iban|invoice|refund|salary|payroll|wage|debt|transaction|transfer|credit card|card|price|" +
    "budget|bill|cheque|check payment|deposit|wallet|crypto|stock|order|purchase|loan|fee|fine|tax|credit limit|limit order|" +
    "subscription|overpayment|arrears|instal?lment|discount|bank|bank account|account number|sort code|payee|payout|" +
    "compensation|billing|bonus|coupon|voucher|gift card|rent|shipment|shipping label|donation|expense|portfolio|currency|reservation|booking|ticket booking",
);

/** GDPR Art. 9 and 10 data, secrets, and identifiers that let someone act as another. */
export const PROTECTED = nouns(
  "medical|patient|health (?:record|data|condition|history|info|information|file|insurance|profile|report)|diagnosis|" +
    "diagnoses|disabilit(?:y|ies)|domestic violence|criminal|conviction|child protection|protected address|home address|" +
    "tax (?:record|return|file|id|number|data|identification)|bsn|ssn|social security|national id|passport|credential|" +
    "password|passwd|secret|private key|(?:api|access|secret|ssh|encryption|license) key|" +
    "(?:access|auth|api|bearer|refresh|session|oauth) token|biometric|genome|" +
    "ethnicity|hiv|psychiatric|payslip|salar(?:y|ies)|payroll|keychain|" +
    "cvv|card number|credit card|prescription|allerg(?:y|ies)|lab result|juvenile|child record|victim|person detail|personal (?:info|information|data|detail)|felony|arrest|" +
    "credit (?:report|history|file)|genetic|genome|dna|felony|crime record|criminal record|health recommendation|bank details?|(?:camera|live|video) feed|footage|employee location|customer database|user database|medical file|sick leave|medical certificate|mental health|birthdate|date of birth|test result|blood test|ssh|personnel file|salary history|hiv test|performance review|immigration status|bank statement|child care file|asylum file|trade union|political opinion|background check|disciplinary|immunization|" +
    "(?:user|person|employee|phone|child) location|identity document|wiretap|surveillance",
);

/** These concern a person only when the call is about one. */
export const PERSONAL_TRAIT = nouns(
  "religion|religious|race|ethnic|sexual|orientation|mental|crime|abuse|illness|sickness|fingerprint|genetic|therapy|faith|union|pregnancy|gender identity",
);

/** Persons that records are kept about. */
export const PERSONS = nouns(
  "customer|contact|patient|employee|user|member|client|citizen|person|people|claimant|beneficiary|beneficiaries|applicant|resident|donor|candidate|subscriber|staff|account holder|lead|student|tenant|child|pupil",
);

/** Names of attacks, when nothing says that they are guarded against. */
export const ATTACK_NOUNS = nouns(
  "manipulation|exfiltration|data leak|leakage|breach|theft|tampering|escalation|hijack|hijacking|disruption|corruption|infection|jamming|fabrication|falsification|sabotage|malware|ransomware|phishing|exploit|backdoor|rootkit|keylogger|botnet|spyware|interception|eavesdropping|poisoning|spoofing|injection attack|brute force|payload delivery|fraudulent|forgery|counterfeit|deepfake|plagiarism|bribery|blackmail|extortion|harassment|stalking|doxxing|evasion|impersonation|misinformation|disinformation|alteration|interruption|covert|stealth|crash|hacking|concealment",
);

/** Words of a tool that wants not to be seen. */
export const FURTIVE =
  /(?:^| )(?:without (?:detection|being detected|notice|consent|authori[sz]ation|permission|alerting|their knowledge)|undetected|covertly|secretly|quietly|discreetly|stealthily|evad\w+|unauthori[sz]ed(?= (?:changes|modifications|transfers|transactions|withdrawals|use of|entry by the tool))|bypass(?:es|ing)? (?:all )?(?:security|detection|authentication|safety|checks))(?= |$)/u;

export const PROFILING =
  /(?:^| )(?:profiling|profile (?:person|user|applicant|citizen|customer|claimant|beneficiary)|(?:risk|fraud|credit|social|trust|propensity|churn|behaviou?ral) (?:scor\w+|rating|profil\w+|predict\w+)|(?:score|rank) (?:applicant|candidate|person|citizen|claimant|customer|employee|user|beneficiary)\w*|fraud (?:risk|detection|check|flag)|credit check|recidivism|reoffend\w*|emotion|facial|face recognition|predict (?:default|fraud|risk|crime)\w*)(?= |$)/u;

export const SAFEGUARD = nouns(
  "threshold|rule|role|permission|policy|policies|audit|audit log|alert|alarm system|mfa|2 fa|two factor|firewall|security|access|" +
    "admin|privilege|password|credential|verification|safeguard|approval|logging|guardrail|compliance|consent|" +
    "acl|iam|api key|ssh key|token|certificate|dns|session timeout|encryption|antivirus|network|vpn|config|configuration|monitoring|sharing|sharing level",
);

export const IDENTITY = nouns(
  "acl|user|account|role|admin|api key|access key|ssh key|service account|credential|token|permission|policy|webhook|applet|cron job|member|certificate|vpn|dns",
);

export const HAZARD = nouns(
  "door|gate|valve|garage|lock|alarm system|fire alarm|smoke alarm|burglar alarm|traffic light|traffic|oven|stove|heater|boiler|pump|motor|robot|robot arm|drone|vehicle|car|engine|reactor|" +
    "furnace|insulin|ventilator|infusion|camera|elevator|crane|conveyor|breaker|turbine|laser|radiation|dose|medication|" +
    "temperature|thermostat|sprinkler|railway|signal|actuator|machine|window lock|brake|steering|throttle|train|grid|plane|aircraft|trajectory",
);

export const VULNERABLE = nouns(
  "minor|child|children|disability|disabled|victim|homeless|vulnerable|refugee|orphan|no income|pregnant|elderly|guardian|dependant",
);

export const APPEAL_RIGHTS = nouns(
  "appeal|retroactive|retroactively|backdate|backdated|objection|statutory deadline|appeal deadline",
);

export const PERSONAL_DATA = nouns(
  "ssn|bsn|iban|passport|diagnosis|medical|date of birth|dob|birth date|home address|salary|password|credential|" +
    "account number|card number|credit card|personal data|customer data|patient|phone number|national id|disability|secret|api key",
);

export const DATA_SETS = nouns(
  "all|customer|user|patient|employee|contact|table|database|db|record|data|member|account|backup|dump|transaction",
);

/** Arguments that choose what is done. */
export const ACT_KEY =
  /^(?:action|action type|operation|operation type|op|method|http method|verb|command|cmd|subcommand|sub command|request|request type|step|mode|direction|function|activity|do|act|call|intent|procedure|query type|event type|work)$/u;

/** Things that guard others when they are on. */
export const SAFETY_NOUNS = nouns(
  "alarm|monitor|monitoring|audit|mfa|two factor|logging|log|detector|camera|recording|backup|firewall|encryption|protection|interlock|guard|safety|watchdog|smoke|antivirus|verification|limit",
);
