import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { CaseDetailBody } from "../../../../src/http/contract.ts";
import { caseQuery } from "../../gateway/queries.ts";
import { Refused, type RequestParams, request } from "../../gateway/request.ts";
import { useSay } from "../../shell/notice.tsx";

/** Refusals that mean that the case is not what it was when the person looked. */
const CHANGED_MEANWHILE: ReadonlySet<string> = new Set([
  "review.not_open",
  "review.stale_digest",
  "review.taken",
]);

type Resolution = "SUCCEEDED" | "FAILED" | "RUN_AGAIN";

/** What a person does to a case. Each says what came of it, lets the case be read again, and answers whether it was done. */
export interface Acts {
  readonly isBusy: boolean;
  readonly approve: (note: string) => Promise<boolean>;
  /** @param argumentsText JSON, sent as it stands */
  readonly approveEdited: (argumentsText: string, note: string) => Promise<boolean>;
  readonly reject: (reason: string) => Promise<boolean>;
  readonly resolve: (resolution: Resolution, evidence: string) => Promise<boolean>;
  readonly take: () => Promise<boolean>;
  readonly takeOver: () => Promise<boolean>;
  readonly release: () => Promise<boolean>;
  readonly undo: () => Promise<boolean>;
  readonly withdraw: () => Promise<boolean>;
}

/** Every decision names the digest of the case that is on the screen: `detail` is that case. */
export function useActs(detail: CaseDetailBody): Acts {
  const queries = useQueryClient();
  const say = useSay();
  const [isBusy, setBusy] = useState(false);
  const { ref, digest } = detail.case;
  return useMemo(() => {
    const act = async (path: string, params: Pick<RequestParams, "body" | "text">, done: string) => {
      setBusy(true);
      const refused = await request({ method: "POST", path: `cases/${ref}/${path}`, ...params }).then(
        () => null,
        refusalWords,
      );
      void queries.invalidateQueries({ queryKey: ["cases"] });
      // What is said is about what is then on the screen.
      await queries.invalidateQueries({ queryKey: caseQuery(ref).queryKey });
      setBusy(false);
      say(refused ?? done, refused === null ? "good" : "bad");
      return refused === null;
    };
    const because = (reason: string) => (reason.trim() === "" ? {} : { reason: reason.trim() });
    return {
      isBusy,
      approve: (note) =>
        act(
          "decision",
          { body: { decision: "APPROVED", digest, ...because(note) } },
          "Your approval is recorded.",
        ),
      approveEdited: (argumentsText, note) => {
        const rest = JSON.stringify({ decision: "APPROVED", digest, ...because(note) });
        // The arguments go out to the letter; whoever calls has read them as JSON before.
        const text = `${rest.slice(0, -1)},"arguments":${argumentsText}}`;
        return act("decision", { text }, "Your approval of the edited call is recorded.");
      },
      reject: (reason) =>
        act(
          "decision",
          { body: { decision: "REJECTED", digest, ...because(reason) } },
          "Your rejection is recorded.",
        ),
      resolve: (resolution, evidence) =>
        act(
          "resolution",
          { body: { resolution, evidence: evidence.trim(), digest } },
          "What you found out is recorded.",
        ),
      take: () => act("take", { body: {} }, "The case is yours now: others see that you work on it."),
      takeOver: () => act("take", { body: { take_over: true } }, "The case is yours now."),
      release: () => act("release", {}, "The case is free again."),
      undo: () => act("undo", {}, "Your approval is taken back. The call did not run."),
      withdraw: () => act("withdraw", {}, "The request is withdrawn. It did not run."),
    };
  }, [queries, say, isBusy, ref, digest]);
}

function refusalWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const changed = error instanceof Refused && CHANGED_MEANWHILE.has(error.code);
  return changed ? `Nothing was recorded: the case changed meanwhile. ${error.message}` : error.message;
}
