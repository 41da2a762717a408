import type { Sha256Hex } from "../../domain/ids.ts";
import type { ToolDefinition } from "../../domain/tool.ts";
import type { GuardStore, HeldTool, ToolChanged } from "../../governance/ports.ts";
import { planAcceptance } from "../../governance/transitions/acceptance.ts";
import {
  type KnownTool,
  type ListingParams,
  type ListingSnapshot,
  type ListingStep,
  planListing,
} from "../../governance/transitions/listing.ts";
import { administrator } from "../administrator.ts";
import { OF_GUARDS } from "./commits.ts";
import type { GuardsDeps } from "./guards.ts";
import { type Steps, statement } from "./statement.ts";
import { createToolRows, type ToolRows } from "./tool-rows.ts";

export interface ToolsDeps extends GuardsDeps {
  readonly listen: GuardStore["onToolChange"];
}

type Listings = Pick<GuardStore, "recordUpstream" | "recordTools">;
type Pins = Pick<
  GuardStore,
  "acceptTool" | "acceptanceOf" | "getDefinition" | "listToolPins" | "acceptedPins" | "onToolChange"
>;

/** What upstreams list, and what of it an admin accepted. */
export function createTools(deps: ToolsDeps): Listings & Pins {
  const tools = createToolRows();
  return { ...listings(deps, tools), ...pins(deps, tools) };
}

function listings({ commits, ledger, writer }: ToolsDeps, tools: ToolRows): Listings {
  const actor = administrator(null, writer);
  const saved = statement<{ fingerprint: Sha256Hex }>("select fingerprint from upstreams where name = :name");
  const saveUpstream =
    statement(`insert into upstreams (name, fingerprint, updated_at_ms) values (:name, :fingerprint, :now)
     on conflict (name) do update set fingerprint = excluded.fingerprint, updated_at_ms = excluded.updated_at_ms`);

  function* take(upstream: string, step: ListingStep, now: number): Steps<ToolChanged> {
    const tell = (type: string, details: Parameters<typeof ledger.append>[0]["details"]) =>
      ledger.append({ type, actor, details: { upstream, ...details } }, now);
    if (step.kind === "seen") {
      const { tool, held } = step;
      yield* tools.saveDefinition(tool);
      yield* tools.insert({ upstream, name: tool.name, ...step }, now);
      const accepted = step.accepted ? tool.pin : null;
      const why = { held: held?.reasonId, about: held?.about ?? undefined };
      yield* tell("tool.seen", { tool: tool.name, pin: tool.pin, accepted, ...why });
      return { upstream, name: tool.name };
    }
    const { known } = step;
    if (step.kind === "noted") {
      yield* tools.note(known, step.exposedName, step.held);
      const { held } = step;
      if (held?.reasonId !== known.held?.reasonId) {
        yield* tell("tool.held", {
          tool: known.name,
          reason: held?.reasonId ?? null,
          about: held?.about ?? undefined,
        });
      }
      return known;
    }
    const pin = step.kind === "changed" ? step.tool.pin : null;
    if (step.kind === "changed") yield* tools.saveDefinition(step.tool);
    yield* tools.setPin(known, pin, now);
    yield* tell("tool.changed", {
      tool: known.name,
      from: known.currentPin,
      to: pin,
      accepted: known.acceptedPin,
    });
    return known;
  }

  return {
    recordUpstream: ({ name, fingerprint }) =>
      commits.run(OF_GUARDS, function* (tx) {
        const previous = (yield* saved.get({ name }))?.fingerprint ?? null;
        if (previous === fingerprint) return;
        yield* saveUpstream.send({ name, fingerprint, now: tx.nowMs });
        const details = { upstream: name, fingerprint, previous };
        yield* ledger.append({ type: "upstream.recorded", actor, details }, tx.nowMs);
      }),
    recordTools: (params) =>
      commits.run(OF_GUARDS, function* (tx) {
        const { upstream } = params;
        const steps = planListing(yield* knownTools(tools, params), params);
        for (const step of steps) tx.changed({ tool: yield* take(upstream, step, tx.nowMs) });
        return (yield* tools.all()).flatMap((tool) => heldOf(tool, upstream));
      }),
  };
}

/** With the definitions of tools that are gone, where a new one may be one of them under another name. */
function* knownTools(tools: ToolRows, { upstream, tools: listed }: ListingParams): Steps<ListingSnapshot> {
  const known = yield* tools.all();
  const own = known.filter((tool) => tool.upstream === upstream);
  const hasNew = listed.some(({ name }) => own.every((tool) => tool.name !== name));
  const definitions = new Map<Sha256Hex, ToolDefinition | null>();
  if (hasNew) {
    const names = new Set(listed.map(({ name }) => name));
    for (const { name, acceptedPin, currentPin } of own) {
      const pin = acceptedPin ?? currentPin;
      if (pin !== null && !names.has(name)) definitions.set(pin, yield* tools.definition(pin));
    }
  }
  return { known, definitionOf: (pin) => definitions.get(pin) ?? null };
}

function heldOf(tool: KnownTool, upstream: string): readonly HeldTool[] {
  if (tool.upstream !== upstream || tool.held === null || tool.currentPin === null) return [];
  return [{ name: tool.name, ...tool.held }];
}

function pins({ commits, reads, ledger, writer, listen }: ToolsDeps, tools: ToolRows): Pins {
  return {
    acceptTool: (params) =>
      commits.run(OF_GUARDS, function* (tx) {
        const { upstream, name, pin, by } = params;
        const snapshot = {
          tool: yield* tools.find({ upstream, name }),
          earlier: yield* tools.acceptance({ upstream, name, pin }),
          nowMs: tx.nowMs,
        };
        const planned = planAcceptance(snapshot, params);
        if (planned.kind !== "accepted" || planned.repeated) return planned;
        const { acceptance } = planned;
        yield* tools.accept({ upstream, name }, acceptance);
        const details = {
          upstream,
          tool: name,
          pin: acceptance.pin,
          class: acceptance.manifest.class,
          reversible: acceptance.manifest.reversible,
          data: acceptance.manifest.data,
          safe_to_repeat: acceptance.safeToRepeat,
        };
        yield* ledger.append({ type: "tool.accepted", actor: administrator(by, writer), details }, tx.nowMs);
        tx.changed({ tool: { upstream, name } });
        return planned;
      }),
    acceptanceOf: ({ upstream, name, pin }) =>
      reads(
        (function* () {
          const accepted = (yield* tools.find({ upstream, name }))?.acceptedPin === pin;
          return accepted ? yield* tools.acceptance({ upstream, name, pin }) : null;
        })(),
      ),
    getDefinition: (pin) => reads(tools.definition(pin)),
    listToolPins: () => reads(tools.pins()),
    acceptedPins: (upstream) =>
      reads(
        (function* () {
          const accepted = (yield* tools.all()).flatMap((tool) =>
            tool.upstream !== upstream || tool.acceptedPin === null
              ? []
              : [[tool.name, tool.acceptedPin] as const],
          );
          return new Map(accepted);
        })(),
      ),
    onToolChange: listen,
  };
}
