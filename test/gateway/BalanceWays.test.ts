import { assert, describe, it } from "@effect/vitest"
import { balanceWays } from "../../src/gateway/BalanceWays.ts"

const NOW_MS = Date.UTC(2026, 10, 30)

const addresses = (baseUrl: string) =>
  balanceWays(baseUrl, NOW_MS).map(({ questions }) => questions.map((one) => `${one.baseUrl}${one.path}`))

describe("what an account has left", () => {
  it("is asked for where the host tells it, and everywhere else in every way there is", () => {
    const openRouter = [["https://openrouter.ai/api/v1/credits"], ["https://openrouter.ai/api/v1/key"]]
    assert.deepStrictEqual(addresses("https://openrouter.ai/api/v1"), openRouter)
    assert.deepStrictEqual(addresses("https://api.deepseek.com/v1"), [["https://api.deepseek.com/user/balance"]])
    assert.deepStrictEqual(addresses("https://relay.example/v1?x=1"), [
      [
        "https://relay.example/v1/dashboard/billing/subscription",
        "https://relay.example/v1/dashboard/billing/usage?start_date=2026-08-23&end_date=2026-12-01"
      ],
      ["https://relay.example/v1/credits"],
      ["https://relay.example/v1/key"],
      ["https://relay.example/user/balance"]
    ])
    assert.lengthOf(addresses("https://openrouter.ai.evil.example/v1"), 4)
    assert.deepStrictEqual(addresses("nowhere"), [])
  })

  it("is read in each shape, and in no other", () => {
    const [billing, credits, key, deepSeek] = balanceWays("https://relay.example/v1", NOW_MS)
    const usd = (amount: string | null) => ({ amount, currency: "USD" })
    assert.deepStrictEqual(credits?.read([{ data: { total_credits: 100.5, total_usage: 25.75 } }]), usd("74.75"))
    assert.deepStrictEqual(credits?.read([{ data: { total_credits: 1, total_usage: 1.000001 } }]), usd("-0.000001"))
    assert.isUndefined(credits?.read([{ data: { total_credits: "1", total_usage: 0 } }]))
    assert.isUndefined(credits?.read([{ data: { total_credits: 1e300, total_usage: 0 } }]))
    assert.deepStrictEqual(key?.read([{ data: { limit_remaining: 3 } }]), usd("3.00"))
    assert.isUndefined(key?.read([{ data: { limit_remaining: null } }]))
    assert.deepStrictEqual(billing?.read([{ hard_limit_usd: 20 }, { total_usage: 1_250 }]), usd("7.50"))
    assert.deepStrictEqual(billing?.read([{ hard_limit_usd: 100_000_000 }, { total_usage: 5 }]), usd(null))
    assert.isUndefined(billing?.read([{ hard_limit_usd: 20 }, { error: {} }]))
    const infos = (...balance_infos: ReadonlyArray<unknown>) => [{ is_available: true, balance_infos }]
    assert.deepStrictEqual(
      deepSeek?.read(infos({ currency: "USD", total_balance: "0.00" }, { currency: "CNY", total_balance: "110.00" })),
      { amount: "110.00", currency: "CNY" }
    )
    assert.deepStrictEqual(deepSeek?.read(infos({ currency: "CNY", total_balance: "0.00" })), {
      amount: "0.00",
      currency: "CNY"
    })
    assert.isUndefined(deepSeek?.read(infos({ currency: "<b>", total_balance: "1" })))
    assert.isUndefined(deepSeek?.read(infos({ currency: "CNY", total_balance: "1e9" })))
    assert.isUndefined(deepSeek?.read([{}]))
  })
})
