import { type Pair, pairsOf } from "./pair.ts";
import { BANKING, COMMERCE, CRM } from "./pairs-business.ts";
import { FRESH } from "./pairs-fresh.ts";
import { LATER } from "./pairs-later.ts";
import { BENEFITS, HEALTH, STAFF } from "./pairs-people.ts";
import { PLAIN } from "./pairs-plain.ts";
import { DEVICES, MESSAGING, OPERATIONS } from "./pairs-systems.ts";

/** Calls of one tool whose right answers differ by their arguments; made up in blocks, each before the rules were tried on it. */
export const PAIRS: readonly Pair[] = [
  ...pairsOf("benefits", BENEFITS),
  ...pairsOf("health", HEALTH),
  ...pairsOf("staff", STAFF),
  ...pairsOf("banking", BANKING),
  ...pairsOf("commerce", COMMERCE),
  ...pairsOf("crm", CRM),
  ...pairsOf("messaging", MESSAGING),
  ...pairsOf("operations", OPERATIONS),
  ...pairsOf("devices", DEVICES),
  ...pairsOf("plain", PLAIN),
  ...pairsOf("fresh", FRESH),
  ...pairsOf("later", LATER),
];
