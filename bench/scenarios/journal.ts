/**
 * What batches of the journal cost PostgreSQL: batches of calls by the balance, each of another user, on one connection that is set up
 * as the journal's is, with few months of calls and with many.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgConnection } from "@effect/sql-pg"
import { Clock, Effect, Layer } from "effect"
import { join } from "node:path"
import { type BatchStatement, type JournalGroup, plainBatch, wholeBatch } from "../../src/accounts/JournalBatch.ts"
import { journalSession } from "../../src/accounts/JournalSession.ts"
import { ApiKeyId, makeReservationId, UserId } from "../../src/domain/Ids.ts"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { EmbeddedPostgres } from "../../src/postgres/EmbeddedPostgres.ts"
import { runMigrations } from "../../src/postgres/Migrations.ts"
import { accountState, reserveCommand, usedTokens } from "../../test/support/MachineAccount.ts"
import { accepted } from "../accepted.ts"
import { cpuMicros } from "../processes.ts"
import type { Bench, Scenario } from "../scenario.ts"
import { folder } from "../servers.ts"
import { median, rounded } from "../statistics.ts"

const USERS = 1_000
const BALANCE_MICROS = 1_000_000_000n
const HELD_MICROS = 1_000n
const LOCK_TIMEOUT_MS = 1_000
const MONTHS = 36

/** A call of a user: what its reserve and its commit add to a batch. */
const callOf = (userId: UserId, atMs: number): { readonly reserve: JournalGroup; readonly commit: JournalGroup } => {
  const command = reserveCommand(makeReservationId(), HELD_MICROS, {
    keyId: ApiKeyId.make(1n),
    model: "gpt-4o-mini",
    openHoldsMax: 2_000,
    atMs
  })
  const outcome = { ...usedTokens(500n), channel: "one", upstreamModel: "gpt-4o-mini", latencyMs: 900, ttftMs: 200 }
  const held = accepted(accountState(BALANCE_MICROS), command)
  const { event } = accepted(held.state, { _tag: "Commit", id: command.id, outcome, atMs })
  const groupOf = (events: JournalGroup["events"]): JournalGroup => ({ userId, events, fences: [] })
  return { reserve: groupOf([held.event]), commit: groupOf([event]) }
}

const filled = Effect.gen(function*() {
  const { url } = yield* EmbeddedPostgres.acquire(join(folder, "journal"))
  yield* runMigrations.pipe(Effect.provide(SqlLayer.pipe(Layer.provide(Database.layerOf(url)))))
  const connection = yield* PgConnection.make({ url, startupParameters: journalSession(LOCK_TIMEOUT_MS) })
  yield* connection.query(
    `INSERT INTO users (email) SELECT i || '@example.com' FROM generate_series(1, ${USERS}) i`,
    []
  )
  yield* connection.query(
    `INSERT INTO user_balances (user_id, usd_micros) SELECT id, ${BALANCE_MICROS} FROM users`,
    []
  )
  const rows = yield* connection.queryValues("SELECT user_id, pg_backend_pid() FROM user_balances", [])
  return { connection, users: rows.map(([id]) => UserId.make(BigInt(String(id)))), pid: Number(rows[0]?.[1]) }
})

const measureAll = ({ figure, isQuick, say }: Bench) =>
  Effect.gen(function*() {
    const { connection, pid, users } = yield* filled
    const first = users[0] ?? UserId.make(0n)
    const rounds = isQuick ? 2 : 5
    let turn = 0

    const write = (statement: BatchStatement, groups: ReadonlyArray<JournalGroup>) =>
      connection.queryValues(statement.sql, statement.parameters(groups))

    /** Where the log of PostgreSQL ends, in bytes. */
    const walBytes = Effect.map(
      connection.queryValues("SELECT (pg_current_wal_insert_lsn() - '0/0')::float8", []),
      ([row]) => Number(row?.[0])
    )

    /**
     * Each batch reserves `size` calls and commits those of the batch before it. Answers the CPU of a call, in microseconds, and its bytes
     * of log.
     */
    const round = Effect.fnUntraced(function*(statement: BatchStatement, size: number) {
      const calls = (isQuick ? 2_000 : 20_000) / (size === 1 ? 10 : 1)
      let commits: ReadonlyArray<JournalGroup> = []
      const [before, walBefore] = [cpuMicros(pid), yield* walBytes]
      for (let made = 0; made < calls; made += size) {
        const atMs = yield* Clock.currentTimeMillis
        const next = Array.from({ length: size }, () => callOf(users[turn++ % users.length] ?? first, atMs))
        yield* write(statement, [
          ...commits,
          ...next.map(({ reserve }) => reserve)
        ])
        commits = next.map(({ commit }) => commit)
      }
      yield* write(statement, commits)
      return { cpu: (cpuMicros(pid) - before) / calls, wal: ((yield* walBytes) - walBefore) / calls }
    })

    const tell = Effect.fnUntraced(function*(what: string, statement: BatchStatement, size: number) {
      say(`${what} ...`)
      yield* round(statement, size)
      const costs: Array<{ readonly cpu: number; readonly wal: number }> = []
      for (let index = 0; index < rounds; index++) costs.push(yield* round(statement, size))
      const cpu = costs.map((cost) => rounded(cost.cpu, 1))
      figure({ what: `${what}: CPU of PostgreSQL for a call`, value: median(cpu), unit: "us", rounds: cpu })
      figure({
        what: `${what}: write-ahead log of a call`,
        value: Math.round(median(costs.map(({ wal }) => wal))),
        unit: "bytes"
      })
    })

    for (const size of [1, 8, 64, 128]) yield* tell(`batches of ${size} reserves and commits`, plainBatch, size)
    yield* tell("the same of 64, by what takes everything", wholeBatch, 64)
    yield* connection.query(
      `SELECT realms_make_usage_month_v1((date '2023-01-01' + make_interval(months => m))::date)
        FROM generate_series(0, ${MONTHS - 1}) m`,
      []
    )
    yield* tell(`batches of 64, with ${MONTHS} more months`, plainBatch, 64)
  })

export const journal: Scenario = {
  name: "journal",
  about: "Batches of the journal on one connection, without a gateway: what they cost PostgreSQL",
  run: (bench) => Effect.runPromise(measureAll(bench).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
}
