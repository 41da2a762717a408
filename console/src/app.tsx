import { QueryCache, QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { sessionQuery } from "./gateway/queries.ts";
import { isSignedOut } from "./gateway/request.ts";
import { SignInPage } from "./pages/sign-in.tsx";
import { Button } from "./parts/button.tsx";
import { createAppRouter } from "./routes.tsx";
import { NoticeProvider } from "./shell/notice.tsx";
import { SessionProvider, useForgetSession } from "./shell/session.tsx";
import { ShortcutProvider } from "./shell/shortcuts.tsx";

export function App(): ReactNode {
  const [queries] = useState(
    () =>
      new QueryClient({
        queryCache: new QueryCache(),
        defaultOptions: {
          queries: {
            // A refusal stays a refusal; the live stream says when to look again.
            retry: false,
            refetchOnWindowFocus: true,
            staleTime: 2_000,
          },
        },
      }),
  );
  return (
    <QueryClientProvider client={queries}>
      <NoticeProvider>
        <ShortcutProvider>
          <Entrance queries={queries} />
        </ShortcutProvider>
      </NoticeProvider>
    </QueryClientProvider>
  );
}

/** The sign-in, or the pages behind it. */
function Entrance({ queries }: { readonly queries: QueryClient }): ReactNode {
  const { data: session, error, refetch } = useQuery(sessionQuery);
  const forget = useForgetSession();
  useEffect(
    () =>
      queries.getQueryCache().subscribe((event) => {
        if (event.type !== "updated" || event.action.type !== "error") return;
        // What an earlier session was refused says nothing of this one.
        if (!isSignedOut(event.action.error) || queries.getQueryData(sessionQuery.queryKey) == null) return;
        forget("Your session has ended. Sign in again.");
      }),
    [queries, forget],
  );
  if (error !== null && session === undefined) {
    return (
      <main className="mx-auto max-w-xl space-y-4 p-10">
        <p role="alert">{error.message}</p>
        <Button onClick={() => void refetch()}>Try again</Button>
      </main>
    );
  }
  if (session === undefined) return null;
  if (session === null) return <SignInPage />;
  return (
    <SessionProvider session={session}>
      <Pages key={session.person.id} />
    </SessionProvider>
  );
}

function Pages(): ReactNode {
  const [router] = useState(createAppRouter);
  return <RouterProvider router={router} />;
}
