import type { DatabaseSync } from "node:sqlite";
import type { Sha256Hex } from "../../domain/ids.ts";
import type { ToolDefinition } from "../../domain/tool.ts";
import type { GuardStore, ToolPin } from "../../governance/ports.ts";
import { administrator } from "../administrator.ts";
import { prepare } from "./connection.ts";
import type { GuardsDeps } from "./guards.ts";

interface ListedTool {
  readonly name: string;
  readonly pin: Sha256Hex;
  readonly definition: ToolDefinition;
}

interface RecordToolParams {
  readonly upstream: string;
  readonly listed: ListedTool;
  readonly known: KnownTool | undefined;
  /** Nothing was ever listed by this upstream, so there is nothing that a new tool could pass itself off as. */
  readonly isFirstListing: boolean;
}

interface KnownTool {
  readonly name: string;
  readonly current_pin: Sha256Hex | null;
  readonly accepted_pin: Sha256Hex | null;
}

function toolStatements(db: DatabaseSync) {
  return {
    fingerprint: prepare<{ fingerprint: Sha256Hex }>(
      db,
      "select fingerprint from upstreams where name = :name",
    ),
    saveUpstream: prepare(
      db,
      `insert into upstreams (name, fingerprint, updated_at_ms) values (:name, :fingerprint, :now)
       on conflict (name) do update set fingerprint = excluded.fingerprint, updated_at_ms = excluded.updated_at_ms`,
    ),
    tools: prepare<KnownTool>(
      db,
      "select name, current_pin, accepted_pin from tools where upstream = :upstream order by name",
    ),
    insertTool: prepare(
      db,
      `insert into tools (upstream, name, current_pin, accepted_pin, first_seen_at_ms, changed_at_ms)
       values (:upstream, :name, :pin, :accepted, :now, :now)`,
    ),
    changeTool: prepare(
      db,
      `update tools set current_pin = :pin, changed_at_ms = :now
       where upstream = :upstream and name = :name`,
    ),
    saveDefinition: prepare(
      db,
      "insert into definitions (pin, definition) values (:pin, :definition) on conflict (pin) do nothing",
    ),
    definition: prepare<{ definition: string }>(db, "select definition from definitions where pin = :pin"),
    acceptTool: prepare(
      db,
      `update tools set accepted_pin = current_pin
       where upstream = :upstream and name = :name and current_pin = :pin and accepted_pin is distinct from :pin`,
    ),
    isAccepted: prepare<{ name: string }>(
      db,
      "select name from tools where upstream = :upstream and name = :name and current_pin = :pin and accepted_pin = :pin",
    ),
    allPins: prepare<ToolPin>(
      db,
      `select upstream, name, current_pin as currentPin, accepted_pin as acceptedPin from tools order by upstream, name`,
    ),
    dropTool: prepare(
      db,
      `update tools set current_pin = null, changed_at_ms = :now where upstream = :upstream and name = :name`,
    ),
  };
}

type Statements = ReturnType<typeof toolStatements>;
type Listings = Pick<GuardStore, "recordUpstream" | "recordTools">;
type Pins = Pick<GuardStore, "acceptTool" | "getDefinition" | "listToolPins" | "acceptedPins">;

/** What upstreams list, and what of it an admin accepted. */
export function createTools(deps: GuardsDeps): Listings & Pins {
  const statements = toolStatements(deps.db);
  return { ...listings(deps, statements), ...pins(deps, statements) };
}

function listings({ commits, ledger, writer }: GuardsDeps, statements: Statements): Listings {
  const actor = administrator(null, writer);

  function recordTool({ upstream, listed, known, isFirstListing }: RecordToolParams, now: number): void {
    const row = { upstream, name: listed.name, pin: listed.pin, now };
    if (known?.current_pin !== listed.pin) {
      statements.saveDefinition.run({ pin: listed.pin, definition: JSON.stringify(listed.definition) });
    }
    if (known === undefined) {
      const accepted = isFirstListing ? listed.pin : null;
      statements.insertTool.run({ ...row, accepted });
      const details = { upstream, tool: listed.name, pin: listed.pin, accepted };
      ledger.append({ type: "tool.seen", actor, details }, now);
    } else if (known.current_pin !== listed.pin) {
      statements.changeTool.run(row);
      noteChange(upstream, known, listed.pin, now);
    }
  }

  function noteChange(upstream: string, known: KnownTool, pin: Sha256Hex | null, now: number): void {
    const details = {
      upstream,
      tool: known.name,
      from: known.current_pin,
      to: pin,
      accepted: known.accepted_pin,
    };
    ledger.append({ type: "tool.changed", actor, details }, now);
  }

  return {
    recordUpstream: ({ name, fingerprint }) =>
      commits.run((tx) => {
        const previous = statements.fingerprint.get({ name })?.fingerprint ?? null;
        if (previous === fingerprint) return;
        statements.saveUpstream.run({ name, fingerprint, now: tx.nowMs });
        const details = { upstream: name, fingerprint, previous };
        ledger.append({ type: "upstream.recorded", actor, details }, tx.nowMs);
      }),
    recordTools: ({ upstream, tools }) =>
      commits.run((tx) => {
        const known = new Map(statements.tools.all({ upstream }).map((tool) => [tool.name, tool]));
        const listed = new Map(tools.map((tool) => [tool.name, tool]));
        for (const tool of listed.values()) {
          recordTool(
            { upstream, listed: tool, known: known.get(tool.name), isFirstListing: known.size === 0 },
            tx.nowMs,
          );
        }
        for (const tool of known.values()) {
          if (listed.has(tool.name) || tool.current_pin === null) continue;
          statements.dropTool.run({ upstream, name: tool.name, now: tx.nowMs });
          noteChange(upstream, tool, null, tx.nowMs);
        }
      }),
  };
}

function pins({ commits, reads, ledger, writer }: GuardsDeps, statements: Statements): Pins {
  return {
    acceptTool: ({ upstream, name, pin, by }) =>
      commits.run((tx) => {
        if (statements.acceptTool.run({ upstream, name, pin }) === 0) {
          return statements.isAccepted.get({ upstream, name, pin }) !== undefined;
        }
        const details = { upstream, tool: name, pin };
        ledger.append({ type: "tool.accepted", actor: administrator(by, writer), details }, tx.nowMs);
        return true;
      }),
    getDefinition: (pin) =>
      reads(() => {
        const row = statements.definition.get({ pin });
        return row === undefined ? null : JSON.parse(row.definition);
      }),
    listToolPins: () => reads(() => statements.allPins.all()),
    acceptedPins: (upstream) =>
      reads(
        () =>
          new Map(
            statements.tools
              .all({ upstream })
              .flatMap(({ name, accepted_pin }) =>
                accepted_pin === null ? [] : [[name, accepted_pin] as const],
              ),
          ),
      ),
  };
}
