/**
 * What a call was promised holds to its end: prices, channels, subscriptions and settings that change while it is open
 * change nothing in what it costs or who pays, to the micro, not even where it is extended after the change. The next
 * call is made and charged by what is new.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { EVERY_ACCOUNT } from "../../src/accounts/Ledger.ts"
import { OpenAnswer, send } from "../support/TestHttp.ts"
import { TestGateway, type TestUser } from "../support/TestGateway.ts"
import { chatUsage, chunk, completion, Gate, type UpstreamCall } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 10_000_000n
const TOKENS_IN = 121
const TOKENS_OUT = 401
/** Streams outgrow their first hold after the change. */
const FIRST_TOKENS = 100
const FRAMES = 300

/** Micros a thousand tokens, and thousandths: integers, so that the test does its own sums. */
interface Terms {
  readonly input: bigint
  readonly output: bigint
  readonly multiplier: bigint
  readonly enabled?: boolean
}

const old: Terms = { input: 1_700n, output: 2_300n, multiplier: 1_500n }
const dearer: Terms = { ...old, input: 7_000n, output: 11_000n }
const dearest: Terms = { ...dearer, multiplier: 3_000n }
const inThousandths = (amount: bigint) => `${amount / 1_000n}.${String(amount % 1_000n).padStart(3, "0")}`

/** Two channels of the same upstream: what is called tells which was asked. */
const document = (origin: string, { enabled = true, input, multiplier, output }: Terms) => ({
  billing: { enabled, multiplier: inThousandths(multiplier), default_max_output_tokens: FIRST_TOKENS },
  channels: ["old", "new"].map((name) => ({
    name,
    base_url: `${origin}/v1`,
    api_key: `key-${name}`,
    priority: name === "old" ? 2 : 1,
    models: { m: name }
  })),
  models: [{
    id: "m",
    input_usd_per_1m: inThousandths(input),
    output_usd_per_1m: inThousandths(output),
    max_output_tokens: 5_000
  }]
})

/** What a call costs, rounded up once. */
const costOf = (
  { input, multiplier, output }: Terms,
  plan = 1_000n,
  tokensIn: number | bigint | null = TOKENS_IN,
  tokensOut: number | bigint | null = TOKENS_OUT
) => {
  const perThousand = BigInt(tokensIn ?? -1) * input + BigInt(tokensOut ?? -1) * output
  return (perThousand * multiplier * plan + 999_999_999n) / 1_000_000_000n
}

type Gateway = TestGateway["Service"]

const delta = { type: "response.output_text.delta", item_id: "a", output_index: 0, content_index: 0, delta: "word " }

const finish = (call: UpstreamCall) => {
  const usage = chatUsage(TOKENS_IN, TOKENS_OUT)
  if (call.path === "/v1/responses") {
    for (let index = 0; index < FRAMES; index++) call.frame({ ...delta, sequence_number: index + 2 })
    const usage = { input_tokens: TOKENS_IN, output_tokens: TOKENS_OUT, total_tokens: TOKENS_IN + TOKENS_OUT }
    const response = { id: "r", object: "response", status: "completed", output: [], usage }
    call.frame({ type: "response.completed", sequence_number: FRAMES + 2, response })
    call.response.end()
  } else if (call.body["stream"] === true) call.chatStream(Array.from({ length: FRAMES }, () => "word "), usage)
  else call.json(completion("word", usage))
}

const begin = (call: UpstreamCall) => {
  if (call.path === "/v1/responses") {
    call.frame({ type: "response.created", sequence_number: 0, response: { id: "r", status: "in_progress" } })
    // What precedes the first output is kept back: without it the client would hear nothing but the keep-alive.
    call.frame({ ...delta, sequence_number: 1 })
  } else if (call.body["stream"] === true) call.frame(chunk("word "))
}

const kinds = [
  { path: "/v1/chat/completions", body: { model: "m", stream: true, messages: [{ role: "user", content: "Hi" }] } },
  { path: "/v1/chat/completions", body: { model: "m", messages: [{ role: "user", content: "Hi" }] } },
  { path: "/v1/responses", body: { model: "m", stream: true, input: "Hi" } }
]

/** Calls of all kinds that are open until the gate is. */
const openCalls = Effect.fnUntraced(function*(gateway: Gateway, users: ReadonlyArray<TestUser>) {
  const gate = new Gate()
  for (const name of ["old", "new", "renamed"]) gateway.upstream.on(name, finish)
  gateway.upstream.on("old", async (call) => {
    begin(call)
    await gate.opened
    finish(call)
  })
  const before = gateway.upstream.calls.length
  const answers = users.flatMap((user) =>
    kinds.map(({ body, path }) => {
      const answer = new OpenAnswer(`${gateway.origin}${path}`, { key: user.key, method: "POST" })
      answer.end(body)
      return { answer, user, streams: "stream" in body }
    })
  )
  yield* until("all are held and sent", () => gateway.upstream.calls.length === before + answers.length)
  yield* until("the streams have begun", () => answers.every(({ answer, streams }) => !streams || answer.text !== ""))
  const end = Effect.gen(function*() {
    gate.open()
    yield* until("all have ended", () => answers.every(({ answer }) => answer.ended))
    yield* gateway.settled
    return answers.map(({ answer, streams, user }) => ({ id: answer.requestId, streams, user, text: answer.text }))
  })
  return end
})

/** A user without money and with a subscription whose plan costs half. */
const subscriber = Effect.fnUntraced(function*(gateway: Gateway) {
  const user = yield* gateway.user(0n)
  yield* gateway.change(
    "account",
    String(user.id),
    (sql) =>
      sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
        limit_30d_micros, multiplier_micros, starts_at, ends_at, fence)
      VALUES (${user.id}, 'p', 'P', 5000000, 0, 0, 0, 500000, now() - interval '1 day', now() + interval '9 days', 7)`
  )
  return user
})

interface Next {
  readonly status?: number
  /** Of a user with money; of one with a subscription, who may have to pay from the balance by then. */
  readonly balance: bigint
  readonly subscription: bigint
  /** Every account is to be read again, not one. */
  readonly isForAll?: boolean
  /** The subscription gives nothing more: not to streams that outgrow their hold, nor to the next call. */
  readonly cuts?: boolean
  readonly upstream?: string
}

type Topic = "catalog" | "channels" | "account"
type Change = readonly [
  what: string,
  topic: Topic,
  statement: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, SqlError.SqlError>,
  next: Next
]

const same = { balance: costOf(old), subscription: costOf(old, 500n) }

type Group = readonly [code: string, multiplierMicros: bigint]

/** Every user gets a group by this column, and every subscription another one by its plan. */
const inGroups = (
  { column, plan, user }: {
    readonly column: "group_code" | "redeemed_group_code"
    readonly user: Group
    readonly plan: Group
  }
): Change[2] =>
(sql) =>
  sql`WITH made AS (
    INSERT INTO user_groups (code, name, multiplier_micros)
      VALUES (${user[0]}, 'Users', ${user[1]}), (${plan[0]}, 'Plans', ${plan[1]}) RETURNING code
  ), given AS (UPDATE users SET ${sql(column)} = ${user[0]} WHERE (SELECT count(*) FROM made) = 2 RETURNING id)
  UPDATE user_subscriptions SET group_code = ${plan[0]}, fence = fence + 1000 WHERE (SELECT count(*) FROM given) > 0`

const changes: ReadonlyArray<Change> = [
  [
    "the price",
    "catalog",
    (sql) => sql`UPDATE models SET input_micros_per_1m = 7000000, output_micros_per_1m = 11000000`,
    { balance: costOf(dearer), subscription: costOf(dearer, 500n) }
  ],
  [
    "the price, to nothing",
    "catalog",
    (sql) => sql`UPDATE models SET input_micros_per_1m = 0, output_micros_per_1m = 0`,
    { balance: 0n, subscription: 0n }
  ],
  [
    "the model, withdrawn",
    "catalog",
    (sql) => sql`UPDATE models SET disabled_at = now()`,
    { status: 404, balance: 0n, subscription: 0n }
  ],
  [
    "the channel, disabled",
    "channels",
    (sql) => sql`UPDATE channels SET disabled_at = now() WHERE name = 'old'`,
    { ...same, upstream: "new" }
  ],
  [
    "the channel, behind another",
    "channels",
    (sql) => sql`UPDATE channels SET priority = 9 WHERE name = 'new'`,
    { ...same, upstream: "new" }
  ],
  [
    "the channel's name for the model",
    "channels",
    (sql) => sql`UPDATE channel_models SET upstream_model = 'renamed' WHERE upstream_model = 'old'`,
    { ...same, upstream: "renamed" }
  ],
  [
    "the subscription's multiplier",
    "account",
    (sql) => sql`UPDATE user_subscriptions SET multiplier_micros = 2000000, fence = fence + 1000`,
    { ...same, subscription: costOf(old, 2_000n) }
  ],
  [
    "the subscription, ended",
    "account",
    (sql) => sql`UPDATE user_subscriptions SET status = 'ended', fence = fence + 1000`,
    { ...same, subscription: costOf(old), cuts: true }
  ],
  [
    "the subscription's windows, too small for anything more",
    "account",
    (sql) => sql`UPDATE user_subscriptions SET limit_5h_micros = 1, fence = fence + 1000`,
    { ...same, subscription: costOf(old), cuts: true }
  ],
  [
    "the users' own group, which comes before that of the plan",
    "account",
    inGroups({ column: "group_code", user: ["half", 500_000n], plan: ["dear", 3_000_000n] }),
    { balance: costOf(old, 500n), subscription: costOf(old, 250n), isForAll: true }
  ],
  [
    "the plan's group, which comes before that of a redeemed code",
    "account",
    inGroups({ column: "redeemed_group_code", user: ["free", 0n], plan: ["half", 500_000n] }),
    { balance: 0n, subscription: costOf(old, 250n), isForAll: true }
  ]
]

describe("while calls are open", () => {
  for (const [what, topic, statement, next] of changes) {
    it.live(`${what} changes: they settle by their snapshot, the next is made by the new`, () =>
      Effect.gen(function*() {
        const gateway = yield* TestGateway.make((origin) => document(origin, old))
        const payer = yield* gateway.user(START)
        const holder = yield* subscriber(gateway)
        const end = yield* openCalls(gateway, [payer, holder])
        yield* gateway.change(topic, next.isForAll === true ? EVERY_ACCOUNT : String(holder.id), statement)
        for (const { id, streams, text, user } of yield* end) {
          const row = yield* gateway.rowOf(id)
          const isCut = user === holder && streams && next.cuts === true
          const [tokensIn, tokensOut] = isCut ? [row.input_tokens, row.output_tokens] : [TOKENS_IN, TOKENS_OUT]
          const cost = costOf(old, user === payer ? 1_000n : 500n, tokensIn, tokensOut)
          assert.deepStrictEqual(
            [row.state, row.reason, row.channel, row.funding, row.cost_micros, row.charged_micros],
            [
              "committed",
              isCut ? "insufficient_quota" : null,
              "old",
              user === payer ? "balance" : "subscription",
              cost,
              cost
            ],
            text.slice(-300)
          )
        }
        assert.strictEqual(yield* gateway.balanceOf(payer), START - 3n * same.balance)
        assert.strictEqual(yield* gateway.balanceOf(holder), 0n)
        yield* gateway.credit(holder, START)
        for (const user of [payer, holder]) {
          const answer = yield* send(`${gateway.origin}/v1/chat/completions`, { key: user.key, body: kinds[1]?.body })
          assert.strictEqual(answer.status, next.status ?? 200, answer.text)
          if (next.status !== undefined) continue
          const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
          const [funding, cost] = user === payer
            ? ["balance", next.balance]
            : [next.cuts === true ? "balance" : "subscription", next.subscription]
          assert.deepStrictEqual([row.funding, row.cost_micros, row.charged_micros], [funding, cost, cost])
          assert.strictEqual(gateway.upstream.calls.at(-1)?.body["model"], next.upstream ?? "old")
          assert.strictEqual(answer.headers["x-realms-cost-micros"], String(cost))
        }
        // Of a limit that was lowered below what had been used, the ledger check says that it is exceeded, and rightly so.
        yield* gateway.change(
          "account",
          String(holder.id),
          (sql) => sql`UPDATE user_subscriptions SET limit_5h_micros = 0, fence = fence + 1000`
        )
        yield* gateway.clean
      }))
  }

  const configured: ReadonlyArray<
    readonly [what: string, before: Terms, after: Terms, costBefore: bigint, costAfter: bigint]
  > = [
    ["price and multiplier", old, dearest, same.balance, costOf(dearest)],
    ["billing, switched off", old, { ...old, enabled: false }, same.balance, 0n],
    ["billing, switched on", { ...old, enabled: false }, old, 0n, same.balance]
  ]
  for (const [what, before, after, costBefore, costAfter] of configured) {
    it.live(`${what}, by another server over the same database: each call costs what its own reserve said`, () =>
      Effect.gen(function*() {
        const gateway = yield* TestGateway.make((origin) => document(origin, before))
        const user = yield* gateway.user(START)
        const end = yield* openCalls(gateway, [user])
        const { upstream } = gateway
        const other = yield* TestGateway.make(() => document(upstream.origin, after), { url: gateway.url })
        for (const { id, text } of yield* end) {
          const row = yield* gateway.rowOf(id)
          assert.deepStrictEqual([row.state, row.usage_source, row.charged_micros], [
            "committed",
            "upstream",
            costBefore
          ], text)
          assert.strictEqual(row.funding, before.enabled === false ? "free" : "balance")
        }
        assert.strictEqual(yield* gateway.balanceOf(user), START - 3n * costBefore)
        upstream.on("old", finish)
        const answer = yield* send(`${other.origin}/v1/chat/completions`, { key: user.key, body: kinds[1]?.body })
        const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
        assert.deepStrictEqual([answer.status, row.funding, row.charged_micros], [
          200,
          after.enabled === false ? "free" : "balance",
          costAfter
        ])
        assert.strictEqual(yield* gateway.balanceOf(user), START - 3n * costBefore - costAfter)
        yield* gateway.clean
      }))
  }
})
