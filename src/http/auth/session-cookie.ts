import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { SESSION_LIFETIME_MS } from "../../domain/session.ts";

const NAME = "atlas_session";

/** The cookie with a session's id: scripts do not read it, other sites' requests do not carry it. */
export interface SessionCookie {
  set(c: Context, sessionId: string): void;
  clear(c: Context): void;
}

/** The session's id as the browser sent it. */
export function sessionIdOf(c: Context): string | undefined {
  return getCookie(c, NAME);
}

export interface SessionCookieParams {
  /** People reach the gateway by https, whatever a proxy in between makes of it. */
  readonly secure: boolean;
  /** Path below which they reach it, empty for none: what else is at that name gets no cookie. */
  readonly publicPath: string;
}

export function createSessionCookie({ secure, publicPath }: SessionCookieParams): SessionCookie {
  /**
   * A proxy's word that the browser came by https is taken, too: whoever lies about it only keeps their own cookie
   * from being sent in the clear.
   */
  const options = (c: Context) => {
    const isHttps =
      secure || new URL(c.req.url).protocol === "https:" || c.req.header("x-forwarded-proto") === "https";
    return {
      path: publicPath === "" ? "/" : publicPath,
      httpOnly: true,
      sameSite: "Strict",
      secure: isHttps,
    } as const;
  };
  return {
    set: (c, id) => setCookie(c, NAME, id, { ...options(c), maxAge: SESSION_LIFETIME_MS / 1_000 }),
    clear: (c) => void deleteCookie(c, NAME, options(c)),
  };
}
