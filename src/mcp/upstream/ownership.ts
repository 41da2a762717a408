/** Who has a name that several upstreams may offer: a URI, or a prompt's exposed name. */
export interface Ownership {
  /**
   * Takes what an upstream offers now.
   *
   * @param leadsTo whose a name is by something else than a list, asked for names that the upstream adds later
   */
  replace(upstream: string, names: readonly string[], leadsTo: (name: string) => string | null): void;
  /**
   * Takes another configuration: forgets upstreams that are not in it, and lifts what was quarantined behind one that may not have the
   * name any more.
   */
  configure(order: readonly string[], mayHave: (upstream: string, name: string) => boolean): void;
  /** Forgets what an upstream offers, so that its next list is a first one. */
  forget(upstream: string): void;
  /** null: nobody offers it. */
  ownerOf(name: string): Owner | null;
  /** Names of this upstream that are another's. */
  quarantined(upstream: string): readonly string[];
}

export type Owner =
  | { readonly kind: "owned"; readonly upstream: string }
  /** Only upstreams offer it that came second, behind this one. */
  | { readonly kind: "quarantined"; readonly behind: string };

interface Offered {
  readonly names: ReadonlySet<string>;
  /** Names that are another upstream's here, and whose they were. */
  readonly quarantine: Map<string, string>;
}

/**
 * Rules, in this order:
 *
 * 1. What an upstream offers in its first list counts as there from the start. Where several offer the same name so, it
 *    belongs to the first of them in the configuration, whichever came up first.
 * 2. A name that an upstream adds later, and that leads to another upstream by then, is quarantined there.
 * 3. Quarantine lasts while the upstream offers the name, also when the owner drops it or is gone from the list: what
 *    came second never moves up by itself. An administrator resolves it in the configuration.
 *
 * @param order upstreams as configured
 */
export function createOwnership(order: readonly string[]): Ownership {
  let inOrder = order;
  const offered = new Map<string, Offered>();
  let owners: ReadonlyMap<string, string> = new Map();

  const settle = (): void => {
    const next = new Map<string, string>();
    for (const upstream of inOrder) {
      const { names, quarantine } = offered.get(upstream) ?? { names: new Set(), quarantine: new Map() };
      for (const name of names) {
        if (quarantine.has(name)) continue;
        const owner = next.get(name);
        if (owner === undefined) next.set(name, upstream);
        else quarantine.set(name, owner);
      }
    }
    owners = next;
  };

  return {
    replace: (upstream, names, leadsTo) => {
      const before = offered.get(upstream);
      const quarantine = new Map<string, string>();
      for (const name of names) {
        const kept = before?.quarantine.get(name);
        const isLate = before !== undefined && !before.names.has(name);
        const other = kept ?? (isLate ? (owners.get(name) ?? leadsTo(name)) : null);
        if (other !== null && other !== upstream) quarantine.set(name, other);
      }
      offered.set(upstream, { names: new Set(names), quarantine });
      settle();
    },
    configure: (next, mayHave) => {
      inOrder = next;
      for (const [upstream, { quarantine }] of offered) {
        if (!next.includes(upstream)) offered.delete(upstream);
        for (const [name, behind] of quarantine) {
          if (!next.includes(behind) || !mayHave(behind, name)) quarantine.delete(name);
        }
      }
      settle();
    },
    forget: (upstream) => {
      offered.delete(upstream);
      settle();
    },
    ownerOf: (name) => {
      const upstream = owners.get(name);
      if (upstream !== undefined) return { kind: "owned", upstream };
      for (const { quarantine } of offered.values()) {
        const behind = quarantine.get(name);
        if (behind !== undefined) return { kind: "quarantined", behind };
      }
      return null;
    },
    quarantined: (upstream) => [...(offered.get(upstream)?.quarantine.keys() ?? [])],
  };
}
