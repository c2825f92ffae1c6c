/**
 * The whole loop in the demo, as a script without a browser goes through it: credit and plans bought through both simulated
 * providers, calls paid by the plan and, once its window is full, from the balance; every step in rows, the books clean.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { commandsOf, makeInstallation } from "../support/SpawnRealms.ts"
import { send } from "../support/TestHttp.ts"
import { until } from "../support/Until.ts"

const TEST_TIMEOUT_MS = 180_000
const CALLS_MAX = 60
const formType = { "content-type": "application/x-www-form-urlencoded" }

const Info = Schema.fromJsonString(Schema.Struct({
  base_url: Schema.String,
  email: Schema.String,
  key: Schema.String,
  config_path: Schema.String
}))
const Created = Schema.fromJsonString(Schema.Struct({ id: Schema.String }))
const Shown = Schema.fromJsonString(Schema.Struct({ state: Schema.String }))
const Form = Schema.fromJsonString(Schema.Struct({
  action: Schema.String,
  fields: Schema.Record(Schema.String, Schema.String)
}))
const Balance = Schema.fromJsonString(Schema.Struct({ usd_micros: Schema.String }))
const Receipt = Schema.fromJsonString(Schema.Struct({ funding: Schema.String, charged_micros: Schema.String }))

describe("the demo", () => {
  it.live(
    "tops up and subscribes by both providers, and calls are paid by the plan until it is full",
    () =>
      Effect.gen(function*() {
        const realms = yield* makeInstallation({})
        const demo = realms.begin("demo", "--json")
        const line = () => demo.log.split("\n").find((text) => text.startsWith('{"base_url"'))
        yield* until("the demo is up", () => line() !== undefined || demo.ended !== undefined)
        const info = yield* Schema.decodeUnknownEffect(Info)(line() ?? demo.log)
        const cli = commandsOf(info.config_path)

        const payByStripe = Effect.fnUntraced(function*(id: string) {
          const page = yield* cli("order", "start", id, "--provider", "stripe")
          yield* send(page, { method: "POST", body: "action=pay&method=card", headers: formType })
        })
        const payByEpay = Effect.fnUntraced(function*(id: string) {
          const text = yield* cli("order", "start", id, "--provider", "epay", "--method", "alipay")
          const { action, fields } = yield* Schema.decodeUnknownEffect(Form)(text)
          const body = String(new URLSearchParams(fields))
          const submitted = yield* send(action, { method: "POST", body, headers: formType })
          const cashier = new URL(String(submitted.headers.location), action).href
          yield* send(cashier, { method: "POST", body: "type=alipay", headers: formType })
        })
        const buy = Effect.fnUntraced(
          function*(pay: (id: string) => Effect.Effect<void, unknown>, ...what: ReadonlyArray<string>) {
            const text = yield* cli("order", "create", "--user", info.email, ...what, "--json")
            const { id } = yield* Schema.decodeUnknownEffect(Created)(text)
            yield* pay(id)
            return (yield* Schema.decodeUnknownEffect(Shown)(yield* cli("order", "show", id, "--json"))).state
          }
        )
        const balance = Effect.gen(function*() {
          const text = yield* cli("balance", "show", "--user", info.email, "--json")
          return BigInt((yield* Schema.decodeUnknownEffect(Balance)(text)).usd_micros)
        })

        assert.strictEqual(yield* buy(payByEpay, "--topup-cny", "10.00"), "paid")
        assert.strictEqual(yield* buy(payByStripe, "--topup-cny", "20.00"), "paid")
        assert.strictEqual(yield* balance, 5_000_000n + 1_400_000n + 2_800_000n)
        assert.strictEqual(yield* buy(payByEpay, "--plan", "tiny"), "active")
        assert.strictEqual(yield* buy(payByStripe, "--plan", "tiny"), "active")

        const call = Effect.gen(function*() {
          const answer = yield* send(`${info.base_url}/v1/chat/completions`, {
            key: info.key,
            body: { model: "gpt-4o-mini", max_tokens: 20, messages: [{ role: "user", content: "Hello" }] }
          })
          assert.strictEqual(answer.status, 200, answer.text)
          const receipt = yield* send(`${info.base_url}/v1/usage/${String(answer.headers["x-request-id"])}`, {
            key: info.key
          })
          return yield* Schema.decodeUnknownEffect(Receipt)(receipt.text)
        })
        let byPlan = 0
        let receipt = yield* call
        while (receipt.funding === "subscription" && byPlan < CALLS_MAX) {
          byPlan++
          receipt = yield* call
        }
        assert.isAbove(byPlan, 0)
        assert.strictEqual(receipt.funding, "balance", `after ${byPlan} calls by the plan`)
        assert.strictEqual(yield* balance, 9_200_000n - BigInt(receipt.charged_micros))
        assert.match(yield* cli("audit"), /^clean/)
        demo.signal("SIGTERM")
        assert.strictEqual(yield* demo.exit, 0)
      }).pipe(Effect.scoped),
    TEST_TIMEOUT_MS
  )
})
