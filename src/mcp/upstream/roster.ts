import type { UpstreamConfig } from "../../config/config.ts";
import type { Clock } from "../../domain/clock.ts";
import type { Sha256Hex } from "../../domain/ids.ts";

/** Which upstreams there are, and those that a reload took away while calls of theirs were under way. */
export interface Roster<Member extends { readonly config: UpstreamConfig }> {
  /** In order of configuration. */
  current(): readonly Member[];
  retired(): readonly Member[];
  /** The one of that name now, else the one that had it last. */
  named(name: string): Member | undefined;
  /** The one that a claim was made for, also when it was taken away since; never another endpoint of that name. */
  claimed(name: string, fingerprint: Sha256Hex): Member | undefined;
  /** @returns those that retire */
  replace(members: readonly Member[]): readonly Member[];
  /** Takes out what retired longer ago than this. */
  forget(afterMs: number): readonly Member[];
}

export function createRoster<Member extends { readonly config: UpstreamConfig }>(
  clock: Clock,
  first: readonly Member[],
): Roster<Member> {
  let members = first;
  let retired: readonly { readonly member: Member; readonly atMs: number }[] = [];
  /** Whoever retired last comes first. */
  const everyone = () => [...members, ...retired.map(({ member }) => member).toReversed()];
  return {
    current: () => members,
    retired: () => retired.map(({ member }) => member),
    named: (name) => everyone().find(({ config }) => config.name === name),
    claimed: (name, fingerprint) =>
      everyone().find(({ config }) => config.name === name && config.fingerprint === fingerprint),
    replace(next) {
      const gone = members.filter((member) => !next.includes(member));
      const atMs = clock.monotonicMs();
      retired = [...retired, ...gone.map((member) => ({ member, atMs }))];
      members = next;
      return gone;
    },
    forget(afterMs) {
      const before = clock.monotonicMs() - afterMs;
      const over = retired.filter(({ atMs }) => atMs <= before);
      retired = retired.filter(({ atMs }) => atMs > before);
      return over.map(({ member }) => member);
    },
  };
}
