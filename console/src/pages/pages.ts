/**
 * What the header leads to, in its order. A new page is a folder beside this file, a line here, and a route in `../routes.tsx`;
 * what is heavy (charts) is loaded by that route with `lazyRouteComponent`.
 */
export const NAVIGATION = [{ to: "/", words: "Cases", covers: /^\/($|cases\/)/ }] as const;
