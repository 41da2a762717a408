import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Option } from "commander";
import { z } from "zod";
import { FIRST_CREDENTIALS_FILE, firstCredentialsSchema } from "../bootstrap.ts";
import { AtlasError } from "../domain/errors.ts";
import { readHolder } from "../store/sqlite/lock.ts";

/** Options that say which gateway is meant. */
export const configOption = () =>
  new Option("--config <file>", "configuration file (default: atlas.yaml here, else the welfare example)");
export const dataOption = () =>
  new Option("--data <folder>", "data folder (default: ATLAS_DATA, else .atlas here)");
export const urlOption = () =>
  new Option("--url <url>", "address of the gateway (default: the one running on the data folder)");

export interface WhereOptions {
  readonly config?: string;
  readonly data?: string;
  readonly url?: string;
}

/** The configuration file that is meant: the one named, `atlas.yaml` in the working folder, or the welfare example. */
export function configPath(options: WhereOptions): string {
  if (options.config !== undefined) return path.resolve(options.config);
  const own = path.resolve("atlas.yaml");
  return existsSync(own) ? own : fileURLToPath(new URL("../../examples/welfare/atlas.yaml", import.meta.url));
}

/** The data folder that is meant: `--data`, else `ATLAS_DATA`, else `.atlas` in the working folder. */
export function dataDir(options: WhereOptions): string {
  return path.resolve(options.data ?? process.env["ATLAS_DATA"] ?? ".atlas");
}

/** @throws AtlasError when no gateway runs on the data folder and no address was given. */
export function gatewayUrl(options: WhereOptions): string {
  if (options.url !== undefined) return options.url.replace(/\/$/, "");
  const holder = readHolder(dataDir(options));
  if (holder?.url === undefined || holder.url === null) {
    throw new AtlasError(
      "config.invalid",
      `No gateway is running on ${dataDir(options)}. Start one with \`npm start\`, or name one with --url, or its folder with --data.`,
    );
  }
  return holder.url.replace(/\/$/, "");
}

/** The first start's credentials, for use on the machine that has them; null when there is no such file. */
export function readFirstCredentials(options: WhereOptions): z.infer<typeof firstCredentialsSchema> | null {
  const file = path.join(dataDir(options), FIRST_CREDENTIALS_FILE);
  if (!existsSync(file)) return null;
  return firstCredentialsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

/** @throws AtlasError when no token was given and the data folder has none. */
export function reviewerToken(options: WhereOptions & { readonly reviewerToken?: string }): string {
  const token =
    options.reviewerToken ??
    process.env["ATLAS_REVIEWER_TOKEN"] ??
    readFirstCredentials(options)?.reviewer.token;
  if (token !== undefined) return token;
  throw new AtlasError(
    "auth.missing",
    "No reviewer's token: give it with --reviewer-token or in ATLAS_REVIEWER_TOKEN.",
  );
}
