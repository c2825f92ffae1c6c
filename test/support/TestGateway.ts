/**
 * The whole server inside the test's process, on a database of its own and before a scripted upstream, with the few
 * things that every end-to-end test asks: a user with money and a key, balances, receipts, and whether the books hold.
 */
import { assert, layer, type Vitest } from "@effect/vitest"
import type { Scope } from "effect"
import { Context, Effect, Layer, Redacted } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { ChannelAdmin } from "../../src/channels/ChannelAdmin.ts"
import { type ApiKeyId, type UserId } from "../../src/domain/Ids.ts"
import { ChannelTest } from "../../src/gateway/ChannelTest.ts"
import {
  UpstreamLimits,
  type UpstreamLimits as UpstreamLimitsShape
} from "../../src/gateway/upstream/UpstreamClient.ts"
import { ClientLimits, type ClientLimits as ClientLimitsShape } from "../../src/http/ClientLimits.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { Notifications, publish, type Topic } from "../../src/platform/Notifications.ts"
import { testsOf } from "./Steps.ts"
import { adjustIn, balanceIn, makeUserIn, problemsIn } from "./TestAccounts.ts"
import { makeDatabase } from "./TestDatabase.ts"
import { OpenAnswer } from "./TestHttp.ts"
import { startServer } from "./TestServer.ts"
import { TestUpstream } from "./TestUpstream.ts"
import { until } from "./Until.ts"

export interface TestUser {
  readonly id: UserId
  readonly key: string
  readonly keyId: ApiKeyId
}

/** The row of one call. */
export interface UsageRow {
  readonly id: string
  readonly user_id: UserId
  readonly state: string
  readonly funding: string
  readonly model: string
  readonly channel: string | null
  readonly reason: string | null
  readonly usage_source: string | null
  readonly usage_flagged: boolean
  readonly late: boolean
  readonly status: number | null
  readonly reserved_micros: bigint
  readonly cost_micros: bigint | null
  readonly charged_micros: bigint | null
  readonly input_tokens: bigint | null
  readonly cached_input_tokens: bigint | null
  readonly cache_write_tokens: bigint | null
  readonly output_tokens: bigint | null
  readonly reserved_at: Date
  readonly lease_expires_at: Date
}

/** A configuration file's content for an upstream's origin. */
export type GatewayDocument = (origin: string) => object

/** One channel and one model `m` (`up` upstream) at a micro a token, in and out. */
export const microPriced = (origin: string, billing: object = {}, channel: object = {}) => ({
  billing,
  channels: [{ name: "one", base_url: `${origin}/v1`, api_key: "x", models: { m: "up" }, ...channel }],
  models: [{
    id: "m",
    input_usd_per_1m: "1",
    output_usd_per_1m: "1",
    max_output_tokens: 100_000,
    input_overhead_tokens: 0
  }]
})

/** A chat with the model `m`, its answer read as it comes. */
export const openChat = (origin: string, user: Pick<TestUser, "key">, body: object = {}) => {
  const answer = new OpenAnswer(`${origin}/v1/chat/completions`, { key: user.key, method: "POST" })
  answer.end({ model: "m", messages: [{ role: "user", content: "Hi" }], ...body })
  return answer
}

/** What a test sets apart from the configuration. */
export interface GatewayOptions {
  readonly upstream?: Partial<UpstreamLimitsShape>
  readonly client?: Partial<ClientLimitsShape>
  /** Of another server's database; else there is one of its own. */
  readonly url?: string
  /** Hears its logs in place of its own telemetry. */
  readonly observing?: Layer.Layer<never>
}

const start = Effect.fnUntraced(function*(document: GatewayDocument, options: GatewayOptions) {
  const upstream = yield* TestUpstream.acquire
  const url = options.url ?? (yield* makeDatabase())
  const { origin, services: context, sql } = yield* startServer({
    database: { url },
    ...document(upstream.origin)
  }, options.observing).pipe(
    Effect.provideService(UpstreamLimits, { ...(yield* UpstreamLimits), ...options.upstream }),
    Effect.provideService(ClientLimits, { ...(yield* ClientLimits), ...options.client })
  )
  const accounts = Context.get(context, Accounts)
  const keys = Context.get(context, ApiKeys)
  const notifications = Context.get(context, Notifications)

  const heard: Array<string> = []
  yield* notifications.subscribe({
    onMessage: (topic, key) => void heard.push(`${topic}:${key}`),
    onDown: () => undefined,
    onUp: () => undefined
  })
  const change: TestGateway["Service"]["change"] = Effect.fnUntraced(function*(topic, key, statement) {
    const message = `${topic}:${key}`
    const count = () => heard.filter((one) => one === message).length
    const before = count()
    yield* sql.withTransaction(Effect.andThen(statement(sql), publish(sql, topic, key))).pipe(Effect.orDie)
    yield* until(`${message} is heard`, () => count() > before)
  })

  const credit = (userId: UserId, usdMicros: bigint) =>
    adjustIn(sql, userId, { amountMicros: usdMicros }).pipe(
      Effect.andThen(Effect.sync(() => accounts.invalidate(userId)))
    )

  const user = Effect.fnUntraced(function*(usdMicros: bigint) {
    const id = yield* makeUserIn(sql, usdMicros)
    const made = yield* keys.create({ userId: id, name: "test" })
    return { id, key: Redacted.value(made.key), keyId: made.id } satisfies TestUser
  })

  const balanceOf = Effect.fnUntraced(function*(owner: TestUser) {
    const { owed, usd } = yield* balanceIn(sql, owner.id)
    assert.strictEqual(owed, 0n, "nothing is owed")
    return usd ?? (yield* Effect.die(new Error("no balance")))
  })

  const callsOf = (owner: TestUser) => sql<UsageRow>`SELECT * FROM calls WHERE user_id = ${owner.id} ORDER BY id`

  const rowOf = Effect.fnUntraced(function*(id: string) {
    const [row] = yield* sql<UsageRow>`SELECT * FROM calls WHERE id = ${id}`
    return row ?? (yield* Effect.die(new Error(`no call ${id}`)))
  })

  const open = Effect.map(
    sql<{ open: bigint }>`SELECT count(*) AS open FROM open_holds`,
    ([row]) => row?.open ?? -1n
  )

  const settled = until(
    "no reservation is open",
    Effect.map(open, (count) => count === 0n && accounts.openCount() === 0)
  )

  return TestGateway.of({
    origin,
    url,
    upstream,
    channels: Context.get(context, ChannelAdmin),
    testChannel: Context.get(context, ChannelTest).run,
    change,
    user,
    credit: (owner, usdMicros) => credit(owner.id, usdMicros).pipe(Effect.orDie),
    balanceOf,
    callsOf: (owner) => Effect.orDie(callsOf(owner)),
    rowOf: (id) => Effect.orDie(rowOf(id)),
    revoke: (owner) => Effect.orDie(keys.revoke(owner.keyId)),
    settled: Effect.orDie(settled),
    clean: Effect.gen(function*() {
      yield* settled
      assert.deepStrictEqual(yield* problemsIn(sql, []), [])
    }).pipe(Effect.orDie)
  })
})

export class TestGateway extends Context.Service<TestGateway, {
  readonly origin: string
  /** The database's. */
  readonly url: string
  readonly upstream: TestUpstream
  readonly channels: ChannelAdmin["Service"]
  readonly testChannel: ChannelTest["Service"]["run"]
  /** Writes as another process would, telling it in the same transaction; answers when this one has heard. */
  change(
    topic: Topic,
    key: string,
    statement: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, SqlError.SqlError>
  ): Effect.Effect<void>
  /** A new user with money and a key. */
  user(usdMicros: bigint): Effect.Effect<TestUser, unknown>
  credit(user: TestUser, usdMicros: bigint): Effect.Effect<void>
  /** What can be spent, in micros; nothing may be owed. */
  balanceOf(user: TestUser): Effect.Effect<bigint>
  /** The user's calls, oldest first. */
  callsOf(user: TestUser): Effect.Effect<ReadonlyArray<UsageRow>>
  rowOf(id: string): Effect.Effect<UsageRow>
  revoke(user: TestUser): Effect.Effect<void>
  /** Waits until no reservation is open. */
  readonly settled: Effect.Effect<void>
  /** Waits until no reservation is open, and audits. */
  readonly clean: Effect.Effect<void>
}>()("realms/test/support/TestGateway") {
  /** As long as the scope. */
  static readonly make = (
    document: GatewayDocument,
    options: GatewayOptions = {}
  ): Effect.Effect<TestGateway["Service"], never, Scope.Scope> => Effect.orDie(start(document, options))

  static readonly layerOf = (document: GatewayDocument, options: GatewayOptions = {}) =>
    Layer.effect(TestGateway, TestGateway.make(document, options))
}

/** Tests of this gateway, whose books are right in the end. */
export const inGateway = <R>(it: Vitest.MethodsNonLive<R | TestGateway>) =>
  testsOf<TestGateway["Service"], R | TestGateway>(it.effect, TestGateway, (gateway) => gateway.clean)

/** Tests of one gateway, which is made once. */
export const gatewayTests =
  <E>(gateway: Layer.Layer<TestGateway, E>) =>
  (title: string, tests: (test: ReturnType<typeof inGateway<never>>) => void) =>
    layer(gateway, { excludeTestServices: true })(title, (it) => tests(inGateway<never>(it)))
