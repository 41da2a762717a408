import type { CallView } from "../call-view.ts";
import { every, ids, noneHarsh, notProduction, type Relief, typed } from "./relief.ts";

/** Up to this a movement between one's own accounts, or a gesture to a customer, is small. Proposed, not derived from law or data. */
const SMALL_AMOUNT = 100;

const smallAmount = (view: CallView) => {
  const { amounts } = view.understood;
  return every(amounts, (amount, leaf) => leaf.typed && amount <= SMALL_AMOUNT);
};

export const ownAccount: Relief = {
  id: "argument.own_account",
  describe: "a small amount stays between the caller's own accounts",
  points: 42,
  answers: ids("money.moved act.write tool.unclassified"),
  wholly: true,
  find(view) {
    const own = view.understood.ownAccounts;
    return smallAmount(view) !== undefined && noneHarsh(view) && own.every(({ meaning }) => meaning)
      ? typed(
          own.filter(({ leaf }) => !/^(?:from|source)(?: |$)/u.test(leaf.key)),
          (meaning) => meaning,
        )
      : undefined;
  },
};

const GESTURE =
  /(?:^| )(?:refunds?|discounts?|coupons?|vouchers?|credits?|fees?|goodwill|tips?|compensate)(?= |$)/u;

export const gesture: Relief = {
  id: "argument.small_gesture",
  describe: "the refund or credit is small",
  points: 60,
  answers: ids("money.moved act.write tool.unclassified"),
  find(view) {
    if (!GESTURE.test(view.name.words) || view.understood.everything.length > 0 || !noneHarsh(view))
      return undefined;
    if (view.lists.some((list) => list.length > 1)) return undefined;
    return smallAmount(view);
  },
};

/** Percentages up to this are everyday discounts and first steps of a rollout. Proposed, not derived from law or data. */
const SMALL_PERCENT = 10;

export const smallPercent: Relief = {
  id: "argument.small_percent",
  describe: "the percentage is small",
  points: 52,
  answers: ids("money.moved act.write tool.unclassified system.operated"),
  find: (view) =>
    noneHarsh(view) &&
    notProduction(view) &&
    view.understood.everything.length === 0 &&
    !view.understood.amounts.some(({ meaning }) => meaning > SMALL_AMOUNT)
      ? every(
          view.understood.percents,
          (percent, leaf) => leaf.typed && percent >= 0 && percent <= SMALL_PERCENT,
        )
      : undefined,
};

/** A small sum to someone else still pauses, only not before larger ones. */
export const smallSum: Relief = {
  id: "argument.small_sum",
  describe: "the sum is small",
  points: 77,
  answers: ids("money.moved"),
  wholly: true,
  firm: true,
  find: (view) =>
    noneHarsh(view) && !view.understood.ownAccounts.some(({ leaf }) => leaf.key.includes("new"))
      ? smallAmount(view)
      : undefined,
};

/** Reliefs because a sum is small: none of them stands where the operator says that it is not. */
export const AMOUNT_RELIEFS: ReadonlySet<Relief> = new Set([ownAccount, gesture, smallPercent, smallSum]);
