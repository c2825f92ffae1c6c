/**
 * What tools are told of a key: what is left by each of its limits, and amounts that are exact to the last micro.
 */
import { noRateLimits } from "../../src/domain/CallLimits.ts"
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { ApiKeyId } from "../../src/domain/Ids.ts"
import { balanceShapes } from "../../src/usage/BalanceShapes.ts"
import type { FiguresOfKey } from "../../src/usage/KeyFigures.ts"

const at = DateTime.toDateUtc(DateTime.makeUnsafe("2030-01-31T12:00:00.500Z"))

const figures: FiguresOfKey = {
  id: ApiKeyId.make(1n),
  name: "laptop",
  hint: "sk-…abcd",
  createdAt: at,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  pausedAt: null,
  spendLimitMicros: null,
  spendLimitPeriod: "total",
  dayLimitMicros: null,
  monthLimitMicros: null,
  ...noRateLimits,
  allowedModels: null,
  allowedNetworks: null,
  usdMicros: 7_100_000n,
  owedMicros: 0n,
  creditedMicros: 10_000_000n,
  hasPlan: false,
  dayMicros: 300_000n,
  weekMicros: 500_000n,
  monthMicros: 700_000n,
  totalMicros: 1_234_567n,
  planMicros: 0n,
  isBilled: true,
  paysAsYouGo: true
}

// What is asked for is looked at field by field.
// oxlint-disable-next-line no-explicit-any
const shape = (path: string, changes: Partial<FiguresOfKey> = {}): any =>
  balanceShapes.get(path)?.({ ...figures, ...changes }) ?? assert.fail(path)

const SUBSCRIPTION = "/v1/dashboard/billing/subscription"
const USAGE = "/v1/dashboard/billing/usage"

/** What a tool shows: the limit less the usage, as it computes it. */
const remaining = (changes: Partial<FiguresOfKey> = {}): number =>
  shape(SUBSCRIPTION, changes).hard_limit_usd - shape(USAGE, changes).total_usage / 100

describe("what balance tools read", () => {
  it("of one-api is a limit and a usage whose difference is left", () => {
    assert.deepStrictEqual(shape(SUBSCRIPTION), {
      object: "billing_subscription",
      has_payment_method: true,
      soft_limit_usd: 8.334567,
      hard_limit_usd: 8.334567,
      system_hard_limit_usd: 8.334567,
      access_until: 0
    })
    assert.deepStrictEqual(shape(USAGE), { object: "list", total_usage: 123.4567 })
    assert.strictEqual(shape(SUBSCRIPTION, { expiresAt: at }).access_until, 1_896_091_200)
    assert.strictEqual(shape("/dashboard/billing/usage").total_usage, 123.4567)
    const table: ReadonlyArray<readonly [changes: Partial<FiguresOfKey>, left: number]> = [
      [{}, 7.1],
      [{ usdMicros: 0n }, 0],
      [{ spendLimitMicros: 2_000_000n }, 0.765433],
      [{ spendLimitMicros: 1_000_000n }, 0],
      [{ spendLimitMicros: 1_000_000n, spendLimitPeriod: "day" }, 0.7],
      [{ spendLimitMicros: 1_000_000n, spendLimitPeriod: "week" }, 0.5],
      [{ spendLimitMicros: 1_000_000n, spendLimitPeriod: "month" }, 0.3],
      [{ spendLimitMicros: 100_000_000n, dayLimitMicros: 1_000_000n, monthLimitMicros: 1_000_000n }, 0.3],
      [{ spendLimitMicros: 100_000_000n }, 7.1],
      [{ planMicros: 5_000_000n }, 12.1],
      [{ planMicros: 5_000_000n, paysAsYouGo: false }, 5],
      [{ planMicros: null, spendLimitMicros: 2_000_000n }, 0.765433]
    ]
    for (const [changes, left] of table) {
      const label = JSON.stringify(changes, (_, value: unknown) => typeof value === "bigint" ? value.toString() : value)
      assert.approximately(remaining(changes), left, 1e-9, label)
    }
  })

  it("says unlimited as new-api does, where nothing is billed or a plan has no limit", () => {
    for (const changes of [{ isBilled: false, usdMicros: 0n }, { planMicros: null }]) {
      assert.strictEqual(shape(SUBSCRIPTION, changes).hard_limit_usd, 100_000_000)
      assert.isTrue(shape("/v1/balance", changes).is_available)
    }
  })

  it("of OpenRouter is the account's credit, or what a limited key may spend", () => {
    assert.deepStrictEqual(shape("/v1/credits"), { data: { total_credits: 10, total_usage: 2.9 } })
    assert.deepStrictEqual(shape("/v1/credits", { spendLimitMicros: 2_000_000n }), {
      data: { total_credits: 2, total_usage: 1.234567 }
    })
    assert.deepInclude(shape("/v1/key").data, {
      label: "sk-…abcd",
      name: "laptop",
      limit: null,
      limit_remaining: null,
      limit_reset: null,
      usage: 1.234567,
      usage_daily: 0.3,
      usage_weekly: 0.5,
      usage_monthly: 0.7,
      expires_at: null,
      is_free_tier: false
    })
    const limited = shape("/v1/key", { spendLimitMicros: 1_000_000n, spendLimitPeriod: "month", expiresAt: at }).data
    assert.deepInclude(limited, {
      limit: 1,
      limit_remaining: 0.3,
      limit_reset: "monthly",
      expires_at: "2030-01-31T12:00:00.500Z"
    })
    assert.isTrue(shape("/v1/key", { creditedMicros: 0n }).data.is_free_tier)
    assert.deepStrictEqual(shape("/v1/auth/key"), shape("/v1/key"))
  })

  it("is the balance, and of a limited key no more than its limit", () => {
    assert.deepStrictEqual(shape("/v1/balance"), {
      object: "balance",
      currency: "USD",
      balance: 7.1,
      balance_micros: "7100000",
      owed: 0,
      plans_remaining: 0,
      is_available: true,
      balance_infos: [
        { currency: "USD", total_balance: "7.10", granted_balance: "0.00", topped_up_balance: "7.10" }
      ]
    })
    const limited = shape("/v1/balance", { spendLimitMicros: 2_000_000n, owedMicros: 9n, planMicros: 9_000_000n })
    assert.deepInclude(limited, { balance: 0.765433, balance_micros: "765433", owed: 0, plans_remaining: 0.765433 })
    assert.isFalse(shape("/v1/balance", { usdMicros: 0n }).is_available)
  })

  it("has the number nearest to every amount", () => {
    for (
      const [micros, text] of [[1n, "0.000001"], [999_999_999_999_999n, "999999999.999999"], [3n, "0.000003"]] as const
    ) {
      const { balance } = shape("/v1/balance", { usdMicros: micros })
      assert.strictEqual(balance, Number(text))
      assert.strictEqual(BigInt(Math.round(balance * 1e6)), micros)
    }
    assert.strictEqual(shape(USAGE, { totalMicros: 1n }).total_usage, 0.0001)
  })
})
