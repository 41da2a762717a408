import type { Clock } from "../../domain/clock.ts";
import { type Steps, statement } from "./statement.ts";

const NOW = statement<{ now: number }>("select cast(:now as bigint) as now");

/** Database time of a database that goes by this machine's clock. */
export function clockTime(clock: Clock): () => Steps<number> {
  return function* () {
    const now = clock.nowMs();
    return (yield* NOW.get({ now }))?.now ?? now;
  };
}
