import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { decide } from "../../src/accounts/AccountMachine.ts"
import type { AccountState, Reservation, Reserve } from "../../src/accounts/AccountState.ts"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import { costMicros, MULTIPLIER_ONE } from "../../src/domain/Price.ts"
import { playTable } from "../support/CommandTable.ts"
import {
  accountState,
  MachineAccount,
  reserveCommand,
  START_MS,
  subscriptionState,
  usedTokens
} from "../support/MachineAccount.ts"

const tables: ReadonlyArray<readonly [what: string, table: string]> = [
  [
    "holds, settles and repeats",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    credit   c1  u1    1000    →  ok                        1000     0     0
    credit   c1  u1    1000    →  ok (again)                1000     0     0
    reserve  r1  u1    600     →  reserved 600              400      0     1
    reserve  r1  u1    600     →  reserved 600 (again)      400      0     1
    reserve  r2  u1    600     →  held 400 by 1             400      0     1
    reserve  r3  u1    1001    →  insufficient 400          400      0     1
    commit   r1  u1    450     →  committed 450             550      0     0
    commit   r1  u1    450     →  committed 450 (again)     550      0     0
    commit   r1  u1    999     →  committed 450 (again)     550      0     0
    void     r1  u1            →  committed 450 (again)     550      0     0
    expire   r1  u1            →  committed 450 (again)     550      0     0
    reserve  r1  u1    600     →  lost                      550      0     0`
  ],
  [
    "a void returns everything, once",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    credit   c1  u1    1000    →  ok                        1000     0     0
    reserve  r1  u1    1000    →  reserved 1000             0        0     1
    void     r1  u1            →  voided 0                  1000     0     0
    void     r1  u1            →  voided 0 (again)          1000     0     0
    commit   r1  u1    10      →  voided 0 (again)          1000     0     0
    collect  r1  u1            →  voided 0 (again)          1000     0     0`
  ],
  [
    "a void of what was never written keeps its reserve out",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    credit   c1  u1    100     →  ok                        100      0     0
    void     r1  u1            →  voided 0                  100      0     0
    reserve  r1  u1    50      →  lost                      100      0     0
    commit   r2  u1    50      →  lost                      100      0     0
    expire   r2  u1            →  lost                      100      0     0
    extend   r2  u1    50      →  lost                      100      0     0`
  ],
  [
    "users are apart",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    credit   c1  u1    100     →  ok                        100      0     0
    credit   c2  u2    10      →  ok                        10       0     0
    reserve  r1  u1    100     →  reserved 100              0        0     1
    reserve  r2  u2    100     →  insufficient 10           10       0     0
    commit   r1  u2    5       →  lost                      10       0     0`
  ],
  [
    "an expired hold is returned, and a late commit charged once",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    credit   c1  u1    1000    →  ok                        1000     0     0
    reserve  r1  u1    600     →  reserved 600              400      0     1
    expire   r1  u1            →  expired 0                 1000     0     0
    expire   r1  u1            →  expired 0 (again)         1000     0     0
    commit   r1  u1    500     →  committed 500 late        500      0     0
    commit   r1  u1    500     →  committed 500 late (again)  500    0     0
    expire   r1  u1            →  committed 500 late (again)  500    0     0`
  ],
  [
    "a late commit returns first what expiry charged",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    credit   c1  u1    1000    →  ok                        1000     0     0
    reserve  r1  u1    600     →  reserved 600              400      0     1
    collect  r1  u1            →  expired 600               400      0     0
    commit   r1  u1    100     →  committed 100 late        900      0     0
    commit   r1  u1    100     →  committed 100 late (again)  900    0     0`
  ],
  [
    "an over-run is collected, the rest owed, and every inflow pays it first",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    credit   c1  u1    1000    →  ok                        1000     0     0
    reserve  r1  u1    600     →  reserved 600              400      0     1
    reserve  r2  u1    300     →  reserved 300              100      0     2
    commit   r1  u1    900     →  committed 700 of 900      0        200   1
    reserve  r3  u1    1       →  insufficient 0            0        200   1
    reserve  r4  u1    0       →  reserved 0                0        200   2
    extend   r4  u1    1       →  insufficient 0            0        200   2
    commit   r2  u1    150     →  committed 150             0        50    1
    credit   c2  u1    30      →  ok                        0        20    1
    void     r4  u1            →  voided 0                  0        20    0
    credit   c3  u1    100     →  ok                        80       0     0
    commit   r1  u1    900     →  committed 700 of 900 (again)  80   0     0`
  ],
  [
    "an extension is a hold like any other",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    credit   c1  u1    100     →  ok                        100      0     0
    reserve  r1  u1    40      →  reserved 40               60       0     1
    extend   r1  u1    70      →  reserved 70               30       0     1
    extend   r1  u1    70      →  reserved 70 (again)       30       0     1
    extend   r1  u1    50      →  reserved 70 (again)       30       0     1
    extend   r1  u1    101     →  insufficient 30           30       0     1
    extend   r1  u1    100     →  reserved 100              0        0     1
    commit   r1  u1    80      →  committed 80              20       0     0
    extend   r1  u1    90      →  lost                      20       0     0`
  ],
  [
    "with billing off the cost is recorded and nothing charged",
    `
    command  id  user  amount  →  answer                    balance  owed  open
    record   r1  u1    600     →  reserved 0                0        0     1
    extend   r1  u1    900     →  reserved 0 (again)        0        0     1
    commit   r1  u1    700     →  committed 0 of 700        0        0     0`
  ]
]

describe("commands on a balance", () => {
  for (const [what, table] of tables) it(what, () => playTable(table))

  it("asks for the stored row when it does not know the reservation", () => {
    const commit = { _tag: "Commit", id: "r1", outcome: usedTokens(1n), atMs: START_MS } as const
    assert.deepStrictEqual(decide(accountState(10n), commit), { _tag: "NeedRow", id: "r1" })
  })

  it("a shortfall and a debt are decided on a fresh state only", () => {
    const world = new MachineAccount(accountState(100n))
    world.tell(reserveCommand("r1", 60n))
    const fresh = (tokens: bigint) => {
      const decision = world.decide({ _tag: "Commit", id: "r1", outcome: usedTokens(tokens), atMs: START_MS })
      return decision._tag === "Accept" && decision.fresh
    }
    assert.isFalse(fresh(60n))
    assert.isFalse(fresh(100n))
    assert.isTrue(fresh(101n))
  })
})

const DAY_MS = 24 * 3_600_000

const fundingOf = (state: AccountState, command: Reserve): string => {
  const told = new MachineAccount(state).tell(command)
  if (told.how === "refused") return told.error._tag
  if (told.how === "short") return told.how
  if (told.answer._tag !== "Reservation") return told.answer._tag
  const { funding, reservedMicros, subscriptionId } = told.answer.reservation
  return `${funding}${subscriptionId ?? ""} ${reservedMicros}`
}

describe("what pays", () => {
  const soon = subscriptionState(1n, [100n, 0n, 0n, 0n], { endsAtMs: START_MS + DAY_MS })
  const later = subscriptionState(2n, [500n, 0n, 0n, 0n], { endsAtMs: START_MS + 2 * DAY_MS })
  const unlimited = subscriptionState(3n, [0n, 0n, 0n, 0n])
  const coming = subscriptionState(4n, [0n, 0n, 0n, 0n], { startsAtMs: START_MS + 1 })
  const ended = subscriptionState(5n, [0n, 0n, 0n, 0n], { endsAtMs: START_MS })
  const half = subscriptionState(6n, [100n, 0n, 0n, 0n], { multiplier: MULTIPLIER_ONE / 2n })
  const tight = subscriptionState(7n, [1_000n, 1_000n, 1_000n, 10n])

  const cases: ReadonlyArray<readonly [what: string, state: AccountState, command: Reserve, funding: string]> = [
    [
      "the subscription that ends soonest",
      accountState(900n, [soon, later]),
      reserveCommand("r", 100n),
      "subscription1 100"
    ],
    [
      "the next when the first is full",
      accountState(900n, [soon, later]),
      reserveCommand("r", 101n),
      "subscription2 101"
    ],
    ["the balance when all are full", accountState(900n, [soon, later]), reserveCommand("r", 501n), "balance 501"],
    ["none", accountState(900n, [soon, later]), reserveCommand("r", 901n), "InsufficientFunds"],
    [
      "no balance without pay-as-you-go",
      accountState(900n, [soon]),
      reserveCommand("r", 101n, { payAsYouGo: false }),
      "InsufficientFunds"
    ],
    ["no limit, no end", accountState(0n, [unlimited]), reserveCommand("r", 10n ** 12n), `subscription3 ${10n ** 12n}`],
    ["not one that has not begun", accountState(5n, [coming]), reserveCommand("r", 5n), "balance 5"],
    ["not one that has ended", accountState(5n, [ended]), reserveCommand("r", 5n), "balance 5"],
    ["every window has to have room", accountState(50n, [tight]), reserveCommand("r", 11n), "balance 11"],
    [
      "a subscription pays at its plan's multiplier",
      accountState(0n, [half]),
      reserveCommand("r", 200n),
      "subscription6 100"
    ],
    [
      "a debt does not close a subscription",
      accountState(0n, [soon], 70n),
      reserveCommand("r", 100n),
      "subscription1 100"
    ],
    ["a debt closes the balance", accountState(0n, [], 70n), reserveCommand("r", 1n), "InsufficientFunds"],
    ["billing off", accountState(0n, [soon], 70n), reserveCommand("r", 1n, { billingEnabled: false }), "free 0"]
  ]
  for (const [what, state, command, funding] of cases) {
    it(what, () => assert.strictEqual(fundingOf(state, command), funding))
  }

  it("a refusal says what is needed, what there is, what would fit and when there is room", () => {
    const world = new MachineAccount(accountState(0n, [soon]))
    world.tell(reserveCommand("r1", 100n))
    world.tell({ _tag: "Commit", id: "r1", outcome: usedTokens(100n), atMs: START_MS })
    const told = world.tell(reserveCommand("r2", 0n, { tokenNumerator: 1_000_000n, tokensMin: 60, tokensMax: 90 }))
    assert.isTrue(told.how === "refused" && told.error._tag === "InsufficientFunds")
    if (told.how !== "refused" || told.error._tag !== "InsufficientFunds") return
    assert.deepInclude({ ...told.error }, {
      neededMicros: 60n,
      availableMicros: 0n,
      outputTokensFit: 0,
      subscribed: true,
      roomAtMs: START_MS + 5 * 3_600_000 + 60_000
    })
  })

  it("a subscription's over-run takes its room, then the balance, then is owed", () => {
    const world = new MachineAccount(accountState(30n, [soon]))
    world.tell(reserveCommand("r1", 60n))
    const told = world.tell({ _tag: "Commit", id: "r1", outcome: usedTokens(150n), atMs: START_MS })
    assert.isTrue(told.how === "accepted" && told.answer._tag === "Settlement")
    if (told.how !== "accepted" || told.answer._tag !== "Settlement") return
    assert.deepStrictEqual(told.answer.settlement, {
      state: "committed",
      costMicros: 150n,
      chargedMicros: 100n,
      late: false
    })
    assert.deepStrictEqual([world.state.usdMicros, world.state.owedMicros], [0n, 20n])
    assert.deepStrictEqual(world.state.subscriptions[0]?.windows.used, [100n, 100n, 100n, 100n])
  })

  it("a void gives the windows back what was held", () => {
    const world = new MachineAccount(accountState(0n, [soon]))
    world.tell(reserveCommand("r1", 60n))
    world.tell({ _tag: "Void", id: "r1", outcome: emptyOutcome })
    assert.deepStrictEqual(world.state.subscriptions[0]?.windows.used, [0n, 0n, 0n, 0n])
  })
})

const reservationOf = (state: AccountState, command: Reserve): Reservation | undefined => {
  const told = new MachineAccount(state).tell(command)
  return told.how === "accepted" && told.answer._tag === "Reservation" ? told.answer.reservation : undefined
}

const Scaled = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: 5_000_000n }))
const Tokens = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5_000 }))
const Funds = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 20_000n }))

describe("partial grants", () => {
  const asking = (tokensMin: number, tokensMax: number) =>
    reserveCommand("r", 10n, { tokenNumerator: 2_000_000n, tokensMin, tokensMax })
  const cases: ReadonlyArray<
    readonly [usd: bigint, min: number, max: number, tokens: number | undefined, held: bigint]
  > = [
    [210n, 50, 100, 100, 210n],
    [209n, 50, 100, 99, 208n],
    [111n, 50, 100, 50, 110n],
    [110n, 50, 100, 50, 110n],
    [109n, 50, 100, undefined, 0n]
  ]
  for (const [usd, min, max, tokens, held] of cases) {
    it(`${usd} micros for ${min} to ${max} tokens: ${tokens ?? "refused"}`, () => {
      const reservation = reservationOf(accountState(usd), asking(min, max))
      assert.strictEqual(reservation?.outputTokens, tokens)
      assert.strictEqual(reservation?.reservedMicros ?? 0n, held)
    })
  }

  it.prop("a grant is the largest that the funds hold, within its bounds", {
    funds: Funds,
    base: Scaled,
    token: Scaled,
    billing: Scaled,
    plan: Scaled,
    group: Scaled,
    min: Tokens,
    more: Tokens
  }, ({ base, billing, funds, group, min, more, plan, token }) => {
    const command = reserveCommand("r", 0n, {
      baseNumerator: base,
      tokenNumerator: token,
      billingMultiplier: billing,
      payAsYouGo: false,
      tokensMin: min,
      tokensMax: min + more
    })
    const bound = (tokens: number) =>
      costMicros(base + BigInt(tokens) * token, {
        billingMultiplier: billing,
        planMultiplier: plan,
        groupMultiplier: group
      })
    const limited = subscriptionState(1n, [funds === 0n ? 1n : funds, 0n, 0n, 0n], {
      multiplier: plan,
      groupMultiplier: group
    })
    const limit = limited.limits[0]
    const reservation = reservationOf(accountState(0n, [limited]), command)
    if (reservation === undefined) return bound(min) > limit
    const { outputTokens, reservedMicros } = reservation
    return outputTokens >= min && outputTokens <= min + more && reservedMicros === bound(outputTokens) &&
      reservedMicros <= limit && (outputTokens === min + more || bound(outputTokens + 1) > limit)
  })
})

describe("the snapshot decides", () => {
  const outcome = {
    ...usedTokens(100n),
    usage: { inputTokens: 10, cachedInputTokens: 20, cacheWriteTokens: 30, outputTokens: 100 }
  }
  const price = {
    inputMicrosPer1m: 1_000_000n,
    cachedInputMicrosPer1m: 500_000n,
    cacheWriteMicrosPer1m: 2_000_000n,
    outputMicrosPer1m: 3_000_000n
  }

  it("a commit costs the price and multipliers of its reserve", () => {
    const plan = subscriptionState(1n, [10_000n, 0n, 0n, 0n], { multiplier: 2n * MULTIPLIER_ONE })
    const world = new MachineAccount(accountState(0n, [plan]))
    world.tell(reserveCommand("r1", 4_000n, { price, billingMultiplier: MULTIPLIER_ONE / 2n }))
    // Between reserve and commit the plan becomes dearer and the account is given money.
    const dearer = world.state.subscriptions.map((subscription) => ({
      ...subscription,
      multiplier: 9n * MULTIPLIER_ONE
    }))
    world.state = { ...world.state, usdMicros: 5_000n, subscriptions: dearer }
    const told = world.tell({ _tag: "Commit", id: "r1", outcome, atMs: START_MS })
    // (10 + 20 × 0.5 + 30 × 2 + 100 × 3) × 0.5 × 2
    assert.strictEqual(
      told.how === "accepted" && told.answer._tag === "Settlement" ? told.answer.settlement.chargedMicros : 0n,
      380n
    )
    assert.strictEqual(world.state.usdMicros, 5_000n)
    assert.deepStrictEqual(world.state.subscriptions[0]?.windows.used, [380n, 380n, 380n, 380n])
  })

  it("a balance-funded call is not moved to a subscription that came since", () => {
    const world = new MachineAccount(accountState(1_000n))
    world.tell(reserveCommand("r1", 500n, { price }))
    world.state = { ...world.state, subscriptions: [subscriptionState(1n, [10_000n, 0n, 0n, 0n])] }
    world.tell({ _tag: "Commit", id: "r1", outcome, atMs: START_MS })
    assert.strictEqual(world.state.usdMicros, 620n)
    assert.deepStrictEqual(world.state.subscriptions[0]?.windows.used, [0n, 0n, 0n, 0n])
  })
})
