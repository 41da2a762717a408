import type { Case } from "./case.ts";

export const KILL_SWITCH_SCOPES = ["all", "upstream", "tool", "agent"] as const;

/** What a kill switch stops. */
export interface KillSwitch {
  readonly scope: (typeof KILL_SWITCH_SCOPES)[number];
  /** Upstream, `upstream/tool` or agent; `*` for all. */
  readonly target: string;
}

/** Whether a kill switch stops this case, or this read, which is of no tool. */
export function covers(
  killSwitch: KillSwitch,
  target: Pick<Case, "upstream" | "agentId"> & { readonly tool: string | null },
): boolean {
  switch (killSwitch.scope) {
    case "all":
      return true;
    case "upstream":
      return killSwitch.target === target.upstream;
    case "tool":
      return target.tool !== null && killSwitch.target === `${target.upstream}/${target.tool}`;
    case "agent":
      return killSwitch.target === target.agentId;
    default:
      return killSwitch.scope satisfies never;
  }
}
