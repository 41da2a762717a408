import { baseForms } from "../text.ts";

/**
 * How much a word says of what a call does, written down before any labelled call was looked at. Grades are proposals of ours.
 * Acts, states and modes: -3 nothing happens yet or it only looks, … 3 it is grave or cannot be taken back.
 */
const ACTS: Readonly<Record<string, string>> = {
  "-3":
    "preview simulate simulation simulated simulator dryrun rehearse rehearsal mock what-if whatif hypothetical hypothetically forecast project estimate estimation quote quotation calculate calculation calculator compute validate validation validator lint precheck preflight check verify-only draft drafted " +
    "proforma provisional prognosis trial shadow sandbox playground noop none explain diff plan planned sketch prototype outline propose proposal proposed suggest suggestion recommend recommendation dummy fake example demo theoretical dry-run readonly read get list view show display fetch lookup look find search browse query inspect describe " +
    "count summarize summarise summary overview status state info detail stat report-only peek head tail tree history read-only see render print compare comparison test evaluate assess score rate rank scan ping probe ask suggestible estimate-only count-only catalogue index illustrate " +
    "rollback rolled-back uncommitted unsent unsigned compose composing prepare-only stage-only explain-only inform informative reference retrievable legible visible-to-me readback feasibility wizard calculator comparison whichever ghost virtual synthetic notional paper-trade backtest replay-only offline-copy " +
    "trace monitor observe watch track glance retrieve select who where when what which whoami availability eligibility-check precalculate prefill checklist mockup interpret translate convert parse detect recognise recognize classify tokenize sample explore discover enumerate resolve-name locate",
  "-2":
    "note annotate annotation comment remark memo label tag star pin bookmark favourite favorite snooze mute-thread unread seen mark-read acknowledge ack todo remind reminder sort filter group collapse expand highlight watchlist wishlist follow subscribe-me snapshot screenshot cache refresh reload warm prefetch reindex " +
    "log-note save-draft autosave stash park hold queue pend pending queued later tentative tentatively provisional unpublished internal private self own me mine local staging stage dev development qa uat test testing lab scratch temp temporary tmp preprod sandboxed nonprod non-production masked mask redact redacted anonymize anonymise anonymized anonymised pseudonymized " +
    "aggregate aggregated totals anonymous hashed deidentified soft trash recycle recoverable reversible undo undoable revert-draft dim eco comfort quiet silent idle standby dock home away-mode play pause-music skip volume brightness duplicate-draft copy-draft archive-personal",
  "-1":
    "create-note open-ticket save add-note rename move-folder reorder arrange rearrange tidy align resize crop format reformat nickname color colour icon theme language locale timezone shelve bookmark collect compile prepare preparation assemble stage queue-draft schedule-draft remember record-note " +
    "log join attach-note link relate map match sync-calendar import-draft start-timer stop-timer clock sort-list clone-draft copy placeholder outline rough working internal-only for-review review-only request-review submit-for-review second-opinion triage categorize categorise prioritise prioritize pended parked paused muted hidden hide restorable undeletable save-only keep retain basket inbox-only unsubmitted unapplied unconfirmed intent",
  "0":
    "create add new make set update edit change modify write put patch upsert save store upload import load register insert append generate build copy duplicate clone move assign allocate attach detach link unlink extend schedule book reserve plan-visit open reopen close resolve complete finish start begin stop " +
    "sync run process handle manage call invoke trigger toggle switch adjust configure enable replace merge split convert transition advance progress route dispatch-internal reschedule postpone defer renew order-status increase decrease raise lower shift swap lock arm",
  "1":
    "send email mail message text sms notify notification reply respond forward share invite comment-public post submit dispatch deliver transmit fax contact announce export download extract dump print-letter issue order purchase buy reorder request-payment charge bill invoice credit debit book-travel reserve-paid subscribe enroll enrol onboard " +
    "activate deactivate suspend pause resume restart reboot redeploy deploy rollout scale migrate apply commit execute perform confirm confirmed finalize finalise final live real actual production prod prd enforce enforced immediate immediately now effective official persist persisted signed autoconfirm auto-confirm auto-send auto-apply auto-submit transmit binding go-live mint portal writeback write-back production-run publish published public external outside outbound customer-facing visible " +
    "approve approved accept authorise authorize sign countersign certify attest promote demote reassign-owner escalate disable disabled archive archived remove unassign cancel cancelled canceled void reverse reversal adjust-balance correct override-price discount markdown waive-fee restock unlock open-door disarm actuate activate-device " +
    "remit settle top-up topup tip donate redeem payout pay paid all-users recall backfill resync rerun replay retry-all requeue flush rotate renewal bulk batch mass every all entire whole unlimited full complete raw unmasked identifiable verbatim plaintext",
  "2":
    "transfer wire payment refund reimburse disburse disbursement remittance withdraw sell trade invest lend borrow loan mortgage collect-debt garnish grant award deny denied refuse refused reject rejected decline declined sanction sanctioned suspend-benefit cut reduce-benefit reclaim recover-overpayment recoup claw clawback write-off writeoff forgive waive waiver waived " +
    "hire fire dismiss dismissal terminate terminated termination layoff furlough discipline disciplinary reprimand evict eviction expel exclude ban banned block blocked blacklist blocklist delist deport detain arrest convict sentence adjudicate determine decide decision ruling verdict diagnose diagnosis prescribe prescription administer dose discharge admit " +
    "sedate operate revoke revoked rescind cancel-contract disqualify disqualified ineligible overpayment close-account freeze frozen foreclose repossess seize confiscate unlock-door unblock whitelist allowlist allow grant-access share-public broadcast newsletter press syndicate release publicize publicise leak disclose reveal unmask deanonymize deanonymise reidentify " +
    "impersonate sudo elevate escalate-privileges privileged admin administrator owner root superuser force forced override overridden bypass bypassed ignore skip skipped suppress suppressed silence evade circumvent disable-check failopen unlock-limit unverified unrestricted permissive everyone anyone world wildcard exec eval shell script spawn inject rewrite overwrite overwritten replace-all rebase reset factory-reset drain cordon evacuate failover shutdown halt poweroff power-off stop-production kill",
  "3":
    "delete deletion deleted del erase erased erasure purge purged purging destroy destroyed wipe wiped drop dropped truncate truncated shred obliterate expunge unrecoverable irreversible irrevocable permanent permanently hard-delete harddelete cascade decommission deprovision dispose disposal nuke vacuum-all format-disk rm rmdir unlink zap scrub forget tombstone " +
    "detonate ignite vent purge-gas overpressure overspeed defeat jailbreak exploit hack crack brute-force phish spoof ddos exfiltrate keylog hijack poison tamper forge falsify backdate fabricate",
};

/** What a call is about: -2 a trifle, … 3 money, rights, health, secrets, safety, or what holds others up. */
const THINGS: Readonly<Record<string, string>> = {
  "-2":
    "note notes bookmark label tag theme avatar emoji reaction sticker playlist song music wishlist cart basket watchlist favourite favorite wallpaper font colour color icon weather joke quote-of-the-day timer stopwatch clipboard cache sketch placeholder template-preview faq glossary dictionary opening-hours menu directions holiday-calendar tutorial help docs documentation sandbox scratch demo sample lamp light bulb brightness " +
    "volume speaker blinds curtain shade scene humidifier vacuum aquarium fountain poster banner-draft canteen lunch desk seat parking meeting-room room-booking timezone locale language pronoun nickname greeting salutation",
  "-1":
    "ticket task todo reminder calendar event meeting agenda minutes comment thread channel-topic draft folder directory tab dashboard widget chart plot graph metric statistic kpi report summary forecast catalogue catalog product listing stock-level inventory-count shipment-status tracking availability slot queue-position wait-time schedule timetable roster-view shift-view appointment " +
    "survey feedback rating form questionnaire checklist lead prospect opportunity pipeline campaign-draft segment-count subscriber-count article knowledge-base page wiki version build log-line trace health uptime disk-usage temperature-reading sensor meter reading humidity telemetry battery position thermostat heating-schedule fan ventilation",
  "1":
    "customer client user employee staff member contact applicant candidate student tenant resident subscriber donor patient citizen person people household family guest visitor profile address phone email order booking reservation invoice bill quote contract-draft subscription plan coupon voucher discount price shipment delivery return warranty case claim application file record document form-submission " +
    "message letter campaign newsletter mailing audience segment list channel broadcast webhook integration connector job batch workflow automation queue topic bucket file-share repository branch pipeline-run deployment service instance node pod container cluster namespace vm server host router switch printer device sensor-config setting preference configuration config parameter flag feature-flag schedule route rota roster shift leave vacation timesheet absence",
  "2":
    "account balance fund funds money cash payment payments transfer wire refund payout payroll salary wage bonus compensation commission pension benefit benefits allowance entitlement eligibility grant subsidy stipend award housing-benefit debt arrears overpayment loan mortgage credit limit interest rate fee fine tax iban card bank beneficiary payee mandate direct-debit standing-order ledger journal posting budget purchase-order contract tender supplier vendor insurance claim-payment settlement collateral " +
    "employment termination offer promotion grade appraisal disciplinary grievance warning probation licence license permit visa custody guardianship sanction decision determination ruling appeal objection consent donor-consent treatment medication drug prescription dose dosage infusion allergy care-plan referral admission discharge triage-level order-set appointment-cancel database table schema index volume disk backup snapshot production firewall dns certificate domain route53 load-balancer vpn network security-group " +
    "door gate lock valve pump boiler furnace oven heater elevator lift crane conveyor robot drone vehicle engine brake motor generator breaker turbine compressor chiller freezer incubator ventilator alarm sprinkler siren smoke-detector fire-panel access-control turnstile badge camera cctv",
  "3":
    "password passwd secret secrets credential credentials token apikey api-key private-key ssh-key keystore vault root admin administrator role roles permission permissions privilege iam acl policy mfa 2fa otp sso saml identity passport ssn bsn national-id tax-id biometric fingerprint genome dna diagnosis diagnoses hiv psychiatric mental-health abortion pregnancy sexual religion ethnicity race union criminal conviction felony " +
    "victim witness domestic-violence safeguarding child-protection minor child children juvenile asylum refugee medical-record health-record lab-result pathology therapy addiction sick-note sickness disability audit audit-log audit-trail logging monitoring alerting safeguard interlock safety guardrail verification approval-step four-eyes compliance kyc aml sanctions-screening fraud-check encryption retention legal-hold deletion-protection " +
    "everyone all-staff all-customers all-users whole-database payslip salary-list personnel-file home-address bank-details card-number cvv insulin ventilator-settings pacemaker defibrillator anaesthesia opioid morphine fentanyl chemotherapy potassium reactor blast furnace-purge gas-valve emergency-stop e-stop fire-suppression runway signal interlocking",
};

function gradesOf(table: Readonly<Record<string, string>>): ReadonlyMap<string, number> {
  const grades = new Map<string, number>();
  for (const [grade, words] of Object.entries(table))
    for (const word of words.split(" ")) grades.set(word.replaceAll("-", " "), Number(grade));
  return grades;
}

const ACT_GRADES = gradesOf(ACTS);
const THING_GRADES = gradesOf(THINGS);

/** Grades of the words and of the pairs of words in a text, in order; a pair that is known hides its two words. */
function gradesIn(words: readonly string[], grades: ReadonlyMap<string, number>): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const next = words[at + 1];
    const pair = next === undefined ? undefined : grades.get(`${word} ${next}`);
    if (pair !== undefined) {
      found.push(pair);
      at++;
      continue;
    }
    const grade = gradeOf(word, grades);
    if (grade !== undefined) found.push(grade);
  }
  return found;
}

function gradeOf(word: string, grades: ReadonlyMap<string, number>): number | undefined {
  if (word.length > 24) return undefined;
  for (const form of baseForms(word)) {
    const grade = grades.get(form);
    if (grade !== undefined) return grade;
  }
  return undefined;
}

/** Grades of acts, states and modes, see the table. */
export const actGrades = (words: readonly string[]) => gradesIn(words, ACT_GRADES);
/** Grades of what is acted on, see the table. */
export const thingGrades = (words: readonly string[]) => gradesIn(words, THING_GRADES);
