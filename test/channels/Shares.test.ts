/**
 * Fair shares of a channel's connections: who gets one at once, who waits, who is served next, and what is left when all are
 * gone.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  QUEUE_WAIT_MS_MAX,
  QUEUED_PER_CHANNEL_MAX,
  QUEUED_PER_USER_MAX,
  Shares,
  type SharesClock,
  type Ticket
} from "../../src/channels/Shares.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"

const CHANNEL = ChannelId.make(1n)
const ada = UserId.make(1n)
const bob = UserId.make(2n)

/** Shares on a clock that a test moves, and what became of each call. */
class World {
  nowMs = 0
  timers: Array<{ readonly atMs: number; readonly callback: () => void }> = []
  readonly outcomes: Array<string> = []
  readonly tickets = new Map<string, Ticket>()
  readonly shares: Shares
  readonly max: number

  constructor(max: number) {
    this.max = max
    const clock: SharesClock = {
      nowMs: () => this.nowMs,
      after: (delayMs, callback) => {
        const timer = { atMs: this.nowMs + delayMs, callback }
        this.timers.push(timer)
        return () => {
          this.timers = this.timers.filter((other) => other !== timer)
        }
      }
    }
    this.shares = new Shares(clock)
  }

  /** A call of a user, named like `a1`: the letter is the user. */
  enter(name: string, max = this.max): void {
    const userId = UserId.make(BigInt(name.charCodeAt(0)))
    this.tickets.set(
      name,
      this.shares.enter(CHANNEL, max, userId, {
        onGranted: () => void this.outcomes.push(name),
        onRefused: (why) => void this.outcomes.push(`${name} ${why}`)
      })
    )
  }

  release(name: string): void {
    this.tickets.get(name)?.release()
  }

  wait(ms: number): void {
    this.nowMs += ms
    for (const timer of this.timers.filter(({ atMs }) => atMs <= this.nowMs)) {
      this.timers = this.timers.filter((other) => other !== timer)
      timer.callback()
    }
  }

  /** What has become of calls since it was asked last. */
  get heard(): string {
    return this.outcomes.splice(0).join(" ")
  }
}

type Step = readonly [what: string, heard: string]

const tables: ReadonlyArray<readonly [what: string, max: number, steps: ReadonlyArray<Step>]> = [
  ["serves a call at once and its user's next after it", 1, [
    ["enter a1 a2", "a1"],
    ["release a1", "a2"],
    ["release a2", ""]
  ]],
  ["leaves the last quarter to others", 8, [
    ["enter a1 a2 a3 a4 a5 a6 a7 a8", "a1 a2 a3 a4 a5 a6"],
    ["enter b1 b2", "b1 b2"],
    ["enter c1", ""]
  ]],
  ["lets users below their share take the last quarter, and no others", 8, [
    ["enter a1 a2 a3 a4", "a1 a2 a3 a4"],
    ["enter b1 b2 b3", "b1 b2 b3"],
    ["enter a5", ""],
    ["enter b4", "b4"],
    ["release b1", ""],
    ["release a1", "a5"]
  ]],
  ["serves the user furthest below their share first, also before calls that came earlier", 4, [
    ["enter a1 a2 a3 b1", "a1 a2 a3 b1"],
    ["enter a4 b2 c1 d1", ""],
    ["release a1", "c1"],
    ["release a2", "d1"],
    ["release a3", "a4"],
    ["release d1", "b2"]
  ]],
  ["lets equal users take turns, however many calls of one came first", 1, [
    ["enter a1 a2 a3 a4 b1 b2 c1", "a1"],
    ["release a1", "a2"],
    ["release a2", "b1"],
    ["release b1", "c1"],
    ["release c1", "a3"],
    ["release a3", "b2"],
    ["release b2", "a4"]
  ]],
  ["forgets a call that leaves the queue, at once", 1, [
    ["enter a1 b1 c1", "a1"],
    ["release b1", ""],
    ["release a1", "c1"],
    ["release b1", ""]
  ]],
  ["gives the place of a call that leaves to its user's next", 1, [
    ["enter a1 b1 c1 b2", "a1"],
    ["release b1", ""],
    ["release a1", "b2"],
    ["release b2", "c1"]
  ]],
  ["gives a connection back once, however often it is released", 1, [
    ["enter a1 a2 a3", "a1"],
    ["release a1 a1 a1", "a2"],
    ["release a2", "a3"]
  ]],
  ["gives a user more when others have left", 4, [
    ["enter a1 a2 b1", "a1 a2 b1"],
    ["enter a3", ""],
    ["enter b2", "b2"],
    ["release b1", ""],
    ["release b2", "a3"]
  ]],
  ["refuses a call that waited 30 s, to the millisecond", 1, [
    ["enter a1", "a1"],
    ["enter a2", ""],
    ["wait 10000", ""],
    ["enter b1", ""],
    [`wait ${QUEUE_WAIT_MS_MAX - 10_001}`, ""],
    ["wait 1", "a2 queue_timeout"],
    ["release a2", ""],
    ["wait 9999", ""],
    ["wait 1", "b1 queue_timeout"],
    ["release a1", ""]
  ]],
  ["serves a call in its last millisecond", 1, [
    ["enter a1 a2", "a1"],
    [`wait ${QUEUE_WAIT_MS_MAX - 1}`, ""],
    ["release a1", "a2"],
    ["wait 1", ""]
  ]]
]

const apply = (world: World, what: string): void => {
  const [verb, ...names] = what.split(" ")
  for (const name of names) {
    if (verb === "enter") world.enter(name)
    else if (verb === "release") world.release(name)
    else world.wait(Number(name))
  }
}

describe("shares of a channel", () => {
  for (const [what, max, steps] of tables) {
    it(what, () => {
      const world = new World(max)
      for (const [step, heard] of steps) {
        apply(world, step)
        assert.strictEqual(world.heard, heard, step)
      }
      for (const ticket of world.tickets.values()) ticket.release()
      assert.strictEqual(world.shares.channelsInUse, 0)
      assert.lengthOf(world.timers, 0)
    })
  }

  it("serves other users at once while 2,060 calls of one user hang", () => {
    const world = new World(2_048)
    for (let index = 0; index < 2_060; index++) world.enter(`a${index}`)
    assert.lengthOf(world.outcomes.splice(0), 1_536)
    for (const name of ["b1", "c1", "d1", "b2"]) world.enter(name)
    assert.strictEqual(world.heard, "b1 c1 d1 b2")
  })

  it("keeps channels apart", () => {
    const world = new World(1)
    const granted: Array<bigint> = []
    for (const channelId of [1n, 2n, 3n]) {
      world.shares.enter(ChannelId.make(channelId), 1, ada, {
        onGranted: () => void granted.push(channelId),
        onRefused: () => assert.fail("refused")
      })
    }
    assert.deepStrictEqual(granted, [1n, 2n, 3n])
    assert.strictEqual(world.shares.channelsInUse, 3)
  })

  it("gives connections that a channel has got to those who wait, and takes none from a call under way", () => {
    const world = new World(1)
    for (const name of ["a1", "b1", "c1"]) world.enter(name)
    assert.strictEqual(world.heard, "a1")
    world.enter("d1", 3)
    assert.strictEqual(world.heard, "b1 c1")
    world.enter("e1", 1)
    for (const name of ["a1", "b1"]) world.release(name)
    assert.strictEqual(world.heard, "")
    world.release("c1")
    assert.strictEqual(world.heard, "d1")
  })

  it("refuses at once what would wait behind too many of the same user, and serves others", () => {
    const world = new World(1)
    for (let index = 0; index <= QUEUED_PER_USER_MAX; index++) world.enter(`a${index}`)
    assert.strictEqual(world.heard, "a0")
    world.enter("ax")
    assert.strictEqual(world.heard, "ax queue_full")
    assert.isFalse(world.tickets.get("ax")?.isGranted)
    world.enter("b1")
    world.release("a0")
    world.release("a1")
    assert.strictEqual(world.heard, "a1 b1")
  })

  it("refuses at once when too many wait in all, and remembers nothing of the user", () => {
    const world = new World(1)
    world.enter("z0")
    for (let index = 0; index < QUEUED_PER_CHANNEL_MAX; index++) {
      world.enter(`${String.fromCharCode(0x100 + index % 20)}${index}`)
    }
    assert.strictEqual(world.heard, "z0")
    world.enter("b1")
    assert.strictEqual(world.heard, "b1 queue_full")
    for (const ticket of world.tickets.values()) ticket.release()
    assert.strictEqual(world.shares.channelsInUse, 0)
    assert.lengthOf(world.timers, 0)
  })

  it("bears thousands of callbacks that release at once, without nesting them", () => {
    const world = new World(1)
    world.enter("z0")
    let served = 0
    let depth = 0
    const tickets: Array<Ticket> = []
    for (let index = 0; index < 10_000; index++) {
      tickets.push(world.shares.enter(CHANNEL, 1, UserId.make(BigInt(index % 20)), {
        onGranted: () => {
          served++
          depth++
          assert.strictEqual(depth, 1)
          tickets[index]?.release()
          depth--
        },
        onRefused: () => assert.fail("refused")
      }))
    }
    world.release("z0")
    assert.strictEqual(served, 10_000)
    assert.strictEqual(world.shares.channelsInUse, 0)
  })

  it("lets a callback enter again, behind those who wait", () => {
    const world = new World(1)
    world.enter("z0")
    const heard: Array<string> = []
    const enter = (name: string, userId: UserId, then: () => void): Ticket =>
      world.shares.enter(CHANNEL, 1, userId, {
        onGranted: () => {
          heard.push(name)
          then()
        },
        onRefused: () => assert.fail("refused")
      })
    const first: Ticket = enter("first", ada, () => {
      enter("again", ada, () => undefined)
      first.release()
    })
    const second: Ticket = enter("second", bob, () => second.release())
    world.release("z0")
    assert.deepStrictEqual(heard, ["first", "second", "again"])
  })
})

const Action = Schema.Struct({
  what: Schema.Literals(["enter", "enter", "release", "cancel", "wait"]),
  user: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 })),
  pick: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))
})

/** A naive model: what each call is, found by looking at all of them. */
interface Known {
  readonly user: number
  state: "waiting" | "open" | "ended"
}

describe("shares of a channel under any load", () => {
  it.prop(
    "never open more connections than there are, serve users below their share first, keep no call waiting that could be served, and end empty",
    {
      max: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })),
      actions: Schema.Array(Action).check(Schema.isMaxLength(80))
    },
    ({ actions, max }) => {
      const world = new World(max)
      const calls: Array<Known & { ticket?: Ticket }> = []
      const openOf = (user: number) => calls.filter((call) => call.user === user && call.state === "open").length
      const isOf = (state: Known["state"]) => calls.filter((call) => call.state === state)
      const share = () => max / new Set(calls.flatMap(({ state, user }) => state === "ended" ? [] : [user])).size

      const enter = (user: number) => {
        const call: Known & { ticket?: Ticket } = { user, state: "waiting" }
        calls.push(call)
        call.ticket = world.shares.enter(CHANNEL, max, UserId.make(BigInt(user)), {
          onGranted: () => {
            const waiting = isOf("waiting").filter((other) => other !== call)
            const fewest = Math.min(...waiting.map((other) => openOf(other.user)))
            // Who is served while others wait has the fewest open, or is below the share while the others are not.
            assert.isTrue(
              waiting.length === 0 || openOf(user) <= fewest || openOf(user) < share(),
              `${user} has ${openOf(user)} open, another who waits has ${fewest}`
            )
            call.state = "open"
            assert.isAtMost(isOf("open").length, max)
          },
          onRefused: () => {
            call.state = "ended"
          }
        })
      }
      const end = (states: ReadonlyArray<Known["state"]>, pick: number) => {
        const found = calls.filter(({ state }) => states.includes(state))
        const call = found[pick % Math.max(1, found.length)]
        if (call === undefined) return
        call.state = "ended"
        call.ticket?.release()
      }

      for (const { pick, user, what } of actions) {
        if (what === "enter") enter(user)
        else if (what === "wait") world.wait(pick * 20)
        else end(what === "release" ? ["open"] : ["waiting"], pick)
        const free = max - isOf("open").length
        for (const call of isOf("waiting")) {
          assert.isTrue(free === 0 || openOf(call.user) >= Math.min(share(), max / 2), `${call.user} waits for nothing`)
          assert.isTrue(free <= Math.ceil(max / 4), `${call.user} waits while more than a quarter is free`)
        }
      }

      // All that wait are served when those before them end.
      while (isOf("open").length > 0) end(["open"], 0)
      assert.lengthOf(isOf("waiting"), 0)
      assert.strictEqual(world.shares.channelsInUse, 0)
      assert.lengthOf(world.timers, 0)
    }
  )
})
