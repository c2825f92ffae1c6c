/**
 * The limits themselves: one person sets or lowers one; raising or removing one takes two.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { PaymentWorld } from "../support/PaymentWorld.ts"
import { staff } from "../support/StaffClients.ts"
import { confirmationLimits } from "./ConfirmationCases.ts"

const World = PaymentWorld.layerOf({ finance: confirmationLimits }).pipe(
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

layer(World, { excludeTestServices: true, timeout: 60_000 })("limits of one person", (it) => {
  it.effect("are raised and removed by two, set and lowered by one", () =>
    Effect.gen(function*() {
      const [ada, bob] = [yield* staff("root"), yield* staff("root")]
      const value = Effect.map(ada.get("/settings"), ({ json }) =>
        json.settings.find(({ key }: { readonly key: string }) => key === "finance.confirm_above_usd").value)
      const lowered = yield* ada.patch("/settings", { set: { "finance.confirm_above_usd": "4.5" } })
      assert.strictEqual(lowered.status, 200, JSON.stringify(lowered.json))
      for (
        const [change, becomes] of [
          [{ set: { "finance.confirm_above_usd": "6" } }, "6"],
          [{ set: { "finance.confirm_above_usd": "" } }, ""],
          [{ set: { "finance.confirm_above_usd": "4" } }, undefined],
          [{ reset: ["finance.confirm_above_usd"] }, "5"]
        ] as const
      ) {
        const before = yield* value
        const asked = yield* ada.patch("/settings", change)
        if (becomes === undefined) {
          assert.strictEqual(asked.status, 200)
          continue
        }
        assert.strictEqual(asked.status, 202, JSON.stringify(change))
        const id = asked.json.confirmation_id
        assert.strictEqual(yield* value, before)
        assert.strictEqual((yield* ada.post(`/confirmations/${id}/confirm`)).status, 409)
        assert.strictEqual((yield* (yield* staff("finance")).post(`/confirmations/${id}/confirm`)).status, 409)
        const confirmed = yield* bob.post(`/confirmations/${id}/confirm`)
        assert.strictEqual(confirmed.status, 200, JSON.stringify(confirmed.json))
        assert.strictEqual(yield* value, becomes)
      }
      // What has become a lower limit meanwhile is not what was shown.
      const six = yield* ada.patch("/settings", { set: { "finance.confirm_above_usd": "6" } })
      const ten = yield* ada.patch("/settings", { set: { "finance.confirm_above_usd": "10" } })
      assert.strictEqual((yield* bob.post(`/confirmations/${ten.json.confirmation_id}/confirm`)).status, 200)
      assert.strictEqual((yield* bob.post(`/confirmations/${six.json.confirmation_id}/confirm`)).status, 409)
      assert.strictEqual(yield* value, "10")
      yield* ada.patch("/settings", { set: { "finance.confirm_above_usd": "5" } })
      const removed = yield* ada.patch("/settings", { set: { "finance.confirm_above_cny": "" } })
      assert.strictEqual(removed.status, 202)
      // Together with other settings it is refused: what waits is stored, and none of it may be a secret.
      const mixed = yield* ada.patch("/settings", {
        set: { "finance.confirm_above_usd": "9", "payment.epay.key": "secret" }
      })
      assert.deepStrictEqual([mixed.status, Object.keys(mixed.json.problems)], [422, ["finance.confirm_above_usd"]])
      for (const wrong of ["-1", "1.1234567", "much"]) {
        assert.strictEqual(
          (yield* ada.patch("/settings", { set: { "finance.confirm_above_usd": wrong } })).status,
          422
        )
      }
    }))
})
