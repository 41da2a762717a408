import { phrases } from "../phrases.ts";

/** What changing a field of a record does. */
export type FieldMeaning = "trifling" | "weighty" | null;

const TRIFLING = phrases(
  "phone|phone number|telephone|mobile|mobile number|mobile phone|fax|preferred name|nickname|display name|pronouns?|salutation|language|preferred language|locale|" +
    "time zone|timezone|job title|title|desk|office|room|floor|seat|work location|building|department name|notes?|comment|remark|memo|tag|label|color|colour|icon|avatar|photo|picture|" +
    "newsletter|newsletter opt in|newsletter opt out|marketing opt out|opt out|unsubscribe|subject|summary|description|alt text|short description|caption|sort order|theme|font|" +
    "notification preferences?|contact preference|contact preferences|preferred contact(?: method| time)?|preferred channel|website|linkedin|twitter|company name|industry|segment note|lead source|source|birthday reminder|dietary preference|" +
    "emergency contact phone|t shirt size|hobby|interests?|priority|reminder|follow up date|next step|last contacted|nick name|bio|signature|extension|pager|meta description|keywords|seo title|slug|stage|brightness|volume|display|layout|" +
    "parking spot|parking|badge photo|bookmark|favorite|favourite|contact time|reading level|email frequency|greeting|working hours|call back time|callback time|shelf|aisle|bin location",
);
const WEIGHTY = phrases(
  "iban|bank account|bank account number|bank details|bank|account number|sort code|routing number|payee|payment method|payment details|direct deposit|salary|wage|pay grade|pay|compensation|bonus|price|cost|amount|total|" +
    "discount|discount percent|credit limit|limit|balance|debt|tax|tax id|tax code|refund amount|fee|rate|interest rate|role|permission|permissions|access|access level|admin|is admin|password|mfa|two factor|mobile for two factor|recovery email|login|" +
    "allerg(?:y|ies)|diagnosis|diagnoses|medication|medications|dose|dosage|blood type|blood group|dnr|resuscitation|treatment|consent|eligibility|eligible|benefit|benefit amount|income|household size|marital status|" +
    "disability|nationality|residence status|date of birth|birth date|dob|ssn|bsn|national id|passport|legal name|guardian|custody|employment status|contract type|contract|termination date|termination|promotion|demotion|dismissal|resignation|manager|owner|probation|visa status|security clearance|" +
    "threshold|policy|rule|retention|encryption|firewall|webhook url|api key|token|secret|status|state|decision|terms|commission|quota|stock|inventory|quantity|risk rating|risk score|kyc status|sanctions status|beneficiary|power of attorney|insurance|coverage",
);

/** Containers whose keys are the fields that a call changes. */
export const FIELD_CONTAINER =
  /^(?:changes|properties|fields|set|updates?|data|patch|values|attributes|record|body|payload|new values|details|diff|metadata|profile|custom fields)$/u;
/** Arguments whose value names the field. */
export const FIELD_NAME_KEY =
  /^(?:field|fields|attribute|property|column|section|field name|property name|attribute name|change|change type|setting|parameter|item|key|preference|update type|detail|what|object|aspect)$/u;

/** Reads a field name from its words; a name with both readings is weighty. */
export function readField(words: string): FieldMeaning {
  if (WEIGHTY.test(words) && !/^(?:status note|job title|description|contact .*|phone.*)$/u.test(words))
    return "weighty";
  return TRIFLING.test(words) ? "trifling" : null;
}
