import { type ReactNode, useId, useState } from "react";
import { Button } from "../../parts/button.tsx";
import { spelt } from "../../text/hidden-characters.ts";
import { withMember } from "../../text/json-text.ts";
import { Name, Visible } from "../../text/visible.tsx";
import type { ArgumentFieldInfo } from "./argument-fields.ts";

/** One argument; a change moves nothing else in the text. */
export function ArgumentField(props: {
  readonly field: ArgumentFieldInfo;
  readonly text: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  const { field, text, onChange } = props;
  const id = useId();
  const set = (piece: string | null) => onChange(withMember(text, field.name, piece));
  return (
    <div>
      <div className="mb-1 flex items-baseline justify-between gap-3">
        <label htmlFor={id} className="font-medium [overflow-wrap:anywhere]">
          <Name text={field.name} />
          {field.isRequired && <span className="font-normal text-quiet"> (required)</span>}
        </label>
        {!field.isRequired && field.piece !== null && (
          <Button look="bare" aria-label={`Leave out ${spelt(field.name)}`} onClick={() => set(null)}>
            Leave out
          </Button>
        )}
      </div>
      <Control id={id} field={field} set={set} />
      {field.description !== null && (
        <p className="mt-1 text-[0.87rem] text-quiet [overflow-wrap:anywhere]">
          <Visible text={field.description} />
        </p>
      )}
    </div>
  );
}

interface ControlProps {
  readonly id: string;
  readonly field: ArgumentFieldInfo;
  readonly set: (piece: string | null) => void;
}

function Control({ id, field, set }: ControlProps): ReactNode {
  switch (field.kind) {
    case "text": {
      const value = field.piece === null ? "" : String(JSON.parse(field.piece));
      const rows = Math.min(6, 1 + Math.floor(value.length / 60));
      return (
        <textarea
          id={id}
          className="field"
          rows={rows}
          value={value}
          onChange={(event) => set(JSON.stringify(event.target.value))}
        />
      );
    }
    case "boolean":
      return <Choice id={id} field={field} choices={["true", "false"]} set={set} />;
    case "choice":
      return <Choice id={id} field={field} choices={field.choices} set={set} />;
    case "number":
    case "json":
      return <PieceField key={field.piece} id={id} field={field} set={set} />;
    default:
      return field.kind satisfies never;
  }
}

function Choice(props: ControlProps & { readonly choices: readonly string[] }): ReactNode {
  const { id, field, choices, set } = props;
  const all = field.piece === null || choices.includes(field.piece) ? choices : [field.piece, ...choices];
  return (
    <select
      id={id}
      className="field"
      value={field.piece ?? ""}
      onChange={(event) => set(event.target.value === "" ? null : event.target.value)}
    >
      {field.piece === null && <option value="">not given</option>}
      {all.map((choice) => (
        <option key={choice} value={choice}>
          {spelt(choice)}
        </option>
      ))}
    </select>
  );
}

/** JSON as text. It is taken when it is JSON; until then only the field has it. */
function PieceField({ id, field, set }: ControlProps): ReactNode {
  const [draft, setDraft] = useState(field.piece ?? "");
  const take = () => {
    if (draft === (field.piece ?? "")) return;
    if (isPiece(draft, field.kind)) set(draft.trim());
  };
  const isWrong = draft !== "" && !isPiece(draft, field.kind);
  return (
    <>
      <input
        id={id}
        className="field font-mono"
        inputMode={field.kind === "number" ? "decimal" : "text"}
        spellCheck={false}
        value={draft}
        aria-invalid={isWrong}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={take}
        onKeyDown={(event) => event.key === "Enter" && take()}
      />
      {isWrong && (
        <p role="alert" className="mt-1 text-[0.87rem] text-grave">
          {field.kind === "number" ? "This is not a number." : "This is not JSON."} The text still has what
          was there before.
        </p>
      )}
    </>
  );
}

function isPiece(draft: string, kind: ArgumentFieldInfo["kind"]): boolean {
  try {
    const value: unknown = JSON.parse(draft);
    return kind !== "number" || typeof value === "number";
  } catch {
    return false;
  }
}
