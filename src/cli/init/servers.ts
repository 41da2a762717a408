import path from "node:path";
import { fileURLToPath } from "node:url";
import { AtlasError } from "../../domain/errors.ts";
import { GATEWAY_SERVER, type Removal, readClientFile } from "../../setup/client-file.ts";
import { CLIENT_IDS, type ClientPlace } from "../../setup/client-places.ts";
import { readServer } from "../../setup/client-server.ts";
import { commandProblem, readUpstreamEntry, type UpstreamEntry } from "../../setup/upstream-entry.ts";

const WELFARE = fileURLToPath(new URL("../../../examples/welfare", import.meta.url));

/** A client's file and the servers that leave it. */
export interface Move {
  readonly place: ClientPlace;
  readonly removals: readonly Removal[];
}

/** What goes behind the gateway, and from where. */
export interface Servers {
  readonly upstreams: readonly UpstreamEntry[];
  /** For `.env`. */
  readonly variables: Readonly<Record<string, string>>;
  readonly moves: readonly Move[];
  /** One sentence for each server that stays with its client. */
  readonly stay: readonly string[];
}

/**
 * The servers that were named.
 *
 * @param folder of the configuration file
 * @throws AtlasError `config.invalid` when one cannot be read, or its command is not there
 */
export function namedServers(text: string, folder: string): readonly UpstreamEntry[] {
  const entries = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(readUpstreamEntry);
  const problems = entries
    .map((entry) => commandProblem(entry, folder))
    .filter((problem) => problem !== null);
  if (problems.length > 0)
    throw new AtlasError("config.invalid", `${problems.join("\n")}\nNothing was changed.`);
  return entries;
}

/** The example that a gateway without servers of its own has. */
export function welfareExample(folder: string): UpstreamEntry {
  const inside = path.relative(folder, WELFARE);
  const cwd = inside.startsWith("..") || path.isAbsolute(inside) ? WELFARE : inside;
  return {
    name: "welfare",
    command: "node",
    args: ["start.js"],
    cwd,
    env: { WELFARE_DB: "${ATLAS_DATA}/welfare.db" },
    prefix: "",
  };
}

/** Clients that have servers of their own, each as a line for people. */
export function describeClients(places: readonly ClientPlace[]): readonly string[] {
  return places.flatMap((place) => {
    const names = (readClientFile(place) ?? []).flatMap(({ servers }) => ownNames(servers));
    return names.length === 0 ? [] : [`  ${place.id.padEnd(15)} ${place.file}: ${names.join(", ")}`];
  });
}

/**
 * The servers of the clients that were chosen.
 *
 * @param choice `all`, `none`, or ids with commas
 * @throws AtlasError `config.invalid` when a client is not known, or its file cannot be read
 */
export function serversOfClients(choice: string, places: readonly ClientPlace[], folder: string): Servers {
  const chosen = chosenClients(choice);
  const upstreams = new Map<string, UpstreamEntry>();
  const variables: Record<string, string> = {};
  const stay: string[] = [];
  const moves: Move[] = [];
  for (const place of places.filter(({ id }) => chosen.has(id))) {
    const removals: Removal[] = [];
    for (const { section, servers } of readClientFile(place) ?? []) {
      const names: string[] = [];
      for (const name of ownNames(servers)) {
        const read = readServer(name, servers[name]);
        const because = "because" in read ? `${read.because}.` : obstacle(read.upstream, upstreams, folder);
        if (because !== null) stay.push(`${name} stays in ${place.file}: ${because}`);
        if (because !== null || "because" in read) continue;
        upstreams.set(name, read.upstream);
        Object.assign(variables, read.variables);
        names.push(name);
      }
      if (names.length > 0) removals.push({ section, names });
    }
    if (removals.length > 0) moves.push({ place, removals });
  }
  return { upstreams: [...upstreams.values()], variables, moves, stay };
}

function obstacle(
  upstream: UpstreamEntry,
  others: ReadonlyMap<string, UpstreamEntry>,
  folder: string,
): string | null {
  const other = others.get(upstream.name);
  if (other !== undefined && JSON.stringify(other) !== JSON.stringify(upstream))
    return "another client has another server of that name; rename one of them.";
  return commandProblem(upstream, folder);
}

function chosenClients(choice: string): ReadonlySet<string> {
  if (choice === "none") return new Set();
  if (choice === "all") return new Set(CLIENT_IDS);
  const ids = choice.split(",");
  const known: readonly string[] = CLIENT_IDS;
  const stranger = ids.find((id) => !known.includes(id));
  if (stranger === undefined) return new Set(ids);
  throw new AtlasError(
    "config.invalid",
    `There is no client ${stranger}; write all, none, or some of ${CLIENT_IDS.join(", ")}.`,
  );
}

function ownNames(servers: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(servers).filter((name) => name !== GATEWAY_SERVER);
}
