/**
 * Whether a URI can be read in one way only, as far as one can tell without knowing its scheme: what policy matched is
 * then what the upstream opens. Refused is
 *
 * 1. what is no URI: no scheme, white space, control characters, backslashes or anything beyond ASCII (RFC 3986 has none);
 * 2. `.` and `..` as a segment, also behind an encoded slash: they lead elsewhere than they say;
 * 3. an encoded character that needs no encoding (`%2e`, `%41`), and an encoding that is broken: another spelling of another text;
 * 4. an empty segment inside the path (`a//b`): file systems take it for `a/b`.
 */
export function isPlainUri(uri: string): boolean {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/u.exec(uri)?.[0];
  if (scheme === undefined || !/^[!-[\]-~]*$/u.test(uri)) return false;
  const rest = uri.slice(scheme.length);
  for (const [index, part] of rest.split("%").entries()) {
    if (index > 0 && !isNeededEncoding(part.slice(0, 2))) return false;
  }
  const [hierarchy = ""] = rest.split(/[?#]/u, 1);
  const path = hierarchy.startsWith("//") ? hierarchy.slice(2).replace(/^[^/]*/u, "") : hierarchy;
  if (/(?:\/|%2f){2}/iu.test(path)) return false;
  return !rest.split(/[/?#]|%2f|%5c/iu).some((segment) => segment === "." || segment === "..");
}

/** Whether two hexadecimal digits encode a character that has to be encoded somewhere (RFC 3986, section 2.3: all but the unreserved). */
function isNeededEncoding(digits: string): boolean {
  if (!/^[0-9A-Fa-f]{2}$/u.test(digits)) return false;
  return !/^[A-Za-z0-9._~-]$/u.test(String.fromCharCode(Number.parseInt(digits, 16)));
}
