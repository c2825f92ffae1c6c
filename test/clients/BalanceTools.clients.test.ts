/**
 * Balance tools against the gateway: OpenRouter's SDK, which checks every field of its answers, and the tools of one-api's kind.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import { newApi, nextChat, openRouter } from "./BalanceTools.ts"
import { clientGateway, PLAIN, play, text } from "./ClientWorld.ts"
import { chat } from "./OpenAiNode.ts"

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("balance tools", (it) => {
  it.effect("OpenRouter's SDK reads the key and the credits", () =>
    Effect.gen(function*() {
      const { gateway, target, user, charged } = yield* play(PLAIN, [[text("Hello.")]])
      yield* Effect.promise(() => chat(target, "Hi"))
      yield* charged
      const spent = 10_000_000n - (yield* gateway.balanceOf(user))
      const { credits, key } = yield* Effect.promise(() => openRouter(target))
      const usd = Number(spent) / 1e6
      assert.deepStrictEqual(credits, { totalCredits: 10, totalUsage: usd })
      assert.deepInclude(key, {
        limit: null,
        limitRemaining: null,
        limitReset: null,
        isFreeTier: false,
        usage: usd,
        usageDaily: usd,
        usageMonthly: usd
      })
      yield* gateway.change(
        "keys",
        user.keyId.toString(),
        (sql) =>
          sql`UPDATE api_keys SET spend_limit_micros = 5000000, spend_limit_period = 'week',
            expires_at = now() + interval '1 day' WHERE id = ${user.keyId}`
      )
      const limited = (yield* Effect.promise(() => openRouter(target))).key
      assert.deepInclude(limited, { limit: 5, limitReset: "weekly" })
      assert.strictEqual(limited.limitRemaining, Number(5_000_000n - spent) / 1e6)
      assert.instanceOf(limited.expiresAt, Date)
    }))

  it.effect("NextChat and new-api read what is used and what is left", () =>
    Effect.gen(function*() {
      const { gateway, target, user } = yield* play(PLAIN, [[text("Hello.")]])
      yield* Effect.promise(() => chat(target, "Hi"))
      yield* gateway.settled
      const balance = Number(yield* gateway.balanceOf(user)) / 1e6
      const shown = yield* Effect.promise(() => nextChat(target))
      assert.strictEqual(shown.total, 10)
      assert.approximately(Number(shown.used), 10 - balance, 0.005)
      assert.approximately(yield* Effect.promise(() => newApi(target)), balance, 1e-9)
    }))
})
