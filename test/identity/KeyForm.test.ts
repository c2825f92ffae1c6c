/**
 * What a form asks of a key: what is read, what is said to be wrong, and what of a key that there is stays as it is.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result } from "effect"
import { noRateLimits } from "../../src/domain/CallLimits.ts"
import { ApiKeyId } from "../../src/domain/Ids.ts"
import type { ListedApiKey } from "../../src/identity/ApiKey.ts"
import { changeOf, keyFormOf, readKeyForm } from "../../src/identity/KeyForm.ts"

const at = (text: string) => DateTime.toDateUtc(DateTime.makeUnsafe(text))

const terms = {
  name: "old",
  spendLimitMicros: 1_500_000n,
  spendLimitPeriod: "week",
  dayLimitMicros: 500_000n,
  monthLimitMicros: null,
  requestsPerMinute: 60,
  tokensPerMinute: null,
  concurrentCalls: 2,
  allowedModels: ["gone"],
  allowedNetworks: ["10.0.0.0/8", "::1"]
} as const

const current: ListedApiKey = {
  id: ApiKeyId.make(1n),
  hint: "sk-…abcd",
  createdAt: at("2026-01-01T00:00:00Z"),
  expiresAt: at("2026-02-03T12:00:00Z"),
  revokedAt: null,
  lastUsedAt: null,
  pausedAt: null,
  ...terms
}

const asker = { timeZone: "Asia/Shanghai", models: ["a", "b"] }

describe("the form of a key", () => {
  it("reads its terms, days in the reader's zone", () => {
    const form = new URLSearchParams(
      "name=+x+&spend_limit=2.5&spend_limit_period=month&expiry=2030-01-31&models=a&models=a" +
        "&day_limit=0.5&month_limit=9&requests_per_minute=+60&concurrent_calls=2&networks=10.0.0.0/8%2C+::1"
    )
    assert.deepStrictEqual(
      readKeyForm(form, asker),
      Result.succeed({
        name: "x",
        expiresAt: at("2030-01-31T15:59:59Z"),
        spendLimitMicros: 2_500_000n,
        spendLimitPeriod: "month" as const,
        dayLimitMicros: 500_000n,
        monthLimitMicros: 9_000_000n,
        requestsPerMinute: 60,
        tokensPerMinute: null,
        concurrentCalls: 2,
        allowedModels: ["a"],
        allowedNetworks: ["10.0.0.0/8", "::1"]
      })
    )
  })

  it("takes what is empty or absent for no limit", () => {
    assert.deepStrictEqual(
      readKeyForm(new URLSearchParams("name=x&spend_limit=+&expiry="), asker),
      Result.succeed({
        name: "x",
        expiresAt: null,
        spendLimitMicros: null,
        spendLimitPeriod: "total" as const,
        dayLimitMicros: null,
        monthLimitMicros: null,
        ...noRateLimits,
        allowedModels: null,
        allowedNetworks: null
      })
    )
  })

  it("says every field that is wrong", () => {
    const form = new URLSearchParams(
      "name=&spend_limit=much&spend_limit_period=year&expiry=soon&models=c" +
        "&day_limit=x&month_limit=y&requests_per_minute=0&networks=10.0.0.0/33"
    )
    assert.deepStrictEqual(
      readKeyForm(form, asker),
      Result.fail(["name", "expiry", "spend_limit", "day_limit", "month_limit", "rates", "networks", "models"] as const)
    )
    assert.deepStrictEqual(
      readKeyForm(new URLSearchParams("name=x&spend_limit_period=hour"), asker),
      Result.fail(["spend_limit"] as const)
    )
  })

  it("that is sent as it was shown changes nothing: not the hour of its expiry, not a model that is gone", () => {
    const shown = keyFormOf(current, asker.timeZone)
    const read = Result.getOrThrow(readKeyForm(shown, { ...asker, current }))
    assert.deepStrictEqual(read, {
      ...terms,
      expiresAt: current.expiresAt
    })
    // It is over, and would be refused if it were asked for.
    assert.notProperty(changeOf(read, current), "expiresAt")
    shown.set("expiry", "")
    const without = Result.getOrThrow(readKeyForm(shown, { ...asker, current }))
    assert.isNull(changeOf(without, current).expiresAt)
    assert.deepStrictEqual(readKeyForm(keyFormOf(current, asker.timeZone), asker), Result.fail(["models"] as const))
  })
})
