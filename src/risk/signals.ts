import type { Signal } from "./signal.ts";
import { documentation, magnitude, money, moneyRequested } from "./signals/money.ts";
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
import {
  appealRights,
  entitlementDecision,
  profiling,
  protectedData,
  vulnerablePerson,
} from "./signals/persons.ts";
import { read, request, unclassified, write } from "./signals/plain-act.ts";
import { destructiveHint, disguise, injection, overLimit } from "./signals/tampering.ts";

/** Every signal there is, in the order in which equal findings are told. */
export const SIGNALS: readonly Signal[] = [
  overLimit,
  execution,
  offensive,
  entitlementDecision,
  money,
  moneyRequested,
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
  destructiveHint,
  operation,
  write,
  request,
  unclassified,
  read,
  documentation,
  vulnerablePerson,
  bulk,
  magnitude,
  production,
  appealRights,
];
