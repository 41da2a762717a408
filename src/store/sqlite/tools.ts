import type { Sha256Hex } from "../../domain/ids.ts";
import type { GuardStore, HeldTool, ToolChanged } from "../../governance/ports.ts";
import { planAcceptance } from "../../governance/transitions/acceptance.ts";
import { type ListingStep, planListing } from "../../governance/transitions/listing.ts";
import { administrator } from "../administrator.ts";
import type { ChangeListeners } from "../change-listeners.ts";
import { prepare } from "./connection.ts";
import type { GuardsDeps } from "./guards.ts";
import { createToolRows, type ToolRows } from "./tool-rows.ts";

export interface ToolsDeps extends GuardsDeps {
  readonly listeners: ChangeListeners<ToolChanged>;
}

type Listings = Pick<GuardStore, "recordUpstream" | "recordTools">;
type Pins = Pick<
  GuardStore,
  "acceptTool" | "acceptanceOf" | "getDefinition" | "listToolPins" | "acceptedPins" | "onToolChange"
>;

/** What upstreams list, and what of it an admin accepted. */
export function createTools(deps: ToolsDeps): Listings & Pins {
  const tools = createToolRows(deps.db);
  return { ...listings(deps, tools), ...pins(deps, tools) };
}

function listings({ db, commits, ledger, writer, listeners }: ToolsDeps, tools: ToolRows): Listings {
  const actor = administrator(null, writer);
  const saved = prepare<{ fingerprint: Sha256Hex }>(
    db,
    "select fingerprint from upstreams where name = :name",
  );
  const saveUpstream = prepare(
    db,
    `insert into upstreams (name, fingerprint, updated_at_ms) values (:name, :fingerprint, :now)
     on conflict (name) do update set fingerprint = excluded.fingerprint, updated_at_ms = excluded.updated_at_ms`,
  );

  function take(upstream: string, step: ListingStep, now: number): ToolChanged {
    const tell = (type: string, details: Parameters<typeof ledger.append>[0]["details"]) =>
      ledger.append({ type, actor, details: { upstream, ...details } }, now);
    if (step.kind === "seen") {
      const { tool, held } = step;
      tools.saveDefinition(tool);
      tools.insert({ upstream, name: tool.name, ...step }, now);
      const accepted = step.accepted ? tool.pin : null;
      const why = { held: held?.reasonId, about: held?.about ?? undefined };
      tell("tool.seen", { tool: tool.name, pin: tool.pin, accepted, ...why });
      return { upstream, name: tool.name };
    }
    const { known } = step;
    if (step.kind === "noted") {
      tools.note(known, step.exposedName, step.held);
      const { held } = step;
      if (held?.reasonId !== known.held?.reasonId) {
        tell("tool.held", {
          tool: known.name,
          reason: held?.reasonId ?? null,
          about: held?.about ?? undefined,
        });
      }
      return known;
    }
    const pin = step.kind === "changed" ? step.tool.pin : null;
    if (step.kind === "changed") tools.saveDefinition(step.tool);
    tools.setPin(known, pin, now);
    tell("tool.changed", { tool: known.name, from: known.currentPin, to: pin, accepted: known.acceptedPin });
    return known;
  }

  return {
    recordUpstream: ({ name, fingerprint }) =>
      commits.run((tx) => {
        const previous = saved.get({ name })?.fingerprint ?? null;
        if (previous === fingerprint) return;
        saveUpstream.run({ name, fingerprint, now: tx.nowMs });
        const details = { upstream: name, fingerprint, previous };
        ledger.append({ type: "upstream.recorded", actor, details }, tx.nowMs);
      }),
    recordTools: async (params) => {
      const { upstream } = params;
      const { changes, held } = await commits.run((tx) => {
        const steps = planListing(
          { known: tools.all(), definitionOf: (pin) => tools.definition(pin) },
          params,
        );
        const taken = steps.map((step) => take(upstream, step, tx.nowMs));
        return { changes: taken, held: tools.all().flatMap((tool) => heldOf(tool, upstream)) };
      });
      listeners.tell(changes);
      return held;
    },
  };
}

function heldOf(tool: ReturnType<ToolRows["all"]>[number], upstream: string): readonly HeldTool[] {
  if (tool.upstream !== upstream || tool.held === null || tool.currentPin === null) return [];
  return [{ name: tool.name, ...tool.held }];
}

function pins({ commits, reads, ledger, writer, listeners }: ToolsDeps, tools: ToolRows): Pins {
  return {
    acceptTool: async (params) => {
      const { upstream, name, pin, by } = params;
      const result = await commits.run((tx) => {
        const snapshot = {
          tool: tools.find({ upstream, name }),
          earlier: tools.acceptance({ upstream, name, pin }),
          nowMs: tx.nowMs,
        };
        const planned = planAcceptance(snapshot, params);
        if (planned.kind !== "accepted" || planned.repeated) return planned;
        const { acceptance } = planned;
        tools.accept({ upstream, name }, acceptance);
        const details = {
          upstream,
          tool: name,
          pin: acceptance.pin,
          class: acceptance.manifest.class,
          reversible: acceptance.manifest.reversible,
          data: acceptance.manifest.data,
          safe_to_repeat: acceptance.safeToRepeat,
        };
        ledger.append({ type: "tool.accepted", actor: administrator(by, writer), details }, tx.nowMs);
        return planned;
      });
      if (result.kind === "accepted" && !result.repeated) listeners.tell([{ upstream, name }]);
      return result;
    },
    acceptanceOf: ({ upstream, name, pin }) =>
      reads(() =>
        tools.find({ upstream, name })?.acceptedPin === pin
          ? tools.acceptance({ upstream, name, pin })
          : null,
      ),
    getDefinition: (pin) => reads(() => tools.definition(pin)),
    listToolPins: () => reads(() => tools.pins()),
    acceptedPins: (upstream) =>
      reads(
        () =>
          new Map(
            tools
              .all()
              .flatMap((tool) =>
                tool.upstream !== upstream || tool.acceptedPin === null
                  ? []
                  : [[tool.name, tool.acceptedPin] as const],
              ),
          ),
      ),
    onToolChange: listeners.listen,
  };
}
