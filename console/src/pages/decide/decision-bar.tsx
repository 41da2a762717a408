import type { ReactNode } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { Button } from "../../parts/button.tsx";
import { Warning } from "../../parts/card.tsx";
import { useSession } from "../../shell/session.tsx";
import { Countdown, Time } from "../../text/times.tsx";
import { Name } from "../../text/visible.tsx";
import { ApprovePanel, RejectPanel } from "./confirm-panels.tsx";
import { SettlePanel } from "./settle-panel.tsx";
import type { Decide } from "./use-decide.ts";

/** What the person may do with the case as shown; always in sight. Null when there is nothing. */
export function DecisionBar({
  detail,
  decide,
}: {
  readonly detail: CaseDetailBody;
  readonly decide: Decide;
}): ReactNode {
  const content = contentOf(detail, decide);
  if (content === null) return null;
  return (
    <section
      aria-label="Decision"
      tabIndex={-1}
      data-panel
      className="max-h-[70dvh] flex-none overflow-y-auto border-t border-line bg-surface px-4 py-3.5 shadow-[0_-6px_20px_-12px_rgb(0_0_0/0.25)] sm:px-7"
    >
      <div className="mx-auto max-w-6xl">{content}</div>
    </section>
  );
}

function contentOf(detail: CaseDetailBody, decide: Decide): ReactNode {
  const { permissions, case: item } = detail;
  const { acts, mode, back } = decide;
  if (permissions.decide) {
    if (mode === "reject") return <RejectPanel detail={detail} acts={acts} onBack={back} />;
    if (mode === "approve") {
      return (
        <ApprovePanel
          detail={detail}
          acts={acts}
          onBack={back}
          friction={decide.friction}
          typed={decide.typed}
          {...(decide.editedText !== null && { editedText: decide.editedText })}
        />
      );
    }
    return mode === "edit" ? <EditChoices decide={decide} /> : <Choices detail={detail} decide={decide} />;
  }
  if (permissions.resolve) return <SettlePanel detail={detail} acts={acts} />;
  if (permissions.because !== null) return <WhyNot detail={detail} decide={decide} />;
  if (permissions.undo) return <Undo detail={detail} decide={decide} />;
  if (permissions.withdraw) return <Withdraw sentence={WITHDRAW_WORDS[item.state] ?? ""} decide={decide} />;
  return null;
}

/** What approving takes, said before it is tried. */
const FRICTION_WORDS = {
  one: "Approving runs it at once.",
  two: "Approving asks you once more.",
  typed: "Grave, or past recall: approving asks for the value that matters.",
} as const;

/** Approve and reject look the same, and none has the focus. */
function Choices({
  detail,
  decide,
}: {
  readonly detail: CaseDetailBody;
  readonly decide: Decide;
}): ReactNode {
  const { single_operator: isSingle } = useSession();
  const { isLocked, seen, friction, acts } = decide;
  const isOff = isLocked || acts.isBusy;
  return (
    <div className="space-y-2.5">
      <h2 className="sr-only">Decision</h2>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <p className="min-w-0 text-[0.93rem] text-quiet">
          {seen.hasSeen ? (
            FRICTION_WORDS[friction]
          ) : (
            <>
              Approving becomes possible once you have seen all of the arguments.{" "}
              <button type="button" className="link" onClick={seen.show}>
                Show them
              </button>
            </>
          )}
        </p>
        <div className="grid w-full grid-cols-2 gap-2.5 sm:flex sm:w-auto">
          <TakeButton detail={detail} decide={decide} />
          <Button shortcut="e" disabled={isOff || detail.arguments === null} onClick={decide.edit}>
            Edit…
          </Button>
          <Button shortcut="r" className="sm:min-w-32" disabled={isOff} onClick={decide.reject}>
            Reject…
          </Button>
          <Button
            shortcut="a"
            className="sm:min-w-32"
            disabled={isOff || !seen.hasSeen}
            onClick={decide.approve}
          >
            {friction === "one" ? "Approve" : "Approve…"}
          </Button>
        </div>
      </div>
      {isSingle && (
        <p className="text-[0.87rem] text-quiet">
          Single-operator mode: decisions are recorded as made by the one person who runs everything.
        </p>
      )}
    </div>
  );
}

function TakeButton({
  detail,
  decide,
}: {
  readonly detail: CaseDetailBody;
  readonly decide: Decide;
}): ReactNode {
  const { acts, isLocked } = decide;
  const { take, release } = detail.permissions;
  if (!take && !release) return null;
  return (
    <Button
      shortcut="x"
      disabled={isLocked || acts.isBusy}
      onClick={() => void (take ? acts.take() : acts.release())}
    >
      {take ? "Take" : "Release"}
    </Button>
  );
}

function EditChoices({ decide }: { readonly decide: Decide }): ReactNode {
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p className="text-quiet">
        {decide.editProblem ?? "The agent did not ask for what you changed; it is told."}
      </p>
      <div className="flex gap-2.5">
        <Button onClick={decide.back}>Back</Button>
        <Button disabled={decide.editProblem !== null || decide.acts.isBusy} onClick={decide.approve}>
          Approve as edited…
        </Button>
      </div>
    </div>
  );
}

const WHY_NOT = {
  not_a_reviewer: "You may read this case. Deciding it needs the role reviewer.",
  taken: "Another reviewer has taken this case.",
  owns_the_agent: "You answer for the agent that made this call, so somebody else must decide.",
} as const;

function WhyNot({ detail, decide }: { readonly detail: CaseDetailBody; readonly decide: Decide }): ReactNode {
  const { because, withdraw, release } = detail.permissions;
  const { taken_by: by, taken_until: until } = detail.case;
  return (
    <div className="space-y-2.5">
      {because !== null && <Warning>{WHY_NOT[because]}</Warning>}
      <div className="flex flex-wrap items-center gap-3">
        {because === "taken" && by !== null && (
          <>
            <p>
              <b className="font-semibold">
                <Name text={by} />
              </b>{" "}
              works on it
              {until !== null && (
                <>
                  {" "}
                  until <Time iso={until} />
                </>
              )}
              .
            </p>
            <Button
              disabled={decide.isLocked || decide.acts.isBusy}
              onClick={() => void decide.acts.takeOver()}
            >
              Take over
            </Button>
          </>
        )}
        {release && (
          <Button disabled={decide.isLocked || decide.acts.isBusy} onClick={() => void decide.acts.release()}>
            Release
          </Button>
        )}
      </div>
      {withdraw && <Withdraw sentence={WITHDRAW_WORDS[detail.case.state] ?? ""} decide={decide} />}
    </div>
  );
}

function Undo({ detail, decide }: { readonly detail: CaseDetailBody; readonly decide: Decide }): ReactNode {
  const from = detail.case.run_from;
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p>
        Approved, and not sent yet.
        {from !== null && (
          <span className="text-quiet">
            {" "}
            It is sent when the time to undo is over: <Countdown iso={from} />.
          </span>
        )}
      </p>
      <Button shortcut="u" disabled={decide.acts.isBusy} onClick={() => void decide.acts.undo()}>
        Undo
      </Button>
    </div>
  );
}

const WITHDRAW_WORDS: Readonly<Partial<Record<string, string>>> = {
  AUTHORIZED: "It has not been sent yet. You can still take it back.",
  AWAITING_REVIEW: "You can end this case without a decision.",
  ASSESSING: "You can end this case before it was assessed.",
};

function Withdraw({ sentence, decide }: { readonly sentence: string; readonly decide: Decide }): ReactNode {
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p>{sentence}</p>
      <Button disabled={decide.isLocked || decide.acts.isBusy} onClick={() => void decide.acts.withdraw()}>
        Withdraw
      </Button>
    </div>
  );
}
