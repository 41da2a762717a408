import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { Button } from "../../parts/button.tsx";
import { Name, Visible } from "../../text/visible.tsx";
import type { Friction, TypedValue } from "./friction.ts";
import type { Acts } from "./use-acts.ts";
import { useLock } from "./use-lock.ts";

/** Longest reason the gateway takes. */
const MAX_REASON = 2_000;

interface PanelProps {
  readonly detail: CaseDetailBody;
  readonly acts: Acts;
  readonly onBack: () => void;
}

/** The second step of an approval: what it is about, a note, and where the risk is great the value that matters. */
export function ApprovePanel(
  props: PanelProps & {
    readonly friction: Friction;
    readonly typed: TypedValue;
    /** The arguments are not the agent's. */
    readonly editedText?: string;
  },
): ReactNode {
  const { detail, acts, onBack, friction, typed, editedText } = props;
  const [note, setNote] = useState("");
  const [entered, setEntered] = useState("");
  const isTyped = friction !== "typed" || entered === typed.value;
  const isLocked = useLock(`approve ${detail.case.digest}`);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isTyped || isLocked || acts.isBusy) return;
    void (editedText === undefined ? acts.approve(note) : acts.approveEdited(editedText, note)).then(
      (done) => done || onBack(),
    );
  };
  return (
    <ConfirmForm
      verb={editedText === undefined ? "Approve" : "Approve as edited"}
      detail={detail}
      onBack={onBack}
      onSubmit={submit}
    >
      {friction === "typed" && (
        <label className="block">
          <span className="mb-1 block">
            This is grave or cannot be taken back. To go on, type{" "}
            {typed.argument === null ? (
              "the name of the tool"
            ) : (
              <>
                the value of <Name text={typed.argument} />
              </>
            )}
            :{" "}
            <b className="font-mono font-semibold [overflow-wrap:anywhere]">
              <Visible text={typed.value} />
            </b>
          </span>
          <input
            className="field font-mono"
            value={entered}
            onChange={(event) => setEntered(event.target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            data-first
          />
        </label>
      )}
      <ReasonField label="Note for the record (optional)" value={note} onChange={setNote} />
      <div className="flex flex-wrap gap-3">
        <Button type="submit" look="main" disabled={!isTyped || isLocked || acts.isBusy}>
          {editedText === undefined ? "Approve and run" : "Approve and run as edited"}
        </Button>
        <Button onClick={onBack}>Back</Button>
      </div>
    </ConfirmForm>
  );
}

export function RejectPanel({ detail, acts, onBack }: PanelProps): ReactNode {
  const [reason, setReason] = useState("");
  const isLocked = useLock(`reject ${detail.case.digest}`);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isLocked || acts.isBusy) return;
    void acts.reject(reason).then((done) => done || onBack());
  };
  return (
    <ConfirmForm verb="Reject" detail={detail} onBack={onBack} onSubmit={submit}>
      <ReasonField label="Reason (optional; the agent reads it)" value={reason} onChange={setReason} />
      <div className="flex flex-wrap gap-3">
        <Button type="submit" look="grave" disabled={isLocked || acts.isBusy}>
          Reject, do not run
        </Button>
        <Button onClick={onBack}>Back</Button>
      </div>
    </ConfirmForm>
  );
}

function ConfirmForm(props: {
  readonly verb: string;
  readonly detail: CaseDetailBody;
  readonly onBack: () => void;
  readonly onSubmit: (event: FormEvent) => void;
  readonly children: ReactNode;
}): ReactNode {
  const { verb, detail, onBack, onSubmit, children } = props;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    (
      form.current?.querySelector<HTMLElement>("[data-first]") ?? form.current?.querySelector("textarea")
    )?.focus();
  }, []);
  return (
    <form
      ref={form}
      onSubmit={onSubmit}
      onKeyDown={(event) => {
        if (event.key === "Escape") onBack();
        const isSending = event.key === "Enter" && (event.ctrlKey || event.metaKey);
        if (isSending) form.current?.requestSubmit();
      }}
      className="space-y-3"
    >
      <h2 className="font-semibold [overflow-wrap:anywhere]">
        {verb} <Name text={detail.case.tool} /> on <Name text={detail.case.upstream} />?
      </h2>
      {children}
      <p className="text-[0.83rem] text-quiet">
        Digest <code className="font-mono">{detail.case.digest.slice(0, 12)}</code>…: your decision is about
        exactly what is shown.
      </p>
    </form>
  );
}

export function ReasonField(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isRequired?: boolean;
}): ReactNode {
  return (
    <label className="block">
      <span className="mb-1 block">{props.label}</span>
      <textarea
        className="field"
        rows={2}
        maxLength={MAX_REASON}
        required={props.isRequired === true}
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
      />
    </label>
  );
}
