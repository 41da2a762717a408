import { Link, Outlet, useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useLive } from "../gateway/live.ts";
import { NAVIGATION } from "../pages/pages.ts";
import { AccountMenu } from "./account-menu.tsx";
import { Banners } from "./banners.tsx";
import { Notice } from "./notice.tsx";
import { ShortcutList } from "./shortcut-list.tsx";

/** What is around every page behind the sign-in. The page scrolls within it, so that the header and what is stopped stay in sight. */
export function Shell(): ReactNode {
  const isLive = useLive();
  const { pathname } = useLocation();
  return (
    <div className="flex h-dvh flex-col">
      <a
        href="#main"
        className="sr-only z-50 rounded bg-surface p-2 focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
        onClick={(event) => {
          // The fragment of the address is the page's.
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to content
      </a>
      <header className="flex h-13 flex-none items-center gap-4 border-b border-line bg-surface px-4 sm:px-6">
        <Link to="/" className="flex items-center gap-2.5 font-semibold whitespace-nowrap">
          <Mark />
          ATLAS
        </Link>
        <nav aria-label="Pages" className="flex min-w-0 gap-1 overflow-x-auto">
          {NAVIGATION.map(({ to, words, covers }) => (
            <Link
              key={to}
              to={to}
              activeOptions={{ exact: true }}
              aria-current={covers.test(pathname) ? "page" : undefined}
              className="rounded-lg px-2.5 py-1 text-quiet hover:bg-hover aria-[current=page]:bg-chosen aria-[current=page]:text-ink"
            >
              {words}
            </Link>
          ))}
        </nav>
        <span className="ml-auto" />
        <Live isLive={isLive} />
        <ShortcutList />
        <AccountMenu />
      </header>
      <Banners />
      <Notice />
      <main id="main" tabIndex={-1} className="min-h-0 flex-1">
        <Outlet />
      </main>
    </div>
  );
}

export function Mark(): ReactNode {
  return (
    <svg viewBox="0 0 32 32" className="size-7 flex-none" aria-hidden="true">
      <rect width="32" height="32" rx="9" className="fill-accent" />
      <path
        d="M9 23 16 8l7 15M12 18h8"
        className="stroke-on-accent"
        fill="none"
        strokeWidth="2.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

function Live({ isLive }: { readonly isLive: boolean | null }): ReactNode {
  const words = isLive === null ? "connecting…" : isLive ? "live" : "reconnecting…";
  return (
    <span
      role="status"
      className={`flex items-center gap-1.5 text-[0.87rem] ${isLive === false ? "text-grave" : "text-quiet"}`}
    >
      <span aria-hidden="true" className={`size-2 rounded-full ${isLive === true ? "bg-good" : "bg-edge"}`} />
      <span className={isLive === true ? "sr-only sm:not-sr-only" : ""}>{words}</span>
    </span>
  );
}
