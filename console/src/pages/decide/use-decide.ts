import { useCallback, useEffect, useMemo, useState } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { useSay } from "../../shell/notice.tsx";
import { useSession } from "../../shell/session.tsx";
import { useShortcuts } from "../../shell/shortcuts.tsx";
import { changesOf, parseJsonText } from "../../text/json-text.ts";
import type { Seen } from "../case/use-seen.ts";
import { type Friction, frictionOf, type TypedValue, valueThatMatters } from "./friction.ts";
import { type Acts, useActs } from "./use-acts.ts";
import { useLock } from "./use-lock.ts";

/** `choose`: nothing is under way; the others are the step that the person is in. */
export type Mode = "choose" | "approve" | "reject" | "edit";

/** One person deciding one case as it is on the screen. */
export interface Decide {
  readonly mode: Mode;
  readonly friction: Friction;
  /** What is typed before a grave approval. */
  readonly typed: TypedValue;
  readonly seen: Seen;
  /** The case changed a moment ago. */
  readonly isLocked: boolean;
  readonly acts: Acts;
  /** Arguments as the person changed them; null when they did not. */
  readonly editedText: string | null;
  readonly setEditedText: (text: string) => void;
  /** Why the edited arguments cannot be approved; null when they can. */
  readonly editProblem: string | null;
  readonly approve: () => void;
  readonly reject: () => void;
  readonly edit: () => void;
  /** One step back. */
  readonly back: () => void;
}

export function useDecide(detail: CaseDetailBody, seen: Seen): Decide {
  const { digest, revision, ref } = detail.case;
  const [mode, setMode] = useState<Mode>("choose");
  const [editedText, setEditedText] = useState<string | null>(null);
  const acts = useActs(detail);
  const isLocked = useLock(`${ref} ${revision}`);
  // What somebody was about to say of the case as it was, they have to say anew.
  useEffect(() => {
    setMode("choose");
    setEditedText(null);
  }, [ref, digest, detail.permissions.decide]);
  const friction = frictionOf(detail);
  const argumentsText = editedText ?? detail.arguments;
  const typed = useMemo(() => valueThatMatters(detail, argumentsText), [detail, argumentsText]);

  const approve = useCallback(() => {
    // What a person wrote themselves is always looked at twice.
    if (friction === "one" && editedText === null) void acts.approve("");
    else setMode("approve");
  }, [friction, editedText, acts]);
  const reject = useCallback(() => setMode("reject"), []);
  const edit = useCallback(() => {
    setEditedText((before) => before ?? detail.arguments);
    setMode("edit");
  }, [detail.arguments]);
  const back = useCallback(() => {
    setMode((now) => (now === "approve" && editedText !== null ? "edit" : "choose"));
    if (mode === "edit") setEditedText(null);
    if (mode !== "edit") focusDecision();
  }, [editedText, mode]);

  useDecideKeys(detail, { mode, isLocked, acts, seen, approve, reject, edit, back });

  return {
    mode,
    friction,
    typed,
    seen,
    isLocked,
    acts,
    editedText,
    setEditedText,
    editProblem: editProblemOf(detail.arguments, editedText),
    approve,
    reject,
    edit,
    back,
  };
}

type Steps = Pick<Decide, "mode" | "isLocked" | "acts" | "seen" | "approve" | "reject" | "edit" | "back">;

/** The same steps by key. A call that is out of sight is shown first, and asked about. */
function useDecideKeys(detail: CaseDetailBody, steps: Steps): void {
  const { mode, isLocked, acts, seen, approve, reject, edit, back } = steps;
  const { permissions, case: item } = detail;
  const { person } = useSession();
  const say = useSay();
  const isFree = permissions.decide && mode === "choose" && !isLocked && !acts.isBusy;
  const isMine = item.taken_by === person.id;
  const canTake = !acts.isBusy && (isMine ? permissions.release : permissions.take && item.taken_by === null);
  useShortcuts({
    ...(mode !== "choose" && { Escape: back }),
    ...(isFree && {
      r: reject,
      ...(detail.arguments !== null && { e: edit }),
      a: () => {
        if (seen.hasSeen && seen.isInSight()) return approve();
        seen.show();
        say("These are the arguments. Press a again to approve.", "care");
      },
    }),
    ...(permissions.undo && !acts.isBusy && { u: () => void acts.undo() }),
    ...(canTake && { x: () => void (isMine ? acts.release() : acts.take()) }),
  });
}

function editProblemOf(original: string | null, edited: string | null): string | null {
  if (edited === null) return null;
  if (parseJsonText(edited)?.kind !== "object") return "The arguments are not a JSON object.";
  return changesOf(original ?? "", edited)?.length === 0 ? "Nothing is changed yet." : null;
}

function focusDecision(): void {
  document.querySelector<HTMLElement>("[data-panel]")?.focus();
}
