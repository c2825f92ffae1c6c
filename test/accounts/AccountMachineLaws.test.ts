import { assert, describe, it } from "@effect/vitest"
import { HashMap, Schema } from "effect"
import type { AccountState, Command, Reservation, ReservationRow } from "../../src/accounts/AccountState.ts"
import { add, fromBuckets, rolled, type WindowLimits } from "../../src/accounts/SubscriptionWindows.ts"
import type { SubscriptionId } from "../../src/domain/Ids.ts"
import { costMicros, MULTIPLIER_ONE } from "../../src/domain/Price.ts"
import {
  accountState,
  MachineAccount,
  NUMERATOR_PER_MICRO,
  START_MS,
  subscriptionState,
  type WorldPost
} from "../support/MachineAccount.ts"
import { commandOf } from "../support/CommandTable.ts"
import { NaiveAccount } from "../support/NaiveAccount.ts"

const names = [
  "credit",
  "debit",
  "dispute",
  "reserve",
  "reserve",
  "extend",
  "commit",
  "void",
  "expire",
  "collect"
] as const

/** Few ids, so that commands meet; small amounts, so that funds run out. */
const Step = Schema.Struct({
  which: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: names.length - 1 })),
  id: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 })),
  amount: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 300n })),
  afterMinutes: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 }))
})
type Step = typeof Step.Type
const Steps = Schema.Array(Step).check(Schema.isMaxLength(60))
const Limit = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 900n }))
const Limits = Schema.Tuple([Limit, Limit, Limit, Limit])
const twoPlansAndSteps = { steps: Steps, first: Limits, second: Limits }
const runs = { arbitrary: { runs: 300 } }

/** Posts have ids of their own, and there is more credit than debit. */
const commandOfStep = ({ amount, id, which }: Step, atMs: number): Command | WorldPost => {
  const name = names[which] ?? "reserve"
  if (name === "credit") return commandOf(name, `c${id}`, amount * 3n)
  return commandOf(name, `${name === "debit" ? "d" : name === "dispute" ? "o" : "r"}${id}`, amount, atMs)
}

const commandsOf = (steps: ReadonlyArray<Step>): ReadonlyArray<Command | WorldPost> => {
  let atMs = START_MS
  return steps.map((step) => commandOfStep(step, atMs += step.afterMinutes * 60_000))
}

const tellNaive = (naive: NaiveAccount, step: Step): void => {
  const { amount } = step
  const id = `r${step.id}`
  switch (names[step.which]) {
    case "credit":
      return naive.post(`c${step.id}`, amount * 3n, true)
    case "debit":
      return naive.post(`d${step.id}`, -amount, true)
    case "dispute":
      return naive.post(`o${step.id}`, -amount, false)
    case "extend":
      return naive.extend(id, amount)
    case "commit":
      return naive.commit(id, amount)
    case "void":
      return naive.void(id)
    case "expire":
    case "collect":
      return naive.expire(id, names[step.which] === "collect")
    default:
      return naive.reserve(id, amount)
  }
}

/** What the balance less what is owed has to be, from the rows alone. */
const net = (world: MachineAccount): bigint => {
  let sum = world.posts.reduce((total, post) => total + post.amountMicros, 0n)
  for (const row of world.rows.values()) {
    if (row.funding === "balance") sum -= row.state === "reserved" ? row.reservedMicros : row.costMicros
    if (row.funding === "subscription" && row.state !== "reserved") sum -= row.costMicros - row.chargedMicros
  }
  return sum
}

const shapes = [[300, 1], [1_440, 1], [10_080, 60], [43_200, 60]] as const

/** What the rows say that each window of a subscription holds at a time. */
const spentIn = (world: MachineAccount, subscriptionId: SubscriptionId, atMs: number): ReadonlyArray<bigint> =>
  shapes.map(([lengthMinutes, bucketMinutes]) => {
    const bucketMs = bucketMinutes * 60_000
    let sum = 0n
    for (const row of world.rows.values()) {
      const end = Math.floor(row.reservedAtMs / bucketMs) * bucketMs + bucketMs
      if (row.subscriptionId !== subscriptionId || end <= atMs - lengthMinutes * 60_000) continue
      sum += row.state === "reserved" ? row.reservedMicros : row.chargedMicros
    }
    return sum
  })

/** What open calls hold of each window of a subscription at a time. */
const heldIn = (open: ReadonlyArray<Reservation>, subscriptionId: SubscriptionId, atMs: number): WindowLimits => {
  const holds = open.filter((reservation) => reservation.subscriptionId === subscriptionId)
    .map((reservation) => [reservation.reservedAtMs, reservation.reservedMicros] as const)
  return holds.reduce((held, [at, micros]) => add(held, at, micros), fromBuckets({ minutes: [], hours: [] }, atMs)).used
}

const twoPlans = (first: typeof Limits.Type, second: typeof Limits.Type) => [
  subscriptionState(1n, first, { endsAtMs: START_MS + 9 * 24 * 3_600_000 }),
  subscriptionState(2n, second, { multiplier: MULTIPLIER_ONE / 2n })
]

/** Looks at the world after each command. */
const tellAll = (world: MachineAccount, steps: ReadonlyArray<Step>, look: (atMs: number) => void): void => {
  let atMs = START_MS
  commandsOf(steps).forEach((command, index) => {
    atMs += (steps[index]?.afterMinutes ?? 0) * 60_000
    world.tell(command)
    look(atMs)
  })
}

describe("any list of commands", () => {
  it.prop("does to a balance what the naive account does", { steps: Steps }, ({ steps }) => {
    const world = new MachineAccount(accountState(0n))
    const naive = new NaiveAccount()
    commandsOf(steps).forEach((command, index) => {
      const step = steps[index]
      if (step === undefined) return
      world.tell(command)
      tellNaive(naive, step)
      const { open, owedMicros, usdMicros } = world.state
      assert.deepStrictEqual(
        { usd: usdMicros, owed: owedMicros, open: HashMap.size(open) },
        { usd: naive.usd, owed: naive.owed, open: naive.openCount }
      )
    })
    return true
  }, runs)

  it.prop(
    "conserves money, never goes below zero, and owes only when empty",
    twoPlansAndSteps,
    ({ first, second, steps }) => {
      const world = new MachineAccount(accountState(0n, twoPlans(first, second)))
      for (const command of commandsOf(steps)) {
        world.tell(command)
        const { owedMicros, usdMicros } = world.state
        assert.isTrue(usdMicros >= 0n && owedMicros >= 0n)
        assert.isTrue(owedMicros === 0n || usdMicros === 0n)
        assert.strictEqual(usdMicros - owedMicros, net(world))
      }
      return true
    },
    runs
  )

  it.prop("never exceeds a window, and counts what its rows say", twoPlansAndSteps, ({ first, second, steps }) => {
    const world = new MachineAccount(accountState(300n, twoPlans(first, second)))
    tellAll(world, steps, (atMs) => {
      for (const { id, limits } of world.state.subscriptions) {
        spentIn(world, id, atMs).forEach((spent, window) => {
          const limit = limits[window] ?? 0n
          assert.isTrue(limit === 0n || spent <= limit, `${spent} in window ${window} of ${limit}`)
        })
      }
    })
    return true
  }, runs)

  it.prop("counts what is open and what it holds, as its rows say", twoPlansAndSteps, ({ first, second, steps }) => {
    const world = new MachineAccount(accountState(300n, twoPlans(first, second)))
    tellAll(world, steps, (atMs) => {
      const open = [...world.rows.values()].filter(({ state }) => state === "reserved")
      const fromBalance = open.filter(({ funding }) => funding === "balance")
      assert.strictEqual(world.state.openHolds, open.length)
      assert.strictEqual(world.state.heldMicros, fromBalance.reduce((sum, row) => sum + row.reservedMicros, 0n))
      for (const { held, id } of world.state.subscriptions) {
        assert.deepStrictEqual(rolled(held, atMs).used, heldIn(open, id, atMs))
      }
    })
    return true
  }, runs)

  it.prop("resolves a reservation once, a late commit apart", { steps: Steps, limits: Limits }, ({ limits, steps }) => {
    const world = new MachineAccount(accountState(300n, twoPlans(limits, limits)))
    const resolved = new Map<string, Array<string>>()
    for (const command of commandsOf(steps)) {
      const told = world.tell(command)
      if (command._tag === "Post" || told.how !== "accepted" || told.answer._tag !== "Settlement") continue
      const { late, state } = told.answer.settlement
      resolved.set(command.id, [...resolved.get(command.id) ?? [], late ? `late ${state}` : state])
    }
    for (const ends of resolved.values()) {
      assert.isTrue(ends.length === 1 || (ends.length === 2 && ends[0] === "expired" && ends[1] === "late committed"))
    }
    for (const [id, row] of world.rows) assert.strictEqual(row.state === "reserved", HashMap.has(world.state.open, id))
    return true
  }, runs)

  it.prop("changes nothing when a prefix of what was accepted comes again, twice", {
    steps: Steps,
    limits: Limits,
    cut: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))
  }, ({ cut, limits, steps }) => {
    const world = new MachineAccount(accountState(300n, twoPlans(limits, limits)))
    const accepted = commandsOf(steps).filter((command) => world.tell(command).how === "accepted")
    const { state } = world
    for (const command of [...accepted.slice(0, cut), ...accepted.slice(0, cut)]) {
      assert.notStrictEqual(world.tell(command).how, "accepted")
    }
    assert.strictEqual(world.state, state)
    return true
  }, runs)

  it.prop("answers a repeated settlement as the first time", { steps: Steps, limits: Limits }, ({ limits, steps }) => {
    const world = new MachineAccount(accountState(300n, twoPlans(limits, limits)))
    for (const command of commandsOf(steps)) {
      const told = world.tell(command)
      if (told.how !== "accepted" || told.answer._tag !== "Settlement") continue
      const { chargedMicros, costMicros, late, state } = told.answer.settlement
      const again = world.tell(command)
      assert.isTrue(again.how === "again" && again.answer._tag === "Settlement")
      if (again.how === "again" && again.answer._tag === "Settlement") {
        assert.deepInclude(again.answer.settlement, { chargedMicros, costMicros, late, state })
      }
    }
    return true
  }, runs)
})

const Multiplier = Schema.NullOr(Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 3_000_000n })))
const Groups = Schema.Struct({ own: Multiplier, redeemed: Multiplier, first: Multiplier, second: Multiplier })
type Groups = typeof Groups.Type

/** The account as it is read after its groups, or their multipliers, were changed. */
const withGroups = (state: AccountState, { first, own, redeemed, second }: Groups): AccountState => ({
  ...state,
  groups: { own, redeemed },
  subscriptions: state.subscriptions.map((subscription, index) => ({
    ...subscription,
    groupMultiplier: index === 0 ? first : second
  }))
})

const groupOf = ({ funding, subscriptionId }: ReservationRow, { first, own, redeemed, second }: Groups): bigint => {
  const ofPlan = funding !== "subscription" ? null : subscriptionId === 1n ? first : second
  return [own, ofPlan, redeemed].find((multiplier) => multiplier !== null) ?? MULTIPLIER_ONE
}

describe("any list of commands, with groups that change between them", () => {
  const given = {
    ...twoPlansAndSteps,
    groups: Schema.Array(Groups).check(Schema.isMinLength(1), Schema.isMaxLength(8))
  }

  it.prop("holds and settles each call at the group of what pays it, as it was at reserve", given, (drawn) => {
    const { first, groups, second, steps } = drawn
    const world = new MachineAccount(accountState(300n, twoPlans(first, second)))
    const taken = new Map<string, bigint>()
    commandsOf(steps).forEach((command, index) => {
      const now = groups[index % groups.length]
      if (now === undefined) return
      world.state = withGroups(world.state, now)
      const told = world.tell(command)
      if (command._tag === "Post" || told.how !== "accepted") return
      const row = world.rows.get(command.id)
      if (row === undefined || (command._tag === "Void" && !taken.has(command.id))) return
      if (command._tag === "Reserve") {
        taken.set(command.id, groupOf(row, now))
        assert.strictEqual(row.reservedMicros, costMicros(command.baseNumerator, row))
      }
      assert.strictEqual(row.groupMultiplier, taken.get(command.id))
      if (command._tag === "Commit") {
        const used = BigInt(command.outcome.usage.outputTokens)
        assert.strictEqual(row.costMicros, costMicros(used * NUMERATOR_PER_MICRO, row))
      }
    })
    return true
  }, runs)

  it.prop("conserves money and exceeds no window", given, ({ first, groups, second, steps }) => {
    const world = new MachineAccount(accountState(0n, twoPlans(first, second)))
    let at = 0
    tellAll(world, steps, (atMs) => {
      const { owedMicros, subscriptions, usdMicros } = world.state
      assert.isTrue(usdMicros >= 0n && owedMicros >= 0n && (owedMicros === 0n || usdMicros === 0n))
      assert.strictEqual(usdMicros - owedMicros, net(world))
      for (const { id, limits } of subscriptions) {
        spentIn(world, id, atMs).forEach((spent, window) =>
          assert.isTrue(limits[window] === 0n || spent <= (limits[window] ?? 0n))
        )
      }
      const next = groups[at++ % groups.length]
      if (next !== undefined) world.state = withGroups(world.state, next)
    })
    return true
  }, runs)
})
