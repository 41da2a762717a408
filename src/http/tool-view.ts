import { isConfirmed, mustBeNamed, type ToolDetail } from "../governance/tool-report.ts";
import { isoTime } from "./case-view.ts";
import { diffBody, manifestBody } from "./manifest-view.ts";
import type { ToolBody, ToolDetailBody } from "./tool-contract.ts";

/** A tool as admins and programs read it. */
export function toolBody(tool: ToolDetail): ToolBody {
  const { acceptance } = tool;
  return {
    upstream: tool.upstream,
    name: tool.name,
    exposed_name: tool.exposedName,
    state: tool.state,
    confirmed: isConfirmed(tool),
    must_be_named: mustBeNamed(tool),
    pin: tool.currentPin,
    accepted_pin: tool.acceptedPin,
    reason_id: tool.held?.reasonId ?? null,
    flags: tool.flags.map(({ id, about }) => ({ id, about })),
    proposed: tool.proposed === null ? null : manifestBody(tool.proposed.manifest),
    suggested: tool.suggested === null ? null : manifestBody(tool.suggested),
    manifest: acceptance === null ? null : manifestBody(acceptance.manifest),
    safe_to_repeat: acceptance?.safeToRepeat ?? null,
    accepted_by: acceptance?.by ?? null,
    accepted_at: acceptance === null ? null : isoTime(acceptance.atMs),
    first_seen_at: isoTime(tool.firstSeenAtMs),
    changed_at: isoTime(tool.changedAtMs),
  };
}

export function toolDetailBody(tool: ToolDetail): ToolDetailBody {
  const { acceptedDefinition: accepted, currentDefinition: current } = tool;
  return {
    tool: toolBody(tool),
    accepted_definition: accepted === null ? null : JSON.stringify(accepted),
    current_definition: current === null ? null : JSON.stringify(current),
    diff: diffBody(tool.diff),
  };
}
