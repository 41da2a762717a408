import { type Pair, pairsOf } from "./pair.ts";
import { BANKING, COMMERCE, CRM } from "./pairs-business.ts";
import { BENEFITS, HEALTH, STAFF } from "./pairs-people.ts";
import { DEVICES, MESSAGING, OPERATIONS } from "./pairs-systems.ts";

/** Calls of one tool whose right answers differ by their arguments; made up before the rules that read them. */
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
];
