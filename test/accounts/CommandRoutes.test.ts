import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { afterEach, beforeEach, vi } from "vitest"
import { AccountUnavailable, type InsufficientFunds } from "../../src/accounts/AccountError.ts"
import type { OwnerAnswer, SentCommand } from "../../src/accounts/AccountPeers.ts"
import { type Answer, emptyOutcome } from "../../src/accounts/AccountState.ts"
import type { Reply } from "../../src/accounts/ActorHost.ts"
import { CommandRoutes, UNDO_MS } from "../../src/accounts/CommandRoutes.ts"
import { UserId } from "../../src/domain/Ids.ts"
import { reserveOf } from "../support/TestAccounts.ts"

const user = UserId.make(7n)
const reserve = reserveOf(100n)
const voided: SentCommand = { _tag: "Void", id: reserve.id, outcome: emptyOutcome }
const commit: SentCommand = { _tag: "Commit", id: reserve.id, outcome: emptyOutcome, atMs: 0 }

const reservation = { _tag: "Reservation", reservation: { id: reserve.id } } as Answer
const settlement = { _tag: "Settlement", settlement: { state: "committed" } } as Answer
const empty = { _tag: "InsufficientFunds" } as InsufficientFunds
const stuck = new AccountUnavailable({ reason: "a write of this account is stuck" })
const away = new AccountUnavailable({ reason: "the database is away", unknown: true })

interface Told {
  readonly command: SentCommand
  readonly reply: Reply
}

/** Routes between an actor here and an owner elsewhere; both note what they are told, and answer when the test says. */
const routesOf = (is: { contended?: boolean; always?: boolean; askable?: boolean; alone?: boolean } = {}) => {
  const here: Array<Told> = []
  const owner: Array<{ readonly command: SentCommand; readonly reply: (answer: OwnerAnswer) => void }> = []
  const outdated: Array<string> = []
  const state = { contended: is.contended === true, askable: is.askable !== false }
  const actor = {
    get isContended() {
      return state.contended
    },
    tell: (command: SentCommand, reply: Reply) => void here.push({ command, reply }),
    outdate: (id: string) => void outdated.push(id)
  }
  const peers = {
    always: is.always === true,
    canAskOwner: () => state.askable,
    ask: (_: UserId, command: SentCommand, reply: (answer: OwnerAnswer) => void) => void owner.push({ command, reply }),
    serve: () => Effect.void
  }
  const routes = new CommandRoutes(() => actor, is.alone === true ? undefined : peers)
  const heard: Array<unknown> = []
  const tell = (command: SentCommand) => routes.tell(user, command, (answer) => heard.push(answer))
  const tags = (told: ReadonlyArray<{ readonly command: SentCommand }>) => told.map(({ command }) => command._tag)
  return { here, owner, heard, outdated, state, routes, tell, tags }
}

const passTime = (ms: number) => void vi.advanceTimersByTime(ms)

describe("Where a command is decided", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it("is here, for a server alone and for an account that nobody else writes", () => {
    for (const is of [{ alone: true, contended: true }, {}]) {
      const { here, owner, tags, tell } = routesOf(is)
      tell(reserve)
      tell(commit)
      assert.deepStrictEqual(tags(here), ["Reserve", "Commit"])
      assert.deepStrictEqual(owner, [])
    }
  })

  it("is the owner's where several runners write the account, and the reservation it made is settled there afterwards too", () => {
    const { here, heard, owner, state, tags, tell } = routesOf({ contended: true })
    tell(reserve)
    owner[0]?.reply(reservation)
    state.contended = false
    tell(commit)
    owner[1]?.reply(settlement)
    assert.deepStrictEqual(tags(owner), ["Reserve", "Commit"])
    assert.deepStrictEqual(here, [])
    assert.deepStrictEqual(heard, [reservation, settlement])
    tell(voided)
    assert.deepStrictEqual(tags(here), ["Void"], "what has ended is nobody's")
  })

  it("is always the owner's where that is configured, unless it may not be asked", () => {
    const { here, owner, state, tags, tell } = routesOf({ always: true })
    tell(reserve)
    state.askable = false
    tell(commit)
    assert.deepStrictEqual(tags(owner), ["Reserve"])
    assert.deepStrictEqual(tags(here), ["Commit"])
  })

  it("is here when the owner says nothing, and its answer is heard once", () => {
    const { here, heard, owner, tags, tell } = routesOf({ always: true })
    tell(reserve)
    owner[0]?.reply(undefined)
    here[0]?.reply(reservation)
    assert.deepStrictEqual(tags(here), ["Reserve"])
    assert.deepStrictEqual(heard, [reservation])
  })

  it("undoes what a silent owner may have reserved, when it is refused here", () => {
    const { here, heard, owner, tags, tell } = routesOf({ always: true })
    tell(reserve)
    owner[0]?.reply(undefined)
    here[0]?.reply(empty)
    assert.deepStrictEqual(tags(here), ["Reserve"], "it may be asked for again, by the same id")
    passTime(UNDO_MS)
    assert.deepStrictEqual(tags(here), ["Reserve", "Void"])
    assert.deepStrictEqual(heard, [empty])
  })

  it("is here for what is asked again after that, and what it then holds stands", () => {
    const { here, heard, owner, tags, tell } = routesOf({ always: true })
    tell(reserve)
    owner[0]?.reply(undefined)
    here[0]?.reply(empty)
    tell({ ...reserve, tokensMin: 0 })
    here[1]?.reply(reservation)
    passTime(UNDO_MS)
    assert.deepStrictEqual([tags(here), tags(owner)], [["Reserve", "Reserve"], ["Reserve"]])
    assert.deepStrictEqual(heard, [empty, reservation])
  })

  it("passes an owner's refusal on; of one that cannot write, what may have been written is undone", () => {
    for (const [refusal, undone] of [[empty, 0], [stuck, 0], [away, 1]] as const) {
      const { here, heard, owner, tags, tell } = routesOf({ always: true })
      tell(reserve)
      owner[0]?.reply(refusal)
      assert.deepStrictEqual(heard, [refusal])
      passTime(UNDO_MS)
      assert.deepStrictEqual(tags(here), Array.from({ length: undone }, () => "Void" as const))
    }
  })

  it("outdates what the actor here knows of a reservation that the owner has changed or ended", () => {
    const { outdated, owner, tell } = routesOf({ always: true })
    tell(reserve)
    owner[0]?.reply(reservation)
    assert.deepStrictEqual(outdated, [])
    tell({ _tag: "Extend", id: reserve.id, numerator: 1n, outputTokens: 1, atMs: 0 })
    owner[1]?.reply(reservation)
    tell(commit)
    owner[2]?.reply(settlement)
    assert.deepStrictEqual(outdated, [reserve.id, reserve.id])
  })

  it("does not take a reservation for the owner's whose call has given up meanwhile", () => {
    const { here, owner, state, tags, tell } = routesOf({ always: true })
    tell(reserve)
    state.askable = false
    tell(voided)
    owner[0]?.reply(reservation)
    state.askable = true
    state.contended = false
    assert.deepStrictEqual(tags(here), ["Void"])
  })

  it("undoes what is in doubt at once when the process stops", () => {
    const { here, owner, routes, tags, tell } = routesOf({ always: true })
    tell(reserve)
    owner[0]?.reply(undefined)
    here[0]?.reply(empty)
    routes.undoAll()
    assert.deepStrictEqual(tags(here), ["Reserve", "Void"])
    passTime(UNDO_MS)
    assert.deepStrictEqual(tags(here), ["Reserve", "Void"])
  })

  it("keeps a settlement until it is known where it is decided: an owner that is silent or cannot write loses none", () => {
    for (const answer of [undefined, away]) {
      const { here, heard, owner, routes, tags, tell } = routesOf({ always: true })
      tell(commit)
      assert.deepStrictEqual(routes.unsettled, [{ userId: user, command: commit }])
      owner[0]?.reply(answer)
      assert.deepStrictEqual(tags(here), ["Commit"])
      assert.deepStrictEqual(routes.unsettled, [])
      here[0]?.reply(settlement)
      assert.deepStrictEqual(heard, [settlement])
    }
  })

  it("is the owner's for a reserve that could not be written here, and here where there is no owner to ask", () => {
    const from = "here"
    const { heard, owner, routes, state, tags } = routesOf()
    const reply: Reply = (answer) => heard.push(answer)
    assert.isTrue(routes.divert(user, { command: reserve, from, reply }))
    owner[0]?.reply(reservation)
    assert.deepStrictEqual([tags(owner), heard], [["Reserve"], [reservation]])
    assert.isFalse(routes.divert(user, { command: commit, from, reply }), "a settlement is kept here")
    assert.isFalse(routes.divert(user, { command: reserve, from: "peer", reply }), "it is the owner that was asked")
    state.askable = false
    assert.isFalse(routes.divert(user, { command: reserve, from, reply }))
    assert.isFalse(routesOf({ alone: true }).routes.divert(user, { command: reserve, from, reply }))
  })
})
