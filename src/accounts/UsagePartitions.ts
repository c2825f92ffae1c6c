/**
 * Makes the months of `usage_events` before they begin, and moves rows that came before their month was made. A row is never without a
 * place: until then it is in the default partition.
 */
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { inRounds } from "../platform/Rounds.ts"

/** Months are made for so many beyond this one. */
const MONTHS_AHEAD = 2

/** Between two rounds. A round that failed, because a lock was not free, is made up for by the next. */
const ROUND_MS = 3_600_000

/** Makes months as long as the layer lives. */
export const UsagePartitionsLayer = Layer.effectDiscard(Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* Effect.forkScoped(inRounds(
    sql`SELECT realms_make_usage_events_v1(${MONTHS_AHEAD}::integer)`,
    { failure: "partitions of calls could not be made", everyMs: ROUND_MS }
  ))
}))
