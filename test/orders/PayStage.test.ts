import { assert, describe, it } from "@effect/vitest"
import { likeliestFirst, type PayMethod, stageOf, versionOf } from "../../src/orders/PayStage.ts"
import type { AttemptState, OrderState } from "../../src/orders/Order.ts"
import type { PaymentState } from "../../src/orders/Payments.ts"

const view = (
  state: OrderState,
  attempts: ReadonlyArray<AttemptState>,
  payments: ReadonlyArray<PaymentState | "unnamed">
) => ({
  order: { state },
  attempts: attempts.map((attempt) => ({ state: attempt })),
  payments: payments.flatMap((payment) => payment === "unnamed" ? [] : [{ state: payment }]),
  unnamed: payments.filter((payment) => payment === "unnamed")
})

const table: ReadonlyArray<readonly [...Parameters<typeof view>, stage: string]> = [
  ["pending", [], [], "new"],
  ["pending", ["open"], [], "started"],
  ["pending", ["closed"], [], "started"],
  ["pending", ["open", "processing"], [], "processing"],
  // Nobody is asked to pay once more while a payment is looked at.
  ["pending", ["open"], ["in_review"], "review"],
  ["pending", ["processing"], ["in_review"], "review"],
  ["pending", ["open"], ["unnamed"], "review"],
  ["paid", ["paid"], ["fulfilled", "unnamed"], "fulfilled"],
  ["pending", ["open"], ["refunded"], "started"],
  ["paid", ["paid"], ["fulfilled"], "fulfilled"],
  ["active", ["paid"], ["fulfilled", "in_review"], "fulfilled"],
  ["cancelled", ["closed"], [], "ended"],
  ["expired", [], ["in_review"], "ended"],
  ["refunded", ["paid"], ["fulfilled"], "takenBack"],
  ["disputed", ["paid"], ["fulfilled"], "takenBack"]
]

describe("the page of an order", () => {
  for (const [state, attempts, payments, stage] of table) {
    it(`shows ${stage} for a ${state} order with attempts [${attempts}] and payments [${payments}]`, () =>
      assert.strictEqual(stageOf(view(state, attempts, payments)), stage))
  }

  it("changes when its stage does", () => {
    const versions = table.map(([state, attempts, payments]) => versionOf(view(state, attempts, payments)))
    const stages = new Map(versions.map((version, at) => [version, table[at]?.[3]]))
    for (const [at, version] of versions.entries()) assert.strictEqual(stages.get(version), table[at]?.[3])
  })

  it("offers the card first to who reads English, and last to who reads Chinese", () => {
    const way = (provider: PayMethod["provider"], method: string): PayMethod => ({
      provider,
      method,
      charge: undefined
    })
    const methods = [way("epay", "alipay"), way("epay", "wxpay"), way("stripe", "")]
    const names = (isCardFirst: boolean) => likeliestFirst(methods, isCardFirst).map(({ method }) => method)
    assert.deepStrictEqual([names(true), names(false)], [["", "alipay", "wxpay"], ["alipay", "wxpay", ""]])
  })
})
