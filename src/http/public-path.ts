import { getPath } from "hono/utils/url";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/**
 * How a request's path is read when the gateway is reached under a prefix: the same with the prefix, as most proxies pass it
 * on, and without, as those do that strip it. RFC 9728 puts the prefix of a resource behind the well-known path.
 *
 * @param publicPath the prefix, such as `/atlas`; empty for none
 */
export function pathReader(publicPath: string): (request: Request) => string {
  if (publicPath === "") return getPath;
  return (request) => {
    const path = getPath(request);
    if (isUnder(path, publicPath)) return path.slice(publicPath.length) || "/";
    const metadata = `${WELL_KNOWN}${publicPath}`;
    return isUnder(path, metadata) ? WELL_KNOWN + path.slice(metadata.length) : path;
  };
}

function isUnder(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}
