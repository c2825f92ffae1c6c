/**
 * The rules of a settlement stand twice, in the machine and in SQL: here they agree, as functions over every small case, and
 * as whole batches over random accounts - every funding, debts, windows, over-runs, voids, expiries and late commits, several
 * of one account in one batch.
 */
import { assert, layer } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { decide } from "../../src/accounts/AccountMachine.ts"
import type { Event } from "../../src/accounts/Decision.ts"
import { evolve } from "../../src/accounts/Evolution.ts"
import type { Command, Funding, Settlement } from "../../src/accounts/AccountState.ts"
import { loadAccount } from "../../src/accounts/AccountStore.ts"
import { type GroupResult, isPlain, plainBatch, wholeBatch } from "../../src/accounts/JournalBatch.ts"
import type { JournalEntry } from "../../src/accounts/JournalEntry.ts"
import { settlementOf } from "../../src/accounts/SettlementRules.ts"
import { rolled } from "../../src/accounts/SubscriptionWindows.ts"
import { makeReservationId, SubscriptionId, type UserId } from "../../src/domain/Ids.ts"
import { Database } from "../../src/postgres/Database.ts"
import { makeUser, TestAccounts, used } from "../support/TestAccounts.ts"

const USERS = 120
/** On a whole hour, as all calls here are reserved then. */
const AT_MS = 500_000 * 3_600_000

const fundings: ReadonlyArray<Funding> = ["balance", "subscription", "free"]
const kinds = ["c", "v", "e", "x"] as const
const small = [0n, 1n, 2n, 3n]
const balances = [...small.map((usd) => [usd, 0n] as const), ...[1n, 2n, 3n].map((owed) => [0n, owed] as const)]

const everyCase = fundings.flatMap((funding) =>
  kinds.flatMap((kind) =>
    (funding === "free" ? [0n] : small).flatMap((held) =>
      small.flatMap((cost) =>
        [...small, undefined].flatMap((room) =>
          balances.map(([usd, owed]) => ({ funding, kind, held, cost, room, usd, owed }))
        )
      )
    )
  )
)

const Amount = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 40n }))
const RandomCall = Schema.Struct({
  funding: Schema.Literals(fundings),
  held: Amount,
  /** How it stands: open, or expired at no charge or at its hold. */
  state: Schema.Literals(["open", "open", "open", "returned", "collected"]),
  end: Schema.Literals(["commit", "commit", "commit", "void", "expire", "collect"]),
  tokens: Amount
})
const RandomAccount = Schema.Struct({
  usd: Amount,
  owed: Schema.Literals([0n, 0n, 0n, 15n]),
  /** What each window has room for beyond what is in it; null: no limit. */
  room: Schema.NullOr(Amount),
  calls: Schema.Array(RandomCall).check(Schema.isMinLength(1), Schema.isMaxLength(5))
})
type RandomCall = typeof RandomCall.Type

const commandOf = (id: string, { end, tokens }: RandomCall): Command => {
  if (end === "commit") return { _tag: "Commit", id, outcome: used(Number(tokens)), atMs: AT_MS }
  if (end === "void") return { _tag: "Void", id, outcome: used(0) }
  return { _tag: "Expire", id, mode: end === "collect" ? "charge" : "refund" }
}

/** Writes an account as it would be; answers its user, and the ids of its calls in order. */
const write = Effect.fnUntraced(function*({ calls, owed, room, usd }: typeof RandomAccount.Type) {
  const sql = yield* SqlClient.SqlClient
  const user = yield* makeUser(0n)
  const held = (call: RandomCall) => call.funding === "free" ? 0n : call.held
  const charged = (call: RandomCall) => call.state === "collected" ? held(call) : 0n
  const sum = (chosen: (call: RandomCall) => boolean, micros: (call: RandomCall) => bigint) =>
    calls.filter(chosen).reduce((total, call) => total + micros(call), 0n)
  const isOpen = (call: RandomCall) => call.state === "open"
  const bySubscription = (call: RandomCall) => call.funding === "subscription"
  const inWindow = sum(bySubscription, (call) => isOpen(call) ? held(call) : charged(call))
  const limit = room === null ? 0n : inWindow + room + 1n
  yield* sql`UPDATE user_balances SET usd_micros = ${owed > 0n ? 0n : usd}, owed_micros = ${owed},
      open_holds = ${calls.filter(isOpen).length}, held_micros = ${
    sum((call) => isOpen(call) && call.funding === "balance", held)
  } WHERE user_id = ${user}`
  const [subscription] = yield* sql<{ id: SubscriptionId }>`
    INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
      limit_30d_micros, starts_at, ends_at, fence)
    VALUES (${user}, 'p', 'P', 0, ${limit}, 0, 0, now() - interval '1 day', now() + interval '9 days', 7) RETURNING id`
  const subscriptionId = subscription?.id ?? SubscriptionId.make(0n)
  yield* sql`INSERT INTO subscription_usage (subscription_id, bucket_start, micros, held_micros)
    VALUES (${subscriptionId}, to_timestamp(${AT_MS / 1_000}::float8), ${inWindow}, ${
    sum((call) => isOpen(call) && bySubscription(call), held)
  })`
  const ids: Array<string> = []
  for (const call of calls) {
    const id = makeReservationId()
    ids.push(id)
    const common = sql`${id}::uuid AS id, ${user}::bigint AS user_id, ${call.funding}::text AS funding,
      ${bySubscription(call) ? subscriptionId : null}::bigint AS subscription_id, ${
      held(call)
    }::bigint AS reserved_micros,
      1000000 AS output_micros_per_1m, to_timestamp(${AT_MS / 1_000}::float8) AS reserved_at,
      now() - interval '1 minute' AS lease_expires_at, 'chat.completions' AS endpoint, 'm' AS model`
    const columns = sql`id, user_id, funding, subscription_id, reserved_micros, output_micros_per_1m, reserved_at,
      lease_expires_at, endpoint, model`
    yield* isOpen(call)
      ? sql`INSERT INTO open_holds (${columns}) SELECT ${common}`
      : sql`INSERT INTO usage_events (${columns}, state, cost_micros, charged_micros, settled_at)
        SELECT ${common}, 'expired', ${charged(call)}, ${charged(call)}, now()`
  }
  return { user, ids, subscriptionId }
})

layer(TestAccounts, { excludeTestServices: true })("a settlement", (it) => {
  it.effect("changes the same in the machine and in SQL, in every small case", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const column = (of: (one: typeof everyCase[number]) => string | bigint) => everyCase.map(of)
      // Without a limit the charge may be the whole cost; with one, the hold and the room.
      const chargeMax = column(({ cost, held, room }) => room === undefined ? held + cost : held + room)
      const rows = yield* sql.unsafe<Readonly<Record<string, bigint>>>(
        `SELECT s.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
            WITH ORDINALITY AS c (funding, kind, held, cost, charge_max, usd, owed, place)
          CROSS JOIN LATERAL realms_settlement_v1(c.funding, c.kind, c.held, c.cost, c.charge_max, c.usd, c.owed) s
          ORDER BY c.place`,
        [
          column(({ funding }) => funding),
          column(({ kind }) => kind),
          column(({ held }) => held),
          column(({ cost }) => cost),
          chargeMax,
          column(({ usd }) => usd),
          column(({ owed }) => owed)
        ]
      )
      assert.strictEqual(rows.length, everyCase.length)
      for (const [index, one] of everyCase.entries()) {
        const { cost, funding, held, kind, owed, room, usd } = one
        const change = settlementOf({
          funding,
          heldMicros: held,
          dueMicros: kind === "c" ? cost : kind === "x" ? held : 0n,
          usdMicros: usd,
          owedMicros: owed,
          roomMicros: room
        })
        const name = `${funding} ${kind} held ${held} cost ${cost} room ${room} usd ${usd} owed ${owed}`
        const recovered = funding === "subscription" ? -change.usdDelta : change.owedDelta < 0n ? -change.owedDelta : 0n
        assert.deepStrictEqual({ ...rows[index] }, {
          charged: change.chargedMicros,
          usd_change: change.usdDelta,
          owed_change: change.owedDelta,
          window_change: change.windowDelta,
          recovered
        }, name)
      }
    }))

  it.effect("leaves the same account in the machine and in the journal, whatever else its batch settles", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const database = yield* Database
      const connection = yield* database.connect({ applicationName: "settlement-test" })
      const accounts = yield* Arbitrary.sampleEffect(Arbitrary.schema(RandomAccount), { count: USERS })
      const decided = yield* Effect.forEach(accounts, (account) =>
        Effect.gen(function*() {
          const { ids, subscriptionId, user } = yield* write(account)
          const { rows, state } = yield* loadAccount(sql, { userId: user, ids, keyIds: [] }, AT_MS)
          let next = state
          const events: Array<Event> = []
          const entries: Array<JournalEntry> = []
          const answers = new Map<string, Settlement>()
          account.calls.forEach((call, index) => {
            const id = ids[index] ?? ""
            const decision = decide(next, commandOf(id, call), rows.get(id) ?? null)
            if (decision._tag === "Repeat") return
            assert.isTrue(decision._tag === "Accept" && decision.answer._tag === "Settlement")
            if (decision._tag !== "Accept" || decision.answer._tag !== "Settlement") return
            next = evolve(next, decision.event)
            events.push(decision.event)
            entries.push({ event: decision.event, usdAfterMicros: next.usdMicros, owedAfterMicros: next.owedMicros })
            answers.set(id, decision.answer.settlement)
          })
          return { account, user, ids, events, entries, answers, next, fences: [[subscriptionId, 7n, 8n]] as const }
        }))
      const groups = decided.map(({ entries, events, fences, user }) => ({ userId: user, entries, events, fences }))
      const answers = new Map<UserId, GroupResult>()
      const cheap = groups.filter((group) => group.entries.length > 0 && isPlain(group))
      for (
        const [statement, part] of [
          [plainBatch, cheap],
          [wholeBatch, groups.filter((group) => !cheap.includes(group))]
        ] as const
      ) {
        assert.isAbove(part.length, 5, "both ways are tried")
        const rows = yield* connection.queryValues(statement.sql, statement.parameters(part))
        for (const [userId, result] of statement.decode(rows)) answers.set(userId, result)
      }
      for (const { account, answers: told, events, ids, next, user } of decided) {
        const name = JSON.stringify(account, (_, value: unknown) => typeof value === "bigint" ? Number(value) : value)
        const result = answers.get(user)
        assert.strictEqual(result?.note, "", name)
        // What was late is said to be; nothing else is worth a word.
        assert.isTrue(Array.from(result?.exceptions.values() ?? []).every(({ tag }) => tag === "late"), name)
        const { rows, state } = yield* loadAccount(sql, { userId: user, ids, keyIds: [] }, AT_MS)
        assert.deepStrictEqual(
          [state.usdMicros, state.owedMicros, state.heldMicros, state.openHolds],
          [next.usdMicros, next.owedMicros, next.heldMicros, next.openHolds],
          name
        )
        for (const subscription of state.subscriptions) {
          const expected = next.subscriptions.find(({ id }) => id === subscription.id)
          for (const part of ["windows", "held"] as const) {
            const usedIn = expected === undefined ? undefined : rolled(expected[part], AT_MS).used
            assert.deepStrictEqual(rolled(subscription[part], AT_MS).used, usedIn, `${part} ${name}`)
          }
        }
        for (const [id, { chargedMicros, costMicros, late, state: end }] of told) {
          assert.deepInclude(rows.get(id), { chargedMicros, costMicros, late, state: end }, name)
        }
        const [ledger] = yield* sql<{ recovered: bigint }>`
          SELECT coalesce(sum(-amount_micros), 0)::bigint AS recovered FROM ledger_entries WHERE user_id = ${user}`
        const recovered = events.reduce((sum, event) => {
          if (event._tag !== "Settled") return sum
          if (event.reservation?.funding === "subscription") return sum - event.usdDelta
          return event.owedDelta < 0n ? sum - event.owedDelta : sum
        }, 0n)
        assert.strictEqual(ledger?.recovered, recovered, name)
      }
    }))
})
