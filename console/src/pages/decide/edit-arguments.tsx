import { type ReactNode, useEffect, useMemo, useRef } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { Card, Warning } from "../../parts/card.tsx";
import { MemberChanges } from "../../parts/member-changes.tsx";
import { changesOf, parseJsonText } from "../../text/json-text.ts";
import { ArgumentField } from "./argument-field.tsx";
import { fieldsOf } from "./argument-fields.ts";

/** The arguments as a form and as the text that will run, side by side, and what is different from what the agent asked for. */
export function EditArguments(props: {
  readonly detail: CaseDetailBody;
  readonly text: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  const { detail, text, onChange } = props;
  const original = detail.arguments ?? "{}";
  const isObject = parseJsonText(text)?.kind === "object";
  const fields = useMemo(() => fieldsOf(detail.definition.text, text), [detail.definition.text, text]);
  const changes = changesOf(original, text);
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("textarea, input, select")?.focus(), []);
  return (
    <div className="space-y-4" ref={form}>
      <div className="grid gap-4 xl:grid-cols-2">
        <Card title="Arguments, field by field">
          {isObject ? (
            <div className="space-y-3.5">
              {fields.map((field) => (
                <ArgumentField key={field.name} field={field} text={text} onChange={onChange} />
              ))}
              {fields.length === 0 && <p className="text-quiet">The tool names no arguments.</p>}
            </div>
          ) : (
            <Warning>The text is not a JSON object, so it has no fields.</Warning>
          )}
        </Card>
        <Card title="Exactly what will run">
          <textarea
            className="field min-h-64 font-mono text-[0.85rem] leading-relaxed"
            aria-label="Arguments as JSON"
            spellCheck={false}
            value={text}
            onChange={(event) => onChange(event.target.value)}
          />
        </Card>
      </div>
      <Card title="Changes the agent did not ask for">
        {changes === null ? (
          <p className="text-quiet">The text is not JSON.</p>
        ) : changes.length === 0 ? (
          <p className="text-quiet">Nothing is changed yet.</p>
        ) : (
          <MemberChanges changes={changes} label="Changes the agent did not ask for" />
        )}
      </Card>
    </div>
  );
}
