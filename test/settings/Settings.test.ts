import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { AppConfig, testConfig } from "../../src/platform/Config.ts"
import { Settings } from "../../src/settings/Settings.ts"

const config = testConfig({ billing: { multiplier: "1.5" }, registration: { mode: "closed" } })

describe("Settings", () => {
  it.effect("are what the configuration says", () =>
    Effect.gen(function*() {
      const { billing, payment, registration } = (yield* Settings).current()
      assert.strictEqual(billing.multiplierMicros, 1_500_000n)
      assert.strictEqual(registration.mode, "closed")
      assert.strictEqual(payment, config.payment)
    }).pipe(Effect.provide(Settings.layer.pipe(Layer.provide(AppConfig.layerOf(config))))))
})
