/**
 * The part of the ledger check that looks at every call: whether its row contradicts itself, and whether it cost what its tokens
 * cost at its own prices and multipliers. It also lists calls that people should look at. Read in bounded steps.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { idFromText, UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import type { AuditList, AuditProblem } from "./Audit.ts"
import { chargedOf } from "./Charged.ts"

/** Calls read in one statement. */
const CALLS_PER_STEP = 10_000

/** Problems of calls that are listed, and calls of each list, at most. */
const PROBLEMS_MAX = 100
const LISTED_MAX = 20

/** A call whose reported usage was clamped or looked wrong. */
export interface FlaggedCall {
  readonly id: string
  readonly userId: UserId
  /** Codes with spaces between; null of rows from before there were codes. */
  readonly flags: string | null
  readonly excessTokens: bigint | null
  readonly costMicros: bigint
}

/** A call that cost more than was held for it. In micros. */
export interface CallAboveHold {
  readonly id: string
  readonly userId: UserId
  readonly reservedMicros: bigint
  readonly costMicros: bigint
  readonly chargedMicros: bigint
}

export interface CallsAudit {
  readonly problems: ReadonlyArray<AuditProblem>
  readonly flagged: AuditList<FlaggedCall>
  readonly aboveHolds: AuditList<CallAboveHold>
}

/** Why a row cannot be what became of a call; null: it can. */
const flawSql = `CASE
  WHEN ${chargedOf("e")} > e.cost_micros THEN 'is charged more than it cost'
  WHEN e.late AND e.state <> 'committed' THEN 'is late and was not committed'
  WHEN e.endpoint = '' AND (e.state <> 'voided' OR e.funding <> 'free' OR e.reserved_micros <> 0)
    THEN 'is a tombstone that moved money'
  WHEN e.state = 'committed' AND (e.usage_source IS NULL OR e.input_tokens IS NULL OR e.cached_input_tokens IS NULL
    OR e.cache_write_tokens IS NULL OR e.output_tokens IS NULL) THEN 'is committed without its usage'
  WHEN e.state = 'committed' THEN NULL
  WHEN e.output_tokens IS NOT NULL OR e.web_search_calls IS NOT NULL OR e.file_search_calls IS NOT NULL
    THEN 'has usage and was not committed'
  WHEN e.state = 'voided' AND e.cost_micros <> 0 THEN 'is voided at a cost'
  WHEN e.state = 'expired' AND (e.cost_micros <> e.charged_micros OR e.charged_micros NOT IN (0, e.reserved_micros))
    THEN 'expired at a charge that is neither nothing nor its hold'
  WHEN e.state = 'expired' AND e.settled_at <= e.lease_expires_at THEN 'expired within its lease'
END`

/**
 * What a committed call costs: tokens times the prices of its tier, the last one that they reach, and its tools, times the multipliers,
 * rounded up once.
 */
const costSql = `
  SELECT div((e.input_tokens * p.input + e.cached_input_tokens * p.cached + e.cache_write_tokens * coalesce(p.write, p.input)
        + e.output_tokens * p.output
        + (coalesce(e.web_search_calls * (e.price_extras #>> '{tools,web}')::numeric, 0)
          + coalesce(e.file_search_calls * (e.price_extras #>> '{tools,file}')::numeric, 0)) * 1000000)
      * e.billing_multiplier_micros * e.plan_multiplier_micros * e.group_multiplier_micros + 999999999999999999999999,
    1000000000000000000000000) AS cost
  FROM (
    SELECT t.place, t.input, t.cached, t.write, t.output
      FROM ROWS FROM (
        jsonb_to_recordset(e.price_extras -> 'tiers')
          AS (above numeric, input numeric, cached numeric, write numeric, output numeric)
      ) WITH ORDINALITY AS t (above, input, cached, write, output, place)
      WHERE e.input_tokens + e.cached_input_tokens + e.cache_write_tokens > t.above
    UNION ALL
    SELECT 0, e.input_micros_per_1m, e.cached_input_micros_per_1m, e.cache_write_micros_per_1m, e.output_micros_per_1m
    ORDER BY 1 DESC LIMIT 1
  ) p`

const stepSql = `
  WITH step AS MATERIALIZED (
    SELECT e.* FROM usage_events e WHERE e.id > $1 ORDER BY e.id LIMIT ${CALLS_PER_STEP}
  ), judged AS MATERIALIZED (
    SELECT e.id, e.user_id, ${flawSql} AS flaw, e.cost_micros, c.cost AS right_cost
    FROM step e LEFT JOIN LATERAL (${costSql}) c ON e.state = 'committed'
  )
  SELECT json_build_object(
    'calls', (SELECT count(*) FROM step),
    'last', (SELECT id FROM step ORDER BY id DESC LIMIT 1),
    'problems', (SELECT coalesce(json_agg(json_build_object('id', j.id, 'user_id', j.user_id::text, 'flaw', j.flaw,
        'cost', j.cost_micros::text, 'right_cost', j.right_cost::text)), '[]')
      FROM (
        SELECT * FROM judged WHERE flaw IS NOT NULL OR cost_micros <> right_cost ORDER BY id LIMIT ${PROBLEMS_MAX}
      ) j),
    'flagged', (SELECT count(*) FROM step WHERE usage_flagged OR usage_flags IS NOT NULL),
    'newest_flagged', (SELECT coalesce(json_agg(json_build_object('id', f.id, 'user_id', f.user_id::text,
        'flags', f.usage_flags, 'excess', f.excess_tokens::text, 'cost', coalesce(f.cost_micros, 0)::text)), '[]')
      FROM (
        SELECT * FROM step WHERE usage_flagged OR usage_flags IS NOT NULL ORDER BY id DESC LIMIT ${LISTED_MAX}
      ) f),
    'above', (SELECT count(*) FROM step WHERE funding <> 'free' AND cost_micros > reserved_micros),
    'newest_above', (SELECT coalesce(json_agg(json_build_object('id', a.id, 'user_id', a.user_id::text,
        'reserved', a.reserved_micros::text, 'cost', a.cost_micros::text, 'charged', ${chargedOf("a")}::text)), '[]')
      FROM (
        SELECT * FROM step WHERE funding <> 'free' AND cost_micros > reserved_micros ORDER BY id DESC LIMIT ${LISTED_MAX}
      ) a)
  ) AS step`

const Amount = Schema.BigIntFromString

const Step = Schema.Struct({
  calls: Schema.Number,
  last: Schema.NullOr(Schema.String),
  problems: Schema.Array(Schema.Struct({
    id: Schema.String,
    user_id: idFromText(UserId),
    flaw: Schema.NullOr(Schema.String),
    cost: Schema.NullOr(Amount),
    right_cost: Schema.NullOr(Amount)
  })),
  flagged: Schema.Number,
  newest_flagged: Schema.Array(Schema.Struct({
    id: Schema.String,
    user_id: idFromText(UserId),
    flags: Schema.NullOr(Schema.String),
    excess: Schema.NullOr(Amount),
    cost: Amount
  })),
  above: Schema.Number,
  newest_above: Schema.Array(Schema.Struct({
    id: Schema.String,
    user_id: idFromText(UserId),
    reserved: Amount,
    cost: Amount,
    charged: Amount
  }))
})

const StepRow = Row({ step: Step })

const problemsOf = (step: typeof Step.Type): ReadonlyArray<AuditProblem> =>
  step.problems.flatMap(({ cost, flaw, id, right_cost, user_id }) => [
    ...(flaw === null ? [] : [{ invariant: "I3" as const, userId: user_id, message: `call ${id} ${flaw}` }]),
    ...(right_cost === null || right_cost === cost
      ? []
      : [{
        invariant: "I8" as const,
        userId: user_id,
        message: `call ${id} cost ${cost} micros, its tokens at its prices cost ${right_cost}`
      }])
  ])

const newest = <A>(of: ReadonlyArray<A>, before: ReadonlyArray<A>): ReadonlyArray<A> =>
  [...of, ...before].slice(0, LISTED_MAX)

const FIRST_ID = "00000000-0000-0000-0000-000000000000"

/** Checks every call, in the snapshot of the transaction under way. */
export const auditCalls = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient
): Effect.fn.Return<CallsAudit, SqlError.SqlError> {
  let after = FIRST_ID
  let problems: ReadonlyArray<AuditProblem> = []
  let flagged: AuditList<FlaggedCall> = { count: 0, newest: [] }
  let aboveHolds: AuditList<CallAboveHold> = { count: 0, newest: [] }
  while (true) {
    const { step } = yield* oneRowOf(StepRow, sql.unsafe(stepSql, [after]))
    problems = [...problems, ...problemsOf(step)].slice(0, PROBLEMS_MAX)
    flagged = {
      count: flagged.count + step.flagged,
      newest: newest(step.newest_flagged.map(toFlagged), flagged.newest)
    }
    aboveHolds = {
      count: aboveHolds.count + step.above,
      newest: newest(step.newest_above.map(toAboveHold), aboveHolds.newest)
    }
    if (step.last === null || step.calls < CALLS_PER_STEP) return { problems, flagged, aboveHolds }
    after = step.last
  }
})

const toFlagged = (row: typeof Step.Type["newest_flagged"][number]): FlaggedCall => ({
  id: row.id,
  userId: row.user_id,
  flags: row.flags,
  excessTokens: row.excess,
  costMicros: row.cost
})

const toAboveHold = (row: typeof Step.Type["newest_above"][number]): CallAboveHold => ({
  id: row.id,
  userId: row.user_id,
  reservedMicros: row.reserved,
  costMicros: row.cost,
  chargedMicros: row.charged
})
