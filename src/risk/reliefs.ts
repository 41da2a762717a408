import { gesture, ownAccount, smallPercent, smallSum } from "./reliefs/amounts.ts";
import { anonymous, routine, smallExtract, toColleague, toSelf } from "./reliefs/disclosures.ts";
import {
  device,
  field,
  gentle,
  shortPeriod,
  single,
  temporary,
  triflingChoice,
  triflingTarget,
  underway,
  workspace,
} from "./reliefs/records.ts";
import { choice, draft, environment, reading, rehearsal, switchedOff } from "./reliefs/rehearsals.ts";
import type { Relief } from "./reliefs/relief.ts";

/** Every relief there is: understood arguments that say less is done than name and description fear. */
export const RELIEFS: readonly Relief[] = [
  rehearsal,
  choice,
  reading,
  draft,
  underway,
  field,
  environment,
  temporary,
  workspace,
  gentle,
  anonymous,
  ownAccount,
  gesture,
  smallPercent,
  toSelf,
  toColleague,
  device,
  single,
  smallExtract,
  routine,
  switchedOff,
  triflingChoice,
  triflingTarget,
  shortPeriod,
  smallSum,
];
