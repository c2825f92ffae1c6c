import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { affordable } from "../../src/accounts/Affordability.ts"
import { boundMicros, unmultiplied } from "../../src/accounts/HoldBound.ts"
import type { AccountState, Reserve } from "../../src/accounts/AccountState.ts"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import { MULTIPLIER_ONE } from "../../src/domain/Price.ts"
import { inWords } from "../support/CommandTable.ts"
import {
  accountState,
  MachineAccount,
  NUMERATOR_PER_MICRO,
  reserveCommand,
  START_MS,
  subscriptionState,
  usedTokens
} from "../support/MachineAccount.ts"

/** A base of 10 micros and 2 micros a token. */
const asking = (fields: Partial<Reserve>): Reserve =>
  reserveCommand("r", 10n, { tokenNumerator: 2n * NUMERATOR_PER_MICRO, ...fields })

describe("how many tokens a funding pays for", () => {
  const cases: ReadonlyArray<
    readonly [what: string, available: bigint, asked: Partial<Reserve>, tokens: number | undefined]
  > = [
    ["all that is wanted", 210n, { tokensMin: 1, tokensMax: 100 }, 100],
    ["as many as fit", 209n, { tokensMin: 1, tokensMax: 100 }, 99],
    ["the least", 12n, { tokensMin: 1, tokensMax: 100 }, 1],
    ["not the least", 11n, { tokensMin: 1, tokensMax: 100 }, undefined],
    ["with a default, as many as fit all the same", 209n, { tokensMin: 1, tokensDefault: 50, tokensMax: 100 }, 99],
    ["below the default, as many as fit", 70n, { tokensMin: 1, tokensDefault: 50, tokensMax: 100 }, 30],
    ["half of what the base leaves", 210n, { tokensMin: 1, tokensMax: 100, halfAvailable: true }, 50],
    ["half, rounded down", 213n, { tokensMin: 1, tokensMax: 100, halfAvailable: true }, 50],
    ["all that is wanted, of half of much", 410n, { tokensMin: 1, tokensMax: 100, halfAvailable: true }, 100],
    [
      "the default, where half is less and the default fits",
      210n,
      { tokensMin: 1, tokensDefault: 80, tokensMax: 100, halfAvailable: true },
      80
    ],
    [
      "half, where the default does not fit",
      150n,
      { tokensMin: 1, tokensDefault: 80, tokensMax: 100, halfAvailable: true },
      35
    ],
    [
      "the least, where half is less and the default does not fit",
      60n,
      { tokensMin: 20, tokensDefault: 80, tokensMax: 100, halfAvailable: true },
      20
    ],
    [
      "none, where the least does not fit",
      49n,
      { tokensMin: 20, tokensDefault: 80, tokensMax: 100, halfAvailable: true },
      undefined
    ],
    [
      "no more than is wanted, whatever the default",
      1_000n,
      { tokensMin: 1, tokensDefault: 500, tokensMax: 100, halfAvailable: true },
      100
    ],
    [
      "all, where tokens cost nothing",
      10n,
      { tokenNumerator: 0n, tokensMin: 1, tokensMax: 100, halfAvailable: true },
      100
    ],
    ["none, where the base alone does not fit", 9n, { tokenNumerator: 0n, tokensMin: 1, tokensMax: 100 }, undefined],
    ["all, where everything is multiplied by 0", 0n, { billingMultiplier: 0n, tokensMin: 1, tokensMax: 100 }, 100]
  ]
  for (const [what, available, asked, tokens] of cases) {
    it(`${what}: ${tokens ?? "refused"}`, () =>
      assert.strictEqual(
        affordable(asking(asked), { availableMicros: available, ...unmultiplied }),
        tokens
      ))
  }

  const Scaled = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 5_000_000n }))
  const Tokens = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3_000 }))
  it.prop("is the rule, to the token, at any prices and multipliers", {
    available: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 20_000n })),
    base: Scaled,
    token: Scaled,
    billing: Scaled,
    plan: Scaled,
    group: Scaled,
    least: Tokens,
    middle: Tokens,
    most: Tokens,
    half: Schema.Boolean
  }, ({ available, base, billing, group, half, least, middle, most, plan, token }) => {
    const multipliers = { planMultiplier: plan, groupMultiplier: group }
    const [tokensMin = 1, tokensDefault = 1, tokensMax = 1] = [least, middle, most].toSorted((a, b) => a - b)
    const command = asking({
      baseNumerator: base,
      tokenNumerator: token,
      billingMultiplier: billing,
      tokensMin,
      tokensDefault,
      tokensMax,
      halfAvailable: half
    })
    const fits = (tokens: number) => boundMicros(command, tokens, multipliers) <= available
    // Exactly: tokens × price × multipliers ≤ (available − base × multipliers) ÷ 2.
    const scale = NUMERATOR_PER_MICRO * MULTIPLIER_ONE * MULTIPLIER_ONE * MULTIPLIER_ONE
    const isHalf = (tokens: number) =>
      2n * BigInt(tokens) * token * billing * plan * group <= available * scale - base * billing * plan * group
    let upper = 0
    for (let tokens = 1; tokens <= tokensMax; tokens++) if (half ? isHalf(tokens) : fits(tokens)) upper = tokens
    const chosen = upper < tokensDefault && fits(tokensDefault) ? tokensDefault : upper
    const expected = chosen >= tokensMin ? chosen : fits(tokensMin) ? tokensMin : undefined
    assert.strictEqual(affordable(command, { availableMicros: available, ...multipliers }), expected)
    return true
  }, { arbitrary: { runs: 200 } })
})

const told = (state: AccountState, before: ReadonlyArray<Reserve>, command: Reserve): string => {
  const world = new MachineAccount(state)
  for (const reserve of before) assert.strictEqual(world.tell(reserve).how, "accepted")
  return inWords(world.tell(command))
}

describe("why a call is not held", () => {
  const week = subscriptionState(1n, [0n, 0n, 100n, 0n])
  const two = [
    subscriptionState(1n, [100n, 0n, 0n, 0n], { endsAtMs: START_MS + 1_000 }),
    subscriptionState(2n, [0n, 200n, 0n, 0n])
  ]
  const held = (micros: bigint, fields: Partial<Reserve> = {}) => reserveCommand(`open${micros}`, micros, fields)
  const cases: ReadonlyArray<
    readonly [what: string, state: AccountState, open: ReadonlyArray<Reserve>, command: Reserve, answer: string]
  > = [
    ["the balance is held", accountState(100n), [held(60n)], reserveCommand("r", 100n), "held 40 by 1"],
    ["by several calls", accountState(100n), [held(60n), held(20n)], reserveCommand("r", 41n), "held 20 by 2"],
    ["it would not suffice", accountState(100n), [held(60n)], reserveCommand("r", 101n), "insufficient 40"],
    ["nothing is held", accountState(100n), [], reserveCommand("r", 101n), "insufficient 100"],
    [
      "without pay-as-you-go the balance is of no use",
      accountState(100n, [week]),
      [held(60n)],
      reserveCommand("r", 150n, { payAsYouGo: false }),
      "insufficient 0"
    ],
    ["a window is held", accountState(0n, [week]), [held(60n)], reserveCommand("r", 100n), "held 40 by 1"],
    [
      "of several, the first that would cover it counts",
      accountState(0n, two),
      [held(90n), held(150n)],
      reserveCommand("r", 120n),
      "held 50 by 2"
    ],
    ["no window is large enough", accountState(0n, two), [held(90n)], reserveCommand("r", 201n), "insufficient 0"],
    [
      "a call that holds another call's least would do",
      accountState(100n),
      [held(95n)],
      reserveCommand("r", 0n, { tokenNumerator: NUMERATOR_PER_MICRO, tokensMin: 10, tokensMax: 10_000 }),
      "held 5 by 1"
    ],
    [
      "a debt closes the balance, whatever is held",
      accountState(0n, [], 5n),
      [],
      reserveCommand("r", 1n),
      "insufficient 0"
    ],
    [
      "at most so many are open",
      accountState(100n),
      [held(1n), held(2n)],
      reserveCommand("r", 1n, { openHoldsMax: 2 }),
      "TooManyHolds"
    ],
    [
      "of calls that are free, too",
      accountState(0n),
      [held(1n, { billingEnabled: false })],
      reserveCommand("r", 1n, { openHoldsMax: 1, billingEnabled: false }),
      "TooManyHolds"
    ],
    [
      "one counted hold at a time, whatever there is",
      accountState(100n),
      [held(1n, { counted: true })],
      reserveCommand("r", 1n, { counted: true }),
      "held 99 by 1"
    ],
    [
      "a counted hold beside one that is not",
      accountState(100n),
      [held(1n)],
      reserveCommand("r", 1n, { counted: true }),
      "reserved 1"
    ],
    [
      "another hold beside a counted one",
      accountState(100n),
      [held(1n, { counted: true })],
      reserveCommand("r", 1n),
      "reserved 1"
    ],
    [
      "a counted hold that would not fit with no call open",
      accountState(100n),
      [held(1n, { counted: true })],
      reserveCommand("r", 101n, { counted: true }),
      "insufficient 99"
    ],
    [
      "a free call counts nothing",
      accountState(100n),
      [held(1n, { counted: true })],
      reserveCommand("r", 1n, { counted: true, billingEnabled: false }),
      "reserved 0"
    ]
  ]
  for (const [what, state, open, command, answer] of cases) {
    it(what, () => assert.strictEqual(told(state, open, command), answer))
  }

  it("a debt of a call that is open still counts as insufficient, also where its end would pay it", () => {
    const world = new MachineAccount(accountState(100n))
    world.tell(held(60n))
    world.tell(held(30n))
    world.tell({ _tag: "Commit", id: "open30", outcome: usedTokens(50n), atMs: START_MS })
    assert.strictEqual(world.state.owedMicros, 10n)
    assert.strictEqual(inWords(world.tell(reserveCommand("r", 40n))), "insufficient 0")
  })

  it("says that a counted hold is why", () => {
    const world = new MachineAccount(accountState(100n))
    world.tell(held(1n, { counted: true }))
    const answer = world.tell(reserveCommand("r", 1n, { counted: true }))
    assert.isTrue(answer.how === "refused" && answer.error._tag === "FundsHeld" && answer.error.counted)
    world.tell({ _tag: "Void", id: "open1", outcome: emptyOutcome })
    assert.strictEqual(inWords(world.tell(reserveCommand("r", 1n, { counted: true }))), "reserved 1")
  })

  it("what has left a window is not missed in it", () => {
    // Held for longer than the window: it has room for all that it may hold.
    const world = new MachineAccount(accountState(0n, [subscriptionState(1n, [100n, 0n, 0n, 0n])]))
    world.tell(held(80n))
    const atMs = START_MS + 6 * 3_600_000
    assert.strictEqual(inWords(world.tell(reserveCommand("r", 100n, { atMs }))), "reserved 100")
    assert.strictEqual(inWords(world.tell(reserveCommand("r2", 1n, { atMs }))), "held 0 by 2")
    assert.strictEqual(inWords(world.tell(reserveCommand("r3", 101n, { atMs }))), "insufficient 0")
  })
})
