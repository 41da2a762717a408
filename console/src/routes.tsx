import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  parseSearchWith,
  stringifySearchWith,
} from "@tanstack/react-router";
import { CasePage } from "./pages/case/case-page.tsx";
import { NoCase, QueuePage } from "./pages/queue/queue-page.tsx";
import { readQueueSearch } from "./pages/queue/queue-search.ts";
import { Shell } from "./shell/shell.tsx";

/**
 * Every page behind the sign-in. Addresses stand behind the `#`, so that they work under every path prefix, and no proxy on the
 * way gets to see which case somebody looks at.
 */
const root = createRootRoute({ component: Shell });

/** The queue stays beside the case that is open, with its tab and filters. */
const queue = createRoute({
  getParentRoute: () => root,
  id: "queue",
  component: QueuePage,
  validateSearch: readQueueSearch,
});
const noCase = createRoute({ getParentRoute: () => queue, path: "/", component: NoCase });
const oneCase = createRoute({ getParentRoute: () => queue, path: "/cases/$ref", component: CasePage });

// A page that is no part of the queue is a child of `root`, beside `queue`.
const tree = root.addChildren([queue.addChildren([noCase, oneCase])]);

export function createAppRouter() {
  return createRouter({
    routeTree: tree,
    history: createHashHistory(),
    // Search is plain text: `?q=12` is a text that somebody looks for.
    parseSearch: parseSearchWith((text) => text),
    stringifySearch: stringifySearchWith(String),
    defaultNotFoundComponent: () => <p className="p-8 text-quiet">There is no such page.</p>,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
