import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { Visible } from "../text/visible.tsx";

type Tone = "info" | "good" | "care" | "bad";

const LOOKS: Readonly<Record<Tone, string>> = {
  info: "bg-chosen text-ink",
  good: "bg-good-soft text-good",
  care: "bg-care-soft text-care",
  bad: "bg-grave-soft text-grave",
};

/** Says one sentence to the person; it stays until the next one or until they go elsewhere. An empty text says nothing more. */
export type Say = (text: string, tone?: Tone) => void;

interface Said {
  readonly text: string;
  readonly tone: Tone;
}

const SayContext = createContext<Say>(() => undefined);
const SaidContext = createContext<Said | null>(null);

export function useSay(): Say {
  return useContext(SayContext);
}

export function NoticeProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [said, setSaid] = useState<Said | null>(null);
  const say = useCallback<Say>((text, tone = "info") => setSaid(text === "" ? null : { text, tone }), []);
  return (
    <SayContext value={say}>
      <SaidContext value={said}>{children}</SaidContext>
    </SayContext>
  );
}

/** Where it is said; one place, so that a screen reader hears it whatever page is shown. */
export function Notice(): ReactNode {
  const said = useContext(SaidContext);
  const say = useSay();
  const look = useMemo(() => (said === null ? "" : LOOKS[said.tone]), [said]);
  return (
    <div role="status" aria-live="polite">
      {said !== null && (
        <p className={`flex items-center justify-between gap-3 px-4 py-2 sm:px-6 ${look}`}>
          <span>
            <Visible text={said.text} />
          </span>
          <button
            type="button"
            className="grid size-7 flex-none place-items-center rounded hover:bg-hover"
            onClick={() => say("")}
            aria-label="Dismiss"
          >
            ×
          </button>
        </p>
      )}
    </div>
  );
}
