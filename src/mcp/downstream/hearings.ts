import type { AgentId } from "../../domain/ids.ts";
import { covers } from "../../domain/kill-switch.ts";
import type { GuardStore, PrincipalStore } from "../../governance/ports.ts";
import type { UpstreamOffers } from "../../governance/read-ports.ts";
import { type RuleReadDeps, ruleRead } from "../../governance/rule-read.ts";
import { offersShownTo } from "./offer-view.ts";
import type { Hearing } from "./reads.ts";

/** Resources that one connection may watch. */
const MAX_WATCHES = 256;

/** What a connection is told of resources and prompts. */
export type OfferNews =
  | { readonly kind: "resources_list_changed" }
  | { readonly kind: "prompts_list_changed" }
  | { readonly kind: "resource_updated"; readonly uri: string };

export interface Listener {
  readonly agentId: AgentId;
  /** Must not throw. */
  readonly tell: (news: OfferNews) => void;
}

export interface HearingsDeps {
  readonly governance: RuleReadDeps & {
    readonly upstreams: UpstreamOffers;
    readonly store: Pick<GuardStore, "listKillSwitches"> & Pick<PrincipalStore, "getAgent">;
  };
  readonly onError: (error: unknown) => void;
}

/** Connections that stay open, and what each is told of: only what its agent may read. */
export interface Hearings {
  open(listener: Listener): OpenHearing;
  /** An upstream says that a resource changed. */
  readonly resourceUpdated: (updated: { readonly upstream: string; readonly uri: string }) => void;
  /** Something in the lists changed, or in what policy shows of them. */
  readonly offersChanged: () => void;
}

export interface OpenHearing extends Hearing {
  /** Ends every watch. */
  close(): void;
}

interface Watch {
  readonly upstream: string;
  readonly end: () => void;
}

interface Ear extends Listener {
  readonly watches: Map<string, Watch>;
  /** Resources whose news is being checked: one word is enough for all that comes meanwhile. */
  readonly checking: Set<string>;
}

interface View {
  readonly resources: string;
  readonly prompts: string;
}

export function createHearings({ governance, onError }: HearingsDeps): Hearings {
  const ears = new Set<Ear>();
  const views = new Map<AgentId, View>();

  const viewOf = (agentId: AgentId): View => {
    const shown = offersShownTo(agentId, governance);
    return {
      resources: JSON.stringify([shown.resources(), shown.templates()]),
      prompts: JSON.stringify(shown.prompts()),
    };
  };

  const tellIfAllowed = async (ear: Ear, upstream: string, uri: string): Promise<void> => {
    if (ear.checking.has(uri)) return;
    ear.checking.add(uri);
    try {
      const may = await mayHear({ agentId: ear.agentId, upstream, uri }, governance);
      ear.checking.delete(uri);
      if (may && ears.has(ear)) ear.tell({ kind: "resource_updated", uri });
    } catch (error) {
      // Not knowing whether it may be told, it is not told.
      ear.checking.delete(uri);
      onError(error);
    }
  };

  return {
    open: (listener) => {
      const ear: Ear = { ...listener, watches: new Map(), checking: new Set() };
      ears.add(ear);
      if (!views.has(ear.agentId)) views.set(ear.agentId, viewOf(ear.agentId));
      return hearingOf(ear, () => {
        ears.delete(ear);
        if (![...ears].some((other) => other.agentId === ear.agentId)) views.delete(ear.agentId);
      });
    },
    resourceUpdated: ({ upstream, uri }) => {
      for (const ear of ears) {
        if (isWatched(ear, upstream, uri)) void tellIfAllowed(ear, upstream, uri);
      }
    },
    offersChanged: () => {
      for (const [agentId, before] of views) {
        const now = viewOf(agentId);
        views.set(agentId, now);
        const own = [...ears].filter((ear) => ear.agentId === agentId);
        for (const ear of own) {
          if (now.resources !== before.resources) ear.tell({ kind: "resources_list_changed" });
          if (now.prompts !== before.prompts) ear.tell({ kind: "prompts_list_changed" });
        }
      }
    },
  };
}

function hearingOf(ear: Ear, onClose: () => void): OpenHearing {
  let open = true;
  const forget = (uri: string): void => {
    const watch = ear.watches.get(uri);
    ear.watches.delete(uri);
    watch?.end();
  };
  return {
    keep: ({ uri, ...watch }) => {
      if (!open || (ear.watches.size >= MAX_WATCHES && !ear.watches.has(uri))) {
        watch.end();
        return false;
      }
      forget(uri);
      ear.watches.set(uri, watch);
      return true;
    },
    forget,
    close: () => {
      open = false;
      for (const uri of ear.watches.keys()) forget(uri);
      onClose();
    },
  };
}

/** Whether the news is of a resource that is watched at this upstream, or of one below it, as the protocol allows. */
function isWatched(ear: Ear, upstream: string, uri: string): boolean {
  return [...ear.watches].some(
    ([watched, watch]) =>
      watch.upstream === upstream &&
      (uri === watched || uri.startsWith(watched.endsWith("/") ? watched : `${watched}/`)),
  );
}

/** The same questions as for a read, asked anew for each piece of news: much may have changed since the subscription. */
async function mayHear(
  asked: { readonly agentId: AgentId; readonly upstream: string; readonly uri: string },
  governance: HearingsDeps["governance"],
): Promise<boolean> {
  const { agentId, upstream, uri } = asked;
  const route = governance.upstreams.routeResource(uri);
  if (route.kind !== "found" || route.upstream !== upstream) return false;
  if (!ruleRead({ agentId, upstream, kind: "resource", name: uri }, governance).ruling.allowed) return false;
  const agent = await governance.store.getAgent(agentId);
  if (agent === null || agent.revokedAtMs !== null) return false;
  const switches = await governance.store.listKillSwitches();
  return !switches.some((s) => covers(s, { upstream, tool: null, agentId }));
}
