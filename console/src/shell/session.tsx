import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useMemo } from "react";
import type { SessionBody } from "../../../src/http/contract.ts";
import { sessionQuery } from "../gateway/queries.ts";
import { isSignedOut, request } from "../gateway/request.ts";
import { useSay } from "./notice.tsx";

const SessionContext = createContext<SessionBody | null>(null);

export function SessionProvider(props: {
  readonly session: SessionBody;
  readonly children: ReactNode;
}): ReactNode {
  return <SessionContext value={props.session}>{props.children}</SessionContext>;
}

/** Who is signed in. Only pages behind the sign-in use it. */
export function useSession(): SessionBody {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("No page behind the sign-in is shown without a session.");
  return session;
}

/** Ends what the screen knows: nothing that one person read is there for the next. */
export function useForgetSession(): (said: string) => void {
  const queries = useQueryClient();
  const say = useSay();
  return useCallback(
    (said) => {
      void queries.cancelQueries();
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
      queries.setQueryData(sessionQuery.queryKey, null);
      say(said);
    },
    [queries, say],
  );
}

export interface SigningOut {
  here(): Promise<void>;
  everywhere(): Promise<void>;
}

export function useSigningOut(): SigningOut {
  const forget = useForgetSession();
  const say = useSay();
  return useMemo(() => {
    const leave = async (path: string, said: string) => {
      try {
        await request({ method: "DELETE", path });
        forget(said);
      } catch (error) {
        if (isSignedOut(error)) forget("Your session had ended before.");
        else say("You are still signed in: the gateway could not be reached.", "bad");
      }
    };
    return {
      here: () => leave("session", "You are signed out."),
      everywhere: () => leave("session?everywhere=true", "You are signed out of every browser."),
    };
  }, [forget, say]);
}
