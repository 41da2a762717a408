import type { Sha256Hex } from "../../domain/ids.ts";
import { isDataCategory } from "../../domain/manifest.ts";
import type { ToolDefinition } from "../../domain/tool.ts";
import type { ToolPin } from "../../governance/ports.ts";
import type { Acceptance } from "../../governance/transitions/acceptance.ts";
import type { Held, KnownTool, ListedTool } from "../../governance/transitions/listing.ts";
import type { ToolAcceptanceRow, ToolRow } from "../database.ts";
import { type Steps, statement } from "./statement.ts";

/** Which tool. */
export interface ToolKey {
  readonly upstream: string;
  readonly name: string;
}

/** Rows of tools, of their definitions, and of what admins said of them. */
export interface ToolRows {
  all(): Steps<readonly KnownTool[]>;
  pins(): Steps<readonly ToolPin[]>;
  find(key: ToolKey): Steps<KnownTool | null>;
  insert(
    params: ToolKey & { readonly tool: ListedTool; readonly accepted: boolean; readonly held: Held | null },
    nowMs: number,
  ): Steps<void>;
  /** @param pin null when the tool is gone */
  setPin(key: ToolKey, pin: Sha256Hex | null, nowMs: number): Steps<void>;
  note(key: ToolKey, exposedName: string | null, held: Held | null): Steps<void>;
  saveDefinition(tool: ListedTool): Steps<void>;
  definition(pin: Sha256Hex): Steps<ToolDefinition | null>;
  acceptance(key: ToolKey & { readonly pin: string }): Steps<Acceptance | null>;
  /** Makes the definition the accepted one, and ends what the tool was held for. */
  accept(key: ToolKey, acceptance: Acceptance): Steps<void>;
}

type Row = ToolRow & { readonly accepted_revision: number | null } & Omit<
    ToolAcceptanceRow,
    keyof ToolRow | "revision"
  >;

const ACCEPTED = `left join tool_acceptances a on a.upstream = t.upstream and a.name = t.name and a.pin = t.accepted_pin`;
const COLUMNS = `t.*, a.pin, a.revision as accepted_revision, a.safe_to_repeat, a.class, a.reversible, a.data, a.accepted_by, a.accepted_at_ms`;

export function createToolRows(): ToolRows {
  const statements = toolStatements();
  return {
    *all() {
      return (yield* statements.all.all()).map(knownTool);
    },
    *pins() {
      return (yield* statements.pins.all()).map(toolPin);
    },
    *find(key) {
      const row = yield* statements.find.get({ ...key });
      return row === undefined ? null : knownTool(row);
    },
    insert: ({ upstream, name, tool, accepted, held }, nowMs) =>
      statements.insert.send({
        upstream,
        name,
        pin: tool.pin,
        accepted: accepted ? tool.pin : null,
        exposed: tool.exposedName ?? null,
        ...heldColumns(held),
        now: nowMs,
      }),
    setPin: ({ upstream, name }, pin, nowMs) => statements.setPin.send({ upstream, name, pin, now: nowMs }),
    note: ({ upstream, name }, exposedName, held) =>
      statements.note.send({ upstream, name, exposed: exposedName, ...heldColumns(held) }),
    saveDefinition: ({ pin, definition }) =>
      statements.saveDefinition.send({ pin, definition: JSON.stringify(definition) }),
    *definition(pin) {
      const row = yield* statements.definition.get({ pin });
      return row === undefined ? null : JSON.parse(row.definition);
    },
    *acceptance({ upstream, name, pin }) {
      const row = yield* statements.acceptance.get({ upstream, name, pin });
      return row === undefined ? null : acceptanceOf(row);
    },
    *accept({ upstream, name }, said) {
      yield* statements.accept.send({ upstream, name, pin: said.pin });
      yield* statements.saveAcceptance.send({
        upstream,
        name,
        pin: said.pin,
        revision: said.revision,
        safe: said.safeToRepeat === null ? null : Number(said.safeToRepeat),
        class: said.manifest.class,
        reversible: Number(said.manifest.reversible),
        data: JSON.stringify(said.manifest.data),
        by: said.by,
        now: said.atMs,
      });
    },
  };
}

function toolStatements() {
  return {
    all: statement<ToolRow>("select * from tools order by upstream, name"),
    find: statement<ToolRow>("select * from tools where upstream = :upstream and name = :name"),
    pins: statement<Row>(`select ${COLUMNS} from tools t ${ACCEPTED} order by t.upstream, t.name`),
    insert:
      statement(`insert into tools (upstream, name, current_pin, accepted_pin, exposed_name, held_reason, held_about, first_seen_at_ms, changed_at_ms)
       values (:upstream, :name, :pin, :accepted, :exposed, :reason, :about, :now, :now)`),
    setPin: statement(
      "update tools set current_pin = :pin, changed_at_ms = :now where upstream = :upstream and name = :name",
    ),
    note: statement(`update tools set exposed_name = :exposed, held_reason = :reason, held_about = :about
       where upstream = :upstream and name = :name`),
    saveDefinition: statement(
      "insert into definitions (pin, definition) values (:pin, :definition) on conflict (pin) do nothing",
    ),
    definition: statement<{ definition: string }>("select definition from definitions where pin = :pin"),
    acceptance: statement<ToolAcceptanceRow>(
      "select * from tool_acceptances where upstream = :upstream and name = :name and pin = :pin",
    ),
    accept: statement(`update tools set accepted_pin = :pin, held_reason = null, held_about = null
       where upstream = :upstream and name = :name`),
    saveAcceptance:
      statement(`insert into tool_acceptances (upstream, name, pin, revision, safe_to_repeat, class, reversible, data, accepted_by, accepted_at_ms)
       values (:upstream, :name, :pin, :revision, :safe, :class, :reversible, :data, :by, :now)
       on conflict (upstream, name, pin) do update set revision = excluded.revision, safe_to_repeat = excluded.safe_to_repeat,
         class = excluded.class, reversible = excluded.reversible, data = excluded.data,
         accepted_by = excluded.accepted_by, accepted_at_ms = excluded.accepted_at_ms`),
  };
}

function heldColumns(held: Held | null) {
  return { reason: held?.reasonId ?? null, about: held?.about ?? null };
}

function knownTool(row: ToolRow): KnownTool {
  return {
    upstream: row.upstream,
    name: row.name,
    exposedName: row.exposed_name,
    currentPin: row.current_pin,
    acceptedPin: row.accepted_pin,
    held: row.held_reason === null ? null : { reasonId: row.held_reason, about: row.held_about },
  };
}

function toolPin(row: Row): ToolPin {
  const acceptance =
    row.accepted_revision === null ? null : acceptanceOf({ ...row, revision: row.accepted_revision });
  return {
    ...knownTool(row),
    acceptance,
    firstSeenAtMs: row.first_seen_at_ms,
    changedAtMs: row.changed_at_ms,
  };
}

function acceptanceOf(row: ToolAcceptanceRow): Acceptance {
  const data: readonly string[] = JSON.parse(row.data);
  return {
    pin: row.pin,
    revision: row.revision,
    safeToRepeat: row.safe_to_repeat === null ? null : row.safe_to_repeat === 1,
    manifest: { class: row.class, reversible: row.reversible === 1, data: data.filter(isDataCategory) },
    by: row.accepted_by,
    atMs: row.accepted_at_ms,
  };
}
