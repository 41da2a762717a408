/** Where a URL points and how. */
export interface UrlMeaning {
  readonly scheme: string;
  readonly host: string;
  /** `internal`: names that no public registry gives out, and private ranges; `metadata`: cloud credentials. */
  readonly place: "internal" | "metadata" | "outside" | "local-file";
  /** Carries user info, an encoded secret or more data than an address needs. */
  readonly carriesData: boolean;
}

/** Suffixes reserved for private use (RFC 6762, RFC 8375, ICANN `.internal`). */
const PRIVATE_SUFFIX =
  /(?:^localhost|\.(?:internal|local|localdomain|lan|corp|intranet|home\.arpa|svc|cluster\.local|localhost))$/u;
const PRIVATE_RANGE =
  /^(?:(?:10|127)(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}|\[::1\]|\[f[cd][0-9a-f:]{2,40}\])$/u;
const METADATA =
  /^(?:169\.254\.169\.254|metadata\.google\.internal|\[?fd00:ec2::254\]?|100\.100\.100\.200)$/u;
const URL_TEXT = /^\s*([a-z][a-z0-9+.-]{1,20}):\/\/([^\s/?#]{0,300})([^\s]{0,4000})/iu;

/** The URL that a text is, if it is one. @param inside domains that the operator named as their own */
export function readUrl(text: string, inside: readonly string[] = []): UrlMeaning | null {
  const match = URL_TEXT.exec(text);
  if (match === null) return null;
  const scheme = (match[1] ?? "").toLowerCase();
  const authority = match[2] ?? "";
  const host = hostOf(authority);
  return {
    scheme,
    host,
    place: scheme === "file" ? "local-file" : isWithin(host, inside) ? "internal" : placeOfHost(host),
    carriesData:
      authority.includes("@") || /[?&][^=]*=(?:[A-Za-z0-9+/_-]{80,}|[^&]{300,})/u.test(match[3] ?? ""),
  };
}

function hostOf(authority: string): string {
  const host = authority.slice(authority.lastIndexOf("@") + 1).toLowerCase();
  return host.startsWith("[")
    ? host.slice(0, host.indexOf("]") + 1)
    : host.replace(/:\d*$/u, "").replace(/\.$/u, "");
}

/** Whether a host is one of the domains, or below one of them. */
export function isWithin(host: string, domains: readonly string[]): boolean {
  return domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

export function placeOfHost(host: string): "internal" | "metadata" | "outside" {
  // A number in another notation (0x7f000001, 2130706433) hides where it points.
  if (METADATA.test(host) || /^(?:0x[0-9a-f]+|\d{8,10}|0\d+\..*)$/u.test(host)) return "metadata";
  return PRIVATE_SUFFIX.test(host) || PRIVATE_RANGE.test(host) ? "internal" : "outside";
}

/** HTTP methods that change nothing at a server that keeps to RFC 9110. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(["get", "head", "options"]);
export const UNSAFE_METHODS: ReadonlySet<string> = new Set(["post", "put", "patch", "delete"]);
