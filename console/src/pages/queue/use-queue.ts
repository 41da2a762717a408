import { useInfiniteQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { CaseBody } from "../../../../src/http/contract.ts";
import { caseListQuery } from "../../gateway/queries.ts";
import { useSession } from "../../shell/session.tsx";
import { listQueryOf } from "./queue-search.ts";

/** The queue that the address asks for, as far as it was read. */
export function useQueue() {
  const search = useSearch({ from: "/queue" });
  const { person } = useSession();
  const query = listQueryOf(search, person.id);
  const read = useInfiniteQuery(caseListQuery(query));
  const cases = useMemo(() => uniqueCases(read.data?.pages.flatMap((page) => page.cases) ?? []), [read.data]);
  return { search, query, read, cases, counts: read.data?.pages[0]?.counts };
}

/** A case can move from one page to the next between two reads. */
function uniqueCases(cases: readonly CaseBody[]): readonly CaseBody[] {
  return [...new Map(cases.map((one) => [one.ref, one])).values()];
}
