/**
 * The books over a database of their own: rows of any date, written straight into the tables, and a time zone that a test sets.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { testConfig } from "../../src/config/Config.ts"
import { makeReservationId, UserId } from "../../src/domain/Ids.ts"
import { BillCheck } from "../../src/finance/BillCheck.ts"
import { StatementDays } from "../../src/finance/StatementDays.ts"
import { Statements } from "../../src/finance/Statements.ts"
import { Settings } from "../../src/settings/Settings.ts"
import { TestDatabase } from "./TestDatabase.ts"

const config = testConfig()

/** A moment, of milliseconds since the epoch. */
export const dateAt = (ms: number): Date => DateTime.toDateUtc(DateTime.makeUnsafe(ms))

export class BooksZone extends Context.Service<BooksZone, {
  timeZone: string
  billColumns: ReadonlyArray<string>
}>()("realms/test/support/FinanceRows/BooksZone") {
  static readonly layer = Layer.sync(
    BooksZone,
    () => ({ timeZone: "UTC", billColumns: config.payment.epay.billColumns })
  )
}

const settings = Layer.effect(
  Settings,
  Effect.map(BooksZone, (zone) => {
    const current = () => ({
      billing: config.billing,
      payment: { ...config.payment, epay: { ...config.payment.epay, billColumns: zone.billColumns } },
      registration: config.registration,
      security: config.security,
      signIn: config.signIn,
      limits: config.limits,
      retention: config.retention,
      site: config.site,
      seller: config.seller,
      smtp: config.smtp,
      finance: { ...config.finance, timeZone: zone.timeZone },
      publicUrl: undefined
    })
    return { current, cached: current, get: Effect.sync(current), fresh: Effect.sync(current), reload: Effect.void }
  })
)

/** One database and its books. */
export const financeLayer = Layer.mergeAll(StatementDays.layer, Statements.layer, BillCheck.layer).pipe(
  Layer.provideMerge(settings),
  Layer.provideMerge(Layer.mergeAll(BooksZone.layer, TestDatabase.layer)),
  Layer.provideMerge(NodeServices.layer)
)

/** Root saves the zone: days are closed from now on. */
export const saveZone = Effect.fnUntraced(function*(timeZone: string) {
  const sql = yield* SqlClient.SqlClient
  ;(yield* BooksZone).timeZone = timeZone
  yield* sql`INSERT INTO app_settings (key, value) VALUES ('finance.time_zone', ${JSON.stringify(timeZone)}::jsonb)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value`
})

/** A user with an account, since a moment. */
export const userSince = Effect.fnUntraced(function*(at: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ id: UserId }>`
    INSERT INTO users (email, created_at) VALUES (${`${makeReservationId()}@example.com`}, ${at}::timestamptz) RETURNING id`
  const id = row?.id ?? UserId.make(0n)
  yield* sql`INSERT INTO user_balances (user_id) VALUES (${id})`
  return id
})

/** An entry of any date; the balance follows it. */
export const entryAt = Effect.fnUntraced(
  function*(userId: UserId, at: Date | string, kind: string, amountMicros: bigint, owedMicros = 0n) {
    const sql = yield* SqlClient.SqlClient
    yield* sql`INSERT INTO ledger_entries (user_id, kind, amount_micros, owed_micros, ref_type, ref_id, actor, created_at, seq)
      VALUES (${userId}, ${kind}, ${amountMicros}, ${owedMicros}, 'test', ${makeReservationId()}, 'test', ${at}::timestamptz,
        (SELECT coalesce(max(seq), 0) + 1 FROM ledger_entries WHERE user_id = ${userId}))`
    yield* sql`UPDATE user_balances SET usd_micros = usd_micros + ${amountMicros} WHERE user_id = ${userId}`
  }
)

export interface SettledCall {
  readonly settledAt: Date | string
  readonly costMicros: bigint
  readonly chargedMicros: bigint
  readonly late?: { readonly at: Date | string; readonly chargedMicros: bigint }
}

/** A settled call of the balance. */
export const settledAt = Effect.fnUntraced(function*(userId: UserId, call: SettledCall) {
  const sql = yield* SqlClient.SqlClient
  const late = call.late
  const charged = call.chargedMicros + (late?.chargedMicros ?? 0n)
  yield* sql`INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros, endpoint, model,
      reserved_at, lease_expires_at, settled_at, late, late_at, late_charged_micros, usage_source, input_tokens,
      cached_input_tokens, cache_write_tokens, output_tokens)
    VALUES (${makeReservationId()}, ${userId}, 'committed', 'balance', 0, ${call.costMicros}, ${call.chargedMicros},
      'chat.completions', 'm', ${call.settledAt}::timestamptz, ${call.settledAt}::timestamptz, ${call.settledAt}::timestamptz,
      ${late !== undefined}, ${late?.at ?? null}::timestamptz, ${late?.chargedMicros ?? 0n}, 'upstream', 0, 0, 0, 0)`
  yield* sql`UPDATE user_balances SET usd_micros = usd_micros - ${charged} WHERE user_id = ${userId}`
})

export const cashAt = Effect.fnUntraced(
  function*(at: Date | string, kind: string, provider: string, currency: string, amountMinor: bigint) {
    const sql = yield* SqlClient.SqlClient
    yield* sql`INSERT INTO cash_movements (booked_at, kind, provider, currency, amount_minor)
      VALUES (${at}::timestamptz, ${kind}, ${provider}, ${currency}, ${amountMinor})`
  }
)
