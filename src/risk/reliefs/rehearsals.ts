import { SAFETY_NOUNS } from "../lexicon.ts";
import { carriesOut, selects, shows } from "../understanding.ts";
import {
  every,
  GUARD,
  ids,
  noneHarsh,
  notProduction,
  outsideOrMany,
  type Relief,
  typed,
  WORLD,
} from "./relief.ts";

/** A rehearsal: a switch that says so, or the act itself switched off. */
export const rehearsal: Relief = {
  id: "argument.rehearsal",
  describe: "its arguments make it a rehearsal",
  points: 25,
  answers: ids(
    `${WORLD} ${GUARD} scope.bulk field.weighty status.final amount.large percent.large device.hazard audience.many network.write data.protected`,
  ),
  wholly: true,
  find(view) {
    if (!noneHarsh(view) || view.understood.off.some(({ meaning }) => meaning === "rehearsal"))
      return undefined;
    return (
      typed(view.understood.on, (meaning) => meaning === "rehearsal") ??
      typed(view.understood.off, (meaning) => meaning === "commit") ??
      (view.understood.choices.every(({ meaning }) => meaning === "rehearsal" || meaning === "read")
        ? typed(view.understood.choices, (meaning) => meaning === "rehearsal")
        : undefined)
    );
  },
};

/** An open tool told to read. */
export const choice: Relief = {
  id: "argument.read_choice",
  describe: "the chosen operation only reads",
  points: 14,
  reads: true,
  answers: ids(`${WORLD} ${GUARD} annotation.destructive scope.bulk`),
  find(view) {
    if (!view.open || view.understood.methods.some(({ meaning }) => meaning === "unsafe")) return undefined;
    return every(view.understood.choices, (meaning, leaf) => meaning === "read" && leaf.typed);
  },
};

/** SQL that only reads, a command that only shows, a request that only asks. */
export const reading: Relief = {
  id: "argument.read_content",
  describe: "the statement, command or request in its arguments only reads",
  points: 20,
  reads: true,
  answers: ids(`${WORLD} ${GUARD} annotation.destructive code.execution`),
  find(view) {
    const { sql, shell, methods, urls } = view.understood;
    if (sql.some(({ meaning }) => meaning.kind !== "read") || shell.some(({ meaning }) => meaning !== "read"))
      return undefined;
    if (methods.some(({ meaning }) => meaning !== "safe")) return undefined;
    if (
      urls.some(({ meaning }) => meaning.place !== "internal" && meaning.place !== "outside") ||
      urls.some(({ meaning }) => meaning.carriesData)
    )
      return undefined;
    if (selects(view)) return sql[0]?.leaf;
    if (shows(view)) return shell[0]?.leaf;
    const asked = methods.every(({ leaf }) => leaf.typed) && carriesOut(view);
    return asked && sql.length + shell.length === 0
      ? every(methods, (meaning) => meaning === "safe")
      : undefined;
  },
};

/** Kept to oneself: a draft, a private note, something for colleagues to look at first. */
export const draft: Relief = {
  id: "argument.draft",
  describe: "it stays a draft or inside",
  points: 38,
  answers: ids(`${WORLD} scope.bulk`),
  wholly: true,
  find(view) {
    if (!noneHarsh(view) || outsideOrMany(view)) return undefined;
    const states = view.understood.statuses;
    if (states.some(({ meaning }) => meaning === "final" || meaning === "published")) return undefined;
    return (
      typed(states, (meaning) => meaning === "draft") ??
      (view.understood.choices.every(({ meaning }) => meaning === "rehearsal")
        ? typed(view.understood.choices, (meaning) => meaning === "rehearsal")
        : undefined)
    );
  },
};

export const environment: Relief = {
  id: "argument.rehearsal_environment",
  describe: "it acts on a system for tests",
  points: 50,
  answers: ids(
    "system.operated act.write act.destructive safeguard.bypass outward.sent outward.published tool.unclassified entitlement.decision scope.bulk field.weighty",
  ),
  wholly: true,
  find(view) {
    return noneHarsh(view) && notProduction(view) && view.understood.everything.length === 0
      ? every(view.understood.environments, (meaning) => meaning === "rehearsal")
      : undefined;
  },
};

export const switchedOff: Relief = {
  id: "argument.switched_off",
  describe: "it switches the sending off",
  points: 45,
  answers: ids("outward.sent outward.published tool.unclassified act.write"),
  find: (view) =>
    noneHarsh(view) && !SAFETY_NOUNS.test(view.name.words)
      ? view.understood.off.find(
          ({ leaf }) => leaf.typed && /^(?:enabled?|active|is active)$/u.test(leaf.key),
        )?.leaf
      : undefined,
};
