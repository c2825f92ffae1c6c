/**
 * Accounts whose reads are counted: how often an account was read, and how many rows of calls and minutes of windows came back.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { AccountsOver } from "./TestAccounts.ts"
import { TestDatabase } from "./TestDatabase.ts"

export interface AccountReads {
  reads: number
  calls: number
  /** Minutes and hours of windows. */
  buckets: number
}

export class ReadSpy extends Context.Service<ReadSpy, {
  readonly counts: AccountReads
  /** Forgets what was counted. */
  reset(): void
}>()("realms/test/support/ReadSpy") {}

interface ReadAccount {
  readonly reservations: ReadonlyArray<unknown>
  readonly subscriptions: ReadonlyArray<
    { readonly windows: { readonly minutes: ReadonlyArray<unknown>; readonly hours: ReadonlyArray<unknown> } | null }
  >
}

const spied = (sql: SqlClient.SqlClient, counts: AccountReads): SqlClient.SqlClient => {
  const count = (account: ReadAccount) => {
    counts.reads++
    counts.calls += account.reservations.length
    for (const { windows } of account.subscriptions) {
      counts.buckets += windows === null ? 0 : windows.minutes.length + windows.hours.length
    }
  }
  const unsafe = (text: string, parameters?: ReadonlyArray<unknown>) =>
    Effect.tap(
      sql.unsafe<{ readonly account?: ReadAccount }>(text, parameters),
      ([row]) => Effect.sync(() => row?.account === undefined ? undefined : count(row.account))
    )
  return new Proxy(sql, {
    get: (target, key, receiver) => key === "unsafe" ? unsafe : Reflect.get(target, key, receiver)
  })
}

const counts: AccountReads = { reads: 0, calls: 0, buckets: 0 }

const SpiedSql = Layer.effect(SqlClient.SqlClient, Effect.map(SqlClient.SqlClient, (sql) => spied(sql, counts)))

const SpyLayer = Layer.succeed(ReadSpy, {
  counts,
  reset: () => void Object.assign(counts, { reads: 0, calls: 0, buckets: 0 })
})

/** As `TestAccounts`, with the spy. */
export const SpiedAccounts = Layer.mergeAll(AccountsOver.pipe(Layer.provide(SpiedSql)), SpyLayer).pipe(
  Layer.provideMerge(TestDatabase.layer)
)
