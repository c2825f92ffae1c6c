/**
 * Three writers race over the same calls, each deciding on what it has just read: reserves, extends, commits, voids of calls never
 * written, expiries, late commits and repeats, by both statements of the journal, while leases are renewed, credits arrive and usage
 * is folded under them. Whatever comes first, every call ends once and no micro is lost.
 */
import type { PgConnection } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Fiber, HashMap, Ref } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { decide } from "../../src/accounts/AccountMachine.ts"
import type { Event } from "../../src/accounts/Decision.ts"
import { evolve } from "../../src/accounts/Evolution.ts"
import type { Command } from "../../src/accounts/AccountState.ts"
import { loadAccount } from "../../src/accounts/AccountStore.ts"
import {
  type GroupResult,
  isPlain,
  type JournalGroup,
  plainBatch,
  wholeBatch
} from "../../src/accounts/JournalBatch.ts"
import type { JournalEntry } from "../../src/accounts/JournalEntry.ts"
import { journalSession } from "../../src/accounts/JournalSession.ts"
import { transitionKey } from "../../src/accounts/JournalEntry.ts"
import { renewSql } from "../../src/accounts/JournalRenewal.ts"
import type { SubscriptionId, UserId } from "../../src/domain/Ids.ts"
import { Database } from "../../src/postgres/Database.ts"
import { classifySqlError } from "../../src/postgres/SqlFailure.ts"
import { commitOf, voidOf } from "../support/AccountsProcess.ts"
import { seeded } from "../support/Seeded.ts"
import { adjustIn, makeUser, problems, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { idAt } from "../support/UsageRows.ts"

const USERS = 8
const CALLS_PER_USER = 60
/** Calls of a user that are raced for at a time. */
const CALLS_AT_ONCE = 6
/** Batches for each window of calls, of each writer. */
const ROUNDS = 10
/** The seed of each writer. */
const WRITERS = [11, 12, 13]
const FUNDS = 150n

interface RacedCall {
  readonly id: string
  readonly atMs: number
}

interface Racer {
  readonly userId: UserId
  readonly calls: ReadonlyArray<RacedCall>
}

/** How often what was tried with a call was written. */
interface Told {
  readonly reserved: Map<string, number>
  readonly ended: Map<string, number>
  readonly late: Map<string, number>
  readonly seen: Map<string, number>
}

const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)

/** A user with money, most of whom have a subscription with little room too; half of their calls are of months long gone. */
const makeRacer = Effect.fnUntraced(function*(index: number, nowMs: number) {
  const sql = yield* SqlClient.SqlClient
  const userId = yield* makeUser(FUNDS)
  if (index % 4 > 0) {
    yield* sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros,
        limit_7d_micros, limit_30d_micros, starts_at, ends_at, fence)
      VALUES (${userId}, 'p', 'P', ${index % 4 === 1 ? 0 : 90}, 0, 300, 0, now() - interval '1 day',
        now() + interval '9 days', 7)`
  }
  const calls = Array.from({ length: CALLS_PER_USER }, (_, place): RacedCall => {
    const atMs = place % 2 === 0 ? nowMs : Date.UTC(2024, place % 12, 1 + (place % 25))
    return { id: idAt(atMs), atMs }
  })
  return { userId, calls } satisfies Racer
})

const commandOf = (below: ReturnType<typeof seeded>, { atMs, id }: RacedCall): Command => {
  // Half of the leases have passed at once.
  const leaseSeconds = below(2) === 0 ? 0 : 60
  switch (below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      return reserveOf(BigInt(below(25)), {
        id,
        atMs,
        leaseSeconds,
        billingEnabled: below(6) > 0,
        counted: below(4) === 0,
        openHoldsMax: CALLS_AT_ONCE - 1
      })
    case 7:
    case 8:
      return { _tag: "Extend", id, numerator: BigInt(below(40)) * 1_000_000n, outputTokens: 1, atMs }
    case 9:
    case 10:
    case 11:
      return commitOf(id, below(45), atMs)
    case 12:
      return voidOf(id)
    case 13:
      return { _tag: "Expire", id, mode: "charge" }
    default:
      return { _tag: "Expire", id, mode: "refund" }
  }
}

interface DecidedGroup extends JournalGroup {
  readonly entries: ReadonlyArray<JournalEntry>
}

/** What a writer that has just read an account decides for some of its calls. */
const decideFor = Effect.fnUntraced(function*(
  below: ReturnType<typeof seeded>,
  { calls, userId }: Racer,
  from: number
): Effect.fn.Return<DecidedGroup, never, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const chosen = calls.slice(from, from + CALLS_AT_ONCE).filter(() => below(2) === 0)
  const read = { userId, ids: chosen.map(({ id }) => id), keyIds: [] }
  const loaded = yield* Effect.orDie(loadAccount(sql, read, yield* Clock.currentTimeMillis))
  let { state } = loaded
  const events: Array<Event> = []
  const entries: Array<JournalEntry> = []
  const written = new Set<SubscriptionId>()
  for (const call of chosen) {
    const decision = decide(state, commandOf(below, call), loaded.rows.get(call.id) ?? null)
    if (decision._tag !== "Accept") continue
    state = evolve(state, decision.event)
    events.push(decision.event)
    entries.push({ event: decision.event, usdAfterMicros: state.usdMicros, owedAfterMicros: state.owedMicros })
    const subscriptionId = decision.event.reservation?.subscriptionId ?? null
    if (subscriptionId !== null) written.add(subscriptionId)
  }
  const fences = Array.from(written).flatMap((id) => {
    const fence = loaded.fences.get(id)
    return fence === undefined ? [] : [[id, fence, BigInt(below(2 ** 31))] as const]
  })
  return { userId, events, entries, fences }
})

/** Writes a batch as the journal does: the cheap way where it may go as decided, else, or when that is refused, the other. */
const writeBatch = Effect.fnUntraced(function*(
  connection: PgConnection.PgConnection,
  groups: ReadonlyArray<DecidedGroup>,
  plain: { written: number; refused: number }
): Effect.fn.Return<ReadonlyMap<UserId, GroupResult>, SqlError.SqlError> {
  const by = (statement: typeof plainBatch) =>
    Effect.map(connection.queryValues(statement.sql, statement.parameters(groups)), statement.decode)
  if (!groups.every(isPlain)) return yield* by(wholeBatch)
  const tried = yield* Effect.result(by(plainBatch))
  if (tried._tag === "Success") {
    plain.written++
    return tried.success
  }
  if (classifySqlError(tried.failure) !== "data") return yield* tried.failure
  plain.refused++
  return yield* by(wholeBatch)
})

const note = (told: Told, { events, userId }: JournalGroup, results: ReadonlyMap<UserId, GroupResult>): void => {
  const result = results.get(userId)
  if (result === undefined) return assert.fail("every account of a batch has an answer")
  for (const event of events) {
    const key = transitionKey(event)
    const tag = result.exceptions.get(key)?.tag
    if (tag !== undefined) count(told.seen, tag)
    else count(told.seen, event._tag === "Settled" ? event.kind : `${event._tag} ${result.note}`)
    if (event._tag === "Reserved" && result.note !== "rejected" && tag === undefined) count(told.reserved, key)
    if (event._tag !== "Settled") continue
    if (tag === undefined || tag === "charged") count(told.ended, key)
    if (tag === "late") count(told.late, key)
  }
}

/** What a user has left and has paid; what is owed beyond what the calls were short of. */
const sumsSql = `
  SELECT b.usd_micros + c.paid - r.recovered AS paid, b.owed_micros - (c.short + r.recovered) AS owed
    FROM user_balances b,
      (SELECT coalesce(sum(amount_micros), 0)::bigint AS recovered FROM ledger_entries
        WHERE user_id = $1 AND kind = 'recovery') r,
      (SELECT coalesce(sum(charged_micros + late_charged_micros) FILTER (WHERE funding = 'balance'), 0)::bigint AS paid,
          coalesce(sum(cost_micros - charged_micros - late_charged_micros) FILTER (WHERE funding <> 'free'), 0)::bigint AS short
        FROM usage_events WHERE user_id = $1) c
    WHERE b.user_id = $1`

/** Nobody's lock is held so long. */
const LOCK_TIMEOUT_MS = 8_000

const journalConnection = Effect.gen(function*() {
  const database = yield* Database
  return yield* database.connect({ applicationName: "race-test", startupParameters: journalSession(LOCK_TIMEOUT_MS) })
})

layer(TestAccounts, { excludeTestServices: true })("writers that race for the same calls", (it) => {
  it.effect(
    "end each call once and lose no money, with credits, folds and renewals in between",
    () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const nowMs = yield* Clock.currentTimeMillis
        const racers = yield* Effect.forEach(Array.from({ length: USERS }), (_, index) => makeRacer(index, nowMs))
        const told: Told = { reserved: new Map(), ended: new Map(), late: new Map(), seen: new Map() }
        const plain = { written: 0, refused: 0 }
        const credited = new Map<UserId, bigint>(racers.map(({ userId }) => [userId, FUNDS]))
        const done = yield* Ref.make(false)

        const writer = Effect.fnUntraced(function*(seed: number) {
          const below = seeded(seed)
          const connection = yield* journalConnection
          for (let from = 0; from < CALLS_PER_USER; from += CALLS_AT_ONCE) {
            for (let round = 0; round < ROUNDS; round++) {
              const chosen = racers.filter(() => below(3) === 0)
              const decided = yield* Effect.forEach(chosen, (racer) => decideFor(below, racer, from), {
                concurrency: "unbounded"
              })
              const groups = decided.filter(({ events }) => events.length > 0)
              for (
                const part of [groups.filter(isPlain), groups.filter((group) => !isPlain(group))]
              ) {
                if (part.length === 0) continue
                const results = yield* writeBatch(connection, part, plain)
                for (const group of part) note(told, group, results)
              }
            }
          }
        })

        /** What goes on beside the writers, until they are done. */
        const beside = <E, R>(step: (turn: number) => Effect.Effect<unknown, E, R>) =>
          Effect.gen(function*() {
            for (let turn = 0; !(yield* Ref.get(done)); turn++) yield* step(turn)
          })
        const renewal = Effect.flatMap(journalConnection, (connection) =>
          beside((turn) => {
            const ids = racers.flatMap(({ calls }) => calls.map(({ id }) => id))
            return connection.queryValues(renewSql, [`{${ids.join(",")}}`, turn % 2 === 0 ? "0" : "60"])
          }))
        const folds = beside((turn) => {
          const racer = racers[turn % USERS]
          return racer === undefined ? Effect.void : sql`SELECT realms_fold_usage_v1(${racer.userId}, 180000, 3)`
        })
        const credits = beside((turn) => {
          const racer = racers[turn % USERS]
          if (racer === undefined || turn % 5 > 0) return sql`SELECT 1`
          credited.set(racer.userId, (credited.get(racer.userId) ?? 0n) + 3n)
          return adjustIn(sql, racer.userId, { amountMicros: 3n })
        })

        const others = yield* Effect.forEach(
          [renewal, folds, credits],
          (other) => Effect.forkChild(other)
        )
        yield* Effect.forEach(WRITERS, writer, { concurrency: "unbounded" })
        yield* Ref.set(done, true)
        for (const other of others) yield* Fiber.join(other)

        // What is still open is given back, so that all that is left is paid or there.
        const last = yield* journalConnection
        for (const racer of racers) {
          const { rows, state } = yield* loadAccount(sql, { userId: racer.userId, ids: [], keyIds: [] }, nowMs)
          const ids = Array.from(HashMap.keys(state.open))
          let next = state
          const entries = ids.flatMap((id) => {
            const decision = decide(next, voidOf(id), rows.get(id) ?? null)
            if (decision._tag !== "Accept") return []
            next = evolve(next, decision.event)
            return [{ event: decision.event, usdAfterMicros: next.usdMicros, owedAfterMicros: next.owedMicros }]
          })
          const group = { userId: racer.userId, events: entries.map(({ event }) => event), entries, fences: [] }
          note(told, group, yield* writeBatch(last, [group], plain))
        }

        for (const tag of ["exists", "kept", "late", "leased", "Reserved rejected"]) {
          assert.isAbove(told.seen.get(tag) ?? 0, 0, `${tag} is met`)
        }
        assert.isAbove(Math.min(plain.written, plain.refused), 0, "the cheap way is taken, and refused")
        for (
          const [name, counts] of [["reserved", told.reserved], ["ended", told.ended], ["late", told.late]] as const
        ) {
          assert.deepStrictEqual(Array.from(counts).filter(([, times]) => times !== 1), [], `${name} more than once`)
        }
        assert.deepStrictEqual(yield* problems, [])

        for (const { userId } of racers) {
          const [sums] = yield* sql.unsafe<Readonly<Record<string, bigint>>>(sumsSql, [userId])
          assert.deepStrictEqual(
            [sums?.paid, sums?.owed],
            [credited.get(userId), 0n],
            "what is paid and left is what came in"
          )
        }
      }),
    120_000
  )
})
