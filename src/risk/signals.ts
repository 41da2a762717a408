import type { Signal } from "./signal.ts";
import {
  audience,
  clusterObject,
  finalStatus,
  graveMessage,
  hazardousSetting,
  largeAmount,
  largePercent,
  network,
  paths,
  personalExtract,
  repetition,
  switches,
  weightyField,
} from "./signals/arguments.ts";
import { magnitude, money } from "./signals/money.ts";
import {
  bulk,
  destructive,
  execution,
  identity,
  offensive,
  operation,
  physical,
  production,
  safeguardBypass,
} from "./signals/operations.ts";
import { invitation, outward, publication } from "./signals/outward.ts";
import { entitlementDecision, profiling, protectedData } from "./signals/persons.ts";
import { read, request, unclassified, write } from "./signals/plain-act.ts";
import { destructiveHint, disguise, injection, overLimit } from "./signals/tampering.ts";

/** Every signal outside the domain packs, in the order in which equal findings are told. */
export const SIGNALS: readonly Signal[] = [
  overLimit,
  execution,
  offensive,
  entitlementDecision,
  money,
  safeguardBypass,
  profiling,
  protectedData,
  destructive,
  outward,
  invitation,
  publication,
  identity,
  physical,
  disguise,
  injection,
  finalStatus,
  switches,
  weightyField,
  audience,
  graveMessage,
  network,
  paths,
  largeAmount,
  largePercent,
  hazardousSetting,
  clusterObject,
  personalExtract,
  destructiveHint,
  operation,
  write,
  request,
  unclassified,
  read,
  bulk,
  magnitude,
  production,
  repetition,
];
