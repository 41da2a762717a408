import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config.ts";

/** Each member of the configuration: its key in the file, and whether only a restart can change it. */
const MEMBERS: Readonly<
  Record<keyof Config, { readonly key: string; readonly changes: "running" | "at a restart" }>
> = {
  publicUrl: { key: "public_url", changes: "at a restart" },
  publicPath: { key: "public_url", changes: "at a restart" },
  agents: { key: "agents", changes: "running" },
  listen: { key: "listen", changes: "at a restart" },
  dataDir: { key: "--data", changes: "at a restart" },
  engine: { key: "engine", changes: "at a restart" },
  database: { key: "database", changes: "at a restart" },
  upstreams: { key: "upstreams", changes: "running" },
  policy: { key: "policy", changes: "running" },
  risk: { key: "risk", changes: "running" },
  review: { key: "review", changes: "running" },
  hold: { key: "hold", changes: "running" },
  maxResultBytes: { key: "max_result", changes: "at a restart" },
  notify: { key: "notify", changes: "running" },
  retention: { key: "retention", changes: "running" },
  metrics: { key: "metrics", changes: "running" },
  portals: { key: "portals", changes: "running" },
  observe: { key: "mode", changes: "running" },
  singleOperator: { key: "single_operator", changes: "running" },
};

export interface ConfigChange {
  /** Keys of the file whose value is another one, in the file's words. */
  readonly changed: readonly string[];
  /** Those of them that a running gateway cannot change. */
  readonly needRestart: readonly string[];
}

/** Each once: one key may make several members. */
function keysOf(members: readonly (readonly [string, { readonly key: string }])[]): readonly string[] {
  return [...new Set(members.map(([, { key }]) => key))];
}

/** What differs between two configurations. */
export function configChange(from: Config, to: Config): ConfigChange {
  const changed = Object.entries(MEMBERS).filter(
    ([member]) => !isDeepStrictEqual(Reflect.get(from, member), Reflect.get(to, member)),
  );
  return {
    changed: keysOf(changed),
    needRestart: keysOf(changed.filter(([, { changes }]) => changes === "at a restart")),
  };
}
