import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { applyEdits, modify, type ParseError, parse } from "jsonc-parser";
import { z } from "zod";
import { AtlasError } from "../domain/errors.ts";
import type { ClientPlace } from "./client-places.ts";
import { replaceFile } from "./replace-file.ts";

/** Name of the one server that stands for all that the gateway governs. */
export const GATEWAY_SERVER = "atlas";

export type Servers = Readonly<Record<string, unknown>>;

/** Servers that leave one list of a client's file. */
export interface Removal {
  readonly section: readonly string[];
  readonly names: readonly string[];
}

/**
 * The servers of each list in a client's file; null when the file is not there.
 *
 * @throws AtlasError `config.invalid` when the file is not JSON (comments and trailing commas are allowed)
 */
export function readClientFile(
  place: ClientPlace,
): readonly { section: readonly string[]; servers: Servers }[] | null {
  if (!existsSync(place.file)) return null;
  return sectionsOf(readFileSync(place.file, "utf8"), place);
}

/** Where what was there before is kept until it is undone. */
export function backupOf(place: ClientPlace): string {
  return `${place.file}.before-atlas`;
}

/**
 * Takes servers out of a client's file and puts the gateway in their place. Everything else stays as it is, comments
 * too. What was there is kept beside it; a second time adds to what is kept.
 *
 * @param entry how the client starts its bridge to the gateway
 */
export function putBehind(place: ClientPlace, removals: readonly Removal[], entry: object): void {
  const text = readFileSync(place.file, "utf8");
  const backup = backupOf(place);
  const kept = existsSync(backup) ? withServers(readFileSync(backup, "utf8"), text, place, removals) : text;
  // First, so that nothing is ever gone that is not kept.
  replaceFile(backup, kept, { mode: statSync(place.file).mode & 0o777 });
  replaceFile(place.file, textBehind(text, removals, { ...place.extra, ...entry }));
}

/**
 * Brings back what {@link putBehind} took out; what changed in the file since then stays.
 *
 * @returns false when there is nothing to bring back
 */
export function takeBack(place: ClientPlace): boolean {
  const backup = backupOf(place);
  if (!existsSync(backup)) return false;
  const before = readFileSync(backup, "utf8");
  const after = existsSync(place.file)
    ? textTakenBack(readFileSync(place.file, "utf8"), before, place)
    : before;
  replaceFile(place.file, after);
  rmSync(backup);
  return true;
}

function textBehind(text: string, removals: readonly Removal[], entry: object): string {
  return removals.reduce((at, { section, names }) => {
    const without = names.reduce((rest, name) => set(rest, [...section, name], undefined), at);
    return set(without, [...section, GATEWAY_SERVER], entry);
  }, text);
}

function textTakenBack(text: string, before: string, place: ClientPlace): string {
  const original = sectionsOf(before, place);
  const now = new Map(sectionsOf(text, place).map(({ section, servers }) => [section.join("/"), servers]));
  const missing = original.map(({ section, servers }) => {
    const present = now.get(section.join("/")) ?? {};
    return { section, servers, names: Object.keys(servers).filter((name) => !Object.hasOwn(present, name)) };
  });
  // Where nothing else was changed, the very bytes come back, with the comments inside what was taken out.
  const gateway = [...now.values()].find((servers) => Object.hasOwn(servers, GATEWAY_SERVER))?.[
    GATEWAY_SERVER
  ];
  const removals = missing.filter(({ names }) => names.length > 0);
  if (isObject(gateway) && textBehind(before, removals, gateway) === text) return before;
  return missing.reduce((at, { section, servers, names }) => {
    const restored = names.reduce((rest, name) => set(rest, [...section, name], servers[name]), at);
    if (!Object.hasOwn(now.get(section.join("/")) ?? {}, GATEWAY_SERVER)) return restored;
    return set(restored, [...section, GATEWAY_SERVER], servers[GATEWAY_SERVER]);
  }, text);
}

/** The kept text with the servers that are taken out now, so that one undo brings back all of them. */
function withServers(kept: string, text: string, place: ClientPlace, removals: readonly Removal[]): string {
  const sections = new Map(
    sectionsOf(text, place).map(({ section, servers }) => [section.join("/"), servers]),
  );
  return removals.reduce(
    (at, { section, names }) =>
      names.reduce(
        (rest, name) => set(rest, [...section, name], sections.get(section.join("/"))?.[name]),
        at,
      ),
    kept,
  );
}

function sectionsOf(
  text: string,
  place: ClientPlace,
): readonly { section: readonly string[]; servers: Servers }[] {
  const errors: ParseError[] = [];
  const value: unknown = parse(text.replace(/^\uFEFF/u, ""), errors, { allowTrailingComma: true });
  if (errors.length > 0 || (value !== undefined && !isObject(value))) throw unreadable(place);
  return place.sections.map((section) => ({ section, servers: serversAt(value, section, place) }));
}

function serversAt(value: unknown, section: readonly string[], place: ClientPlace): Servers {
  let at: unknown = value;
  for (const key of section) {
    if (at === undefined) return {};
    if (!isObject(at)) throw unreadable(place);
    at = Object.hasOwn(at, key) ? at[key] : undefined;
  }
  const servers = z.record(z.string(), z.unknown()).optional().safeParse(at);
  if (!servers.success) throw unreadable(place);
  return servers.data ?? {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unreadable({ name, file, sections, id }: ClientPlace): AtlasError {
  const keys = sections.map((section) => `\`${section.at(-1)}\``);
  return new AtlasError(
    "config.invalid",
    `The configuration of ${name}, ${file}, is no JSON object with servers in ${[...new Set(keys)].join(" or ")}; mend it, or leave out ${id}.`,
  );
}

function set(text: string, path: readonly string[], value: unknown): string {
  const mark = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const bare = text.slice(mark.length);
  const indent = /^([ \t]+)\S/mu.exec(bare)?.[1] ?? "  ";
  const formattingOptions = {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.startsWith("\t") ? 1 : indent.length,
    eol: bare.includes("\r\n") ? "\r\n" : "\n",
  };
  return mark + applyEdits(bare, modify(bare, [...path], value, { formattingOptions }));
}
