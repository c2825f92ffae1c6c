/**
 * What is looked up in the database for a call before it costs anything, asked for by the hundred: idempotency keys that nobody has used,
 * and ids of stored items that there are not. Other users' calls need the database's connections, too.
 */
import { PgConnection } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Fiber, Redacted } from "effect"
import { inGateway, microPriced, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { send } from "../support/TestHttp.ts"
import { chatUsage, completion } from "../support/TestUpstream.ts"

const FLOOD = 200

interface Flood {
  readonly what: string
  readonly table: string
  readonly micros: bigint
  /** Of each call, when the table can be read. */
  readonly status: number
  /** The call with a number: its path, body and headers. */
  readonly call: (index: number) => readonly [path: string, body: object, headers?: Readonly<Record<string, string>>]
}

const chat = ["/v1/chat/completions", {
  model: "m",
  messages: [{ role: "user", content: "Hi" }],
  max_tokens: 10
}] as const
const keyed = (index: number) => [...chat, { "idempotency-key": `key-${index}` }] as const

const floods: ReadonlyArray<Flood> = [
  { what: "idempotency keys without funds", table: "call_claims", micros: 0n, status: 402, call: keyed },
  { what: "idempotency keys", table: "call_claims", micros: 1_000_000n, status: 200, call: keyed },
  {
    what: "stored items",
    table: "response_refs",
    micros: 1_000_000n,
    status: 400,
    call: (index) => ["/v1/responses", { model: "m", input: [{ type: "item_reference", id: `msg_${index}` }] }]
  }
]

layer(TestGateway.layerOf((origin) => microPriced(origin)), { excludeTestServices: true })("look-ups", (it) => {
  for (const flood of floods) {
    inGateway(it)(`of ${flood.what} take few connections`, function*(gateway) {
      const [flooder, other] = [yield* gateway.user(flood.micros), yield* gateway.user(1_000_000n)]
      gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
      const make = (user: TestUser, [path, body, headers = {}]: ReturnType<Flood["call"]>) =>
        send(`${gateway.origin}${path}`, { key: user.key, body, headers })
      const one = (index: number) => make(flooder, flood.call(index))
      assert.strictEqual((yield* one(-1)).status, flood.status)
      const database = yield* PgConnection.make({ url: Redacted.make(gateway.url) })
      yield* database.query("BEGIN", [], false)
      yield* database.query(`LOCK TABLE ${flood.table} IN ACCESS EXCLUSIVE MODE`, [], false)
      const made = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: FLOOD }, (_, index) => index), one, { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Effect.sleep(200)
      // Its API key and its account are read from the database first. Look-ups that hang are given up after two seconds.
      const askedMs = yield* Clock.currentTimeMillis
      const answer = yield* make(other, chat)
      assert.strictEqual(answer.status, 200, answer.text)
      assert.isBelow((yield* Clock.currentTimeMillis) - askedMs, 1_000)
      yield* database.query("ROLLBACK", [], false)
      const answers = yield* Fiber.join(made)
      assert.isEmpty(answers.filter(({ status }) => ![flood.status, 503].includes(status)))
      assert.strictEqual((yield* one(FLOOD)).status, flood.status)
    })
  }
})
