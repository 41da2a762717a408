import { compileGlob } from "../policy/glob.ts";
import type { UpstreamConfig } from "./config.ts";

/** Whether an upstream may answer for a URI, by what the operator says of it. */
export function resourceScope(config: Pick<UpstreamConfig, "resources">): (uri: string) => boolean {
  const globs = config.resources.map((glob) => compileGlob(glob));
  return (uri) => globs.some((glob) => glob.matches(uri));
}
