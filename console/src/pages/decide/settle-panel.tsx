import { RadioGroup } from "radix-ui";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { Button } from "../../parts/button.tsx";
import { ReasonField } from "./confirm-panels.tsx";
import type { Acts } from "./use-acts.ts";
import { useLock } from "./use-lock.ts";

const RESOLUTIONS = [
  ["SUCCEEDED", "It ran."],
  ["FAILED", "It did not run, or it failed. Do not run it again."],
  ["RUN_AGAIN", "It did not run. Run it again now, exactly as approved. If you are wrong, it runs twice."],
] as const;

/** For a run whose outcome nobody knows: what a person found out, and how they know. Nothing is chosen beforehand. */
export function SettlePanel(props: { readonly detail: CaseDetailBody; readonly acts: Acts }): ReactNode {
  const { detail, acts } = props;
  const id = useId();
  const [chosen, setChosen] = useState<string>("");
  const [evidence, setEvidence] = useState("");
  const [missing, setMissing] = useState(false);
  const isLocked = useLock(`settle ${detail.case.digest}`);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const resolution = RESOLUTIONS.find(([value]) => value === chosen)?.[0];
    setMissing(resolution === undefined);
    if (resolution !== undefined && !isLocked && !acts.isBusy) void acts.resolve(resolution, evidence);
  };
  return (
    <form onSubmit={submit} className="space-y-3">
      <h2 id={id} className="font-semibold">
        What happened?
      </h2>
      <p className="text-quiet">Find out at the upstream first. Your word ends the case, in your name.</p>
      <RadioGroup.Root aria-labelledby={id} value={chosen} onValueChange={setChosen} className="space-y-1.5">
        {RESOLUTIONS.map(([value, words]) => (
          <div key={value} className="flex items-start gap-2.5">
            <RadioGroup.Item
              id={`${id}${value}`}
              value={value}
              className="mt-0.5 grid size-5 flex-none place-items-center rounded-full border border-edge bg-surface"
            >
              <RadioGroup.Indicator className="size-2.5 rounded-full bg-accent" />
            </RadioGroup.Item>
            <label htmlFor={`${id}${value}`}>{words}</label>
          </div>
        ))}
      </RadioGroup.Root>
      {missing && (
        <p role="alert" className="text-grave">
          Say first what happened.
        </p>
      )}
      <ReasonField
        label="How do you know? (the agent reads it)"
        value={evidence}
        onChange={setEvidence}
        isRequired
      />
      <Button type="submit" look="main" disabled={isLocked || acts.isBusy}>
        Record what happened
      </Button>
    </form>
  );
}
