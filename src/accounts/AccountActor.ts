/**
 * The actor of one account: a mailbox and the one place where its state lives. Commands are decided one at a time and
 * synchronously; a fiber is needed only to read the account from PostgreSQL. A reply leaves after everything it was
 * decided on is durable, and a refusal is only given on a state that was read after its command arrived.
 *
 * @internal
 */
import { HashMap } from "effect"
import type { SubscriptionId, UserId } from "../domain/Ids.ts"
import { type AccountError, AccountUnavailable, ClaimTaken, stuck } from "./AccountError.ts"
import { decide } from "./AccountMachine.ts"
import type { Event } from "./Decision.ts"
import { evolve } from "./Evolution.ts"
import {
  type AccountState,
  type Answer,
  type Command,
  type Commit,
  emptyOutcome,
  isSettlement,
  leased,
  type Void
} from "./AccountState.ts"
import { countedKeys } from "./CallUses.ts"
import type { LoadedAccount } from "./AccountStore.ts"
import type { ActorHost, Reply } from "./ActorHost.ts"
import { type Decided, type Envelope, isGivenUp } from "./Envelope.ts"
import type { EntryException, GroupResult } from "./JournalBatch.ts"
import { type JournalAccount, type JournalEntry, transitionKey } from "./JournalEntry.ts"
import { isFunded, StandingQuestions, type StandingReply } from "./Standing.ts"

/** Commands, and questions, waiting at one account, at most; what is beyond is turned away, settlements excepted. */
const MAILBOX_MAX = 4_096

/** Tries of a settlement that PostgreSQL refuses for its data, at most; then it is set aside. */
const REFUSED_TRIES_MAX = 5

/** An account whose write another one has spoilt counts as contended for so long, in milliseconds. */
const CONTENDED_MS = 10_000

export class AccountActor implements JournalAccount {
  readonly userId: UserId
  readonly queued: Array<JournalEntry> = []
  readonly fences = new Map<SubscriptionId, bigint>()
  /** `slow`: PostgreSQL refused a write of this account; it writes alone until nothing is left, and takes no reserves. */
  lane: "main" | "slow" = "main"
  /** When something was last asked of it, and when what it has open was last read, ms on the host's clock; for passivation. */
  lastUsedMs = 0
  lastCheckedMs = 0
  private contendedUntilMs = 0
  private readonly host: ActorHost
  private state: AccountState | undefined
  private mailbox: Array<Envelope> = []
  private decided: Array<Decided> = []
  private arrivals = 0
  /** Commands up to this arrival may be refused on the present state. */
  private freshFor = 0
  private wantLoad = true
  /** The next read is to be a whole one. */
  private wantWhole = false
  /** False: something was decided and not written, so the windows in memory may be wrong. */
  private trusted = true
  /** Reservations that memory may be wrong about; read with the next read. */
  private readonly doubtful = new Set<string>()
  private readonly questions = new StandingQuestions()
  private loading = false
  private pausing = false
  private pumping = false
  private failures = 0
  private refusedCause: unknown

  constructor(userId: UserId, host: ActorHost) {
    this.userId = userId
    this.host = host
  }

  /** True when nothing waits and nothing is under way. */
  get isQuiet(): boolean {
    return this.mailbox.length === 0 && this.decided.length === 0 && this.questions.size === 0 && !this.loading &&
      !this.pausing
  }

  /** True when it may be forgotten: it is quiet, and nothing is open. */
  get isIdle(): boolean {
    return this.isQuiet && (this.state === undefined || HashMap.isEmpty(this.state.open))
  }

  /** Settlements not yet durable, oldest first. */
  get unsettled(): ReadonlyArray<Commit | Void> {
    const commands = [...this.decided.map((decided) => decided.envelope.command), ...this.mailbox.map((e) => e.command)]
    return commands.filter(isSettlement)
  }

  /** Gives the actor a command; `reply` is called once, from here or later. */
  tell(command: Command, reply: Reply, from: Envelope["from"] = "here"): void {
    if (!isSettlement(command)) {
      if (this.lane === "slow") return reply(stuck)
      if (this.mailbox.length >= MAILBOX_MAX) {
        return reply(new AccountUnavailable({ reason: "too many commands wait at this account" }))
      }
    }
    this.put(command, reply, from)
    this.pump()
  }

  private put(command: Command, reply: Reply, from: Envelope["from"]): void {
    this.mailbox.push({ command, reply, from, arrival: ++this.arrivals, row: undefined, refusals: 0, rejections: 0 })
  }

  /** Lately others wrote this account between a decision here and its write, which was therefore rejected. */
  get isContended(): boolean {
    return this.contendedUntilMs > 0 && this.host.now() < this.contendedUntilMs
  }

  /** What is in memory has something to pay a call with. */
  get isKnownFunded(): boolean {
    const { state } = this
    // The clock is asked for subscriptions alone.
    return state !== undefined && (state.usdMicros > 0n || isFunded(state, this.host.now()))
  }

  /** Says whether there is anything to pay a call with: at once when there is, else when the account was read. */
  standing(reply: StandingReply): void {
    if (this.isKnownFunded) return reply("funded")
    if (this.questions.size >= MAILBOX_MAX) {
      return reply(new AccountUnavailable({ reason: "too many questions wait at this account" }))
    }
    this.questions.add({ arrival: ++this.arrivals, reply })
    this.wantLoad = true
    this.pump()
  }

  /** The state is read again before the next decision. */
  invalidate(): void {
    this.wantLoad = true
  }

  /** The owner of the account has decided on a reservation: what is known of it here is out of date. */
  outdate(id: string): void {
    if (this.state !== undefined && HashMap.has(this.state.open, id)) this.distrust(id)
  }

  /** Reads everything of a quiet account: what it believes to be open may have ended elsewhere. */
  recheck(): void {
    if (!this.isQuiet) return
    this.wantWhole = true
    this.startLoad()
  }

  private pump(): void {
    if (this.pumping) return
    this.pumping = true
    try {
      while (this.mailbox.length + this.questions.size > 0 && !this.loading && !this.pausing) {
        if (this.wantLoad || this.state === undefined) {
          if (this.decided.length === 0) this.startLoad()
          break
        }
        const envelope = this.mailbox[0]
        if (envelope === undefined || !this.step(this.state, envelope)) break
      }
    } finally {
      this.pumping = false
    }
    if (this.lane === "slow" && this.mailbox.length === 0 && this.decided.length === 0) this.lane = "main"
  }

  /** Decides the first command. False: the account has to be read first. */
  private step(state: AccountState, envelope: Envelope): boolean {
    const decision = decide(state, envelope.command, envelope.row)
    const fresh = envelope.arrival <= this.freshFor
    if (
      decision._tag === "NeedRow" ||
      (!fresh && (decision._tag === "Refuse" || (decision._tag === "Accept" && decision.fresh)))
    ) {
      this.wantLoad = true
      return true
    }
    this.mailbox.shift()
    if (decision._tag === "Accept") {
      this.accept(state, envelope, decision.event, decision.answer)
      return true
    }
    const answer = decision._tag === "Repeat" ? decision.answer : decision.error
    if (this.decided.length === 0) envelope.reply(answer)
    else this.decided.push({ envelope, entry: undefined, answer, status: "pending" })
    return true
  }

  private accept(state: AccountState, envelope: Envelope, event: Event, answer: Answer): void {
    const next = evolve(state, event)
    this.state = next
    if (envelope.row !== undefined) this.forgetRows(transitionKey(event))
    const entry: JournalEntry = { event, usdAfterMicros: next.usdMicros, owedAfterMicros: next.owedMicros }
    this.decided.push({ envelope, entry, answer, status: "pending" })
    this.queued.push(entry)
    this.host.enqueue(this)
  }

  /** A row that was looked up is out of date once its reservation was decided on. */
  private forgetRows(id: string): void {
    for (const envelope of this.mailbox) {
      if (envelope.row !== undefined && envelope.command.id === id) envelope.row = undefined
    }
  }

  private startLoad(): void {
    this.loading = true
    this.wantLoad = false
    const asOf = this.arrivals
    const asking = this.mailbox.slice()
    const ids = Array.from(new Set([...this.doubtful, ...asking.map(({ command }) => command.id)]))
    const known = this.state === undefined || this.wantWhole
      ? {}
      : { known: { state: this.state, fences: this.trusted ? this.fences : new Map() } }
    this.host.load(
      { userId: this.userId, ids, keyIds: countedKeys(asking.map(({ command }) => command)), ...known },
      (loaded) => {
        this.loading = false
        if ("_tag" in loaded) this.loadFailed(loaded)
        else this.loaded(loaded, asOf, asking)
        this.pump()
      }
    )
  }

  private loaded(loaded: LoadedAccount, asOf: number, asking: ReadonlyArray<Envelope>): void {
    if (this.lane === "main") this.failures = 0
    this.state = loaded.state
    this.freshFor = asOf
    this.wantWhole = false
    this.trusted = true
    this.doubtful.clear()
    this.fences.clear()
    for (const [id, fence] of loaded.fences) this.fences.set(id, fence)
    for (const envelope of asking) envelope.row = loaded.rows.get(envelope.command.id) ?? null
    this.questions.answer(loaded.state, { asOf, atMs: this.host.now() })
    if (this.questions.size > 0) this.wantLoad = true
  }

  private loadFailed(error: AccountError): void {
    this.wantLoad = true
    this.questions.fail(error)
    const waiting = this.mailbox
    const isKept = ({ command }: Envelope) => error._tag !== "UnknownAccount" && isSettlement(command)
    this.mailbox = waiting.filter(isKept)
    for (const envelope of waiting) if (!isKept(envelope)) envelope.reply(error)
    if (this.mailbox.length > 0) this.pause()
  }

  private pause(): void {
    this.pausing = true
    this.failures++
    this.host.later(this, this.failures, () => {
      this.pausing = false
      this.pump()
    })
  }

  onWritten(entries: ReadonlyArray<JournalEntry>, result: GroupResult): void {
    this.failures = 0
    let again = result.note !== ""
    if (again) this.contendedUntilMs = this.host.now() + CONTENDED_MS
    // Nearly always there is one entry, and it needs no set.
    const written = entries.length === 1 ? undefined : new Set(entries)
    for (const decided of this.decided) {
      const { entry } = decided
      if (entry === undefined || !(written === undefined ? entry === entries[0] : written.has(entry))) continue
      decided.status = this.statusOf(decided, entry.event, result)
      if (decided.status !== "durable") again = true
    }
    const last = entries[entries.length - 1]
    if (again) this.decideAgain()
    else if (last !== undefined && this.state !== undefined) this.correct(this.state, last, result)
    this.answerDurable()
    this.pump()
  }

  private statusOf(decided: Decided, event: Event, result: GroupResult): Decided["status"] {
    const taken = event._tag === "Reserved" || event._tag === "Extended"
    if (result.note === "unknown") return "again"
    if (taken && result.note === "rejected") return "rejected"
    const exception = result.exceptions.get(transitionKey(event))
    if (exception === undefined) return "durable"
    switch (exception.tag) {
      case "leased":
      case "claimed":
        // Too early to expire, so that it stands; or held for another call of its key. What was evolved is wrong, and read again.
        decided.answer = exception.tag === "leased" ? leased : new ClaimTaken()
        this.distrust(transitionKey(event))
        return "durable"
      case "charged":
      case "late":
        this.correctAnswer(decided, event, exception)
        return "durable"
      default:
        return "again"
    }
  }

  /** A settlement that was written on a row or a balance that another process had changed: the caller hears what was written. */
  private correctAnswer(decided: Decided, event: Event, { chargedMicros, tag }: EntryException): void {
    const late = tag === "late"
    if (event._tag !== "Settled" || (event.late === late && event.chargedMicros === chargedMicros)) return
    if (!("settlement" in decided.answer)) return
    decided.answer = { _tag: "Settlement", settlement: { ...decided.answer.settlement, chargedMicros, late } }
    this.distrust(event.id)
  }

  private distrust(id: string): void {
    this.wantLoad = true
    this.trusted = false
    this.doubtful.add(id)
  }

  /** Others write too: what the row has beyond what was expected of this batch is added to the cached state. */
  private correct(state: AccountState, last: JournalEntry, result: GroupResult): void {
    const usd = result.usdMicros - last.usdAfterMicros
    const owed = result.owedMicros - last.owedAfterMicros
    if (usd === 0n && owed === 0n) return
    this.state = { ...state, usdMicros: state.usdMicros + usd, owedMicros: state.owedMicros + owed }
    // Entries still queued were foreseen on the old value: corrected too, or their batch would add this once more.
    for (const entry of this.queued) {
      entry.usdAfterMicros += usd
      entry.owedAfterMicros += owed
    }
  }

  /** Answers what is durable; what was decided on something that is not goes back into the mailbox, in order. */
  private decideAgain(): void {
    this.queued.length = 0
    this.wantLoad = true
    this.trusted = false
    const back: Array<Envelope> = []
    let clean = true
    for (const { answer, entry, envelope, status } of this.decided) {
      if (entry !== undefined) this.doubtful.add(envelope.command.id)
      if (status === "durable" || (entry === undefined && clean)) {
        envelope.reply(answer)
      } else {
        clean = false
        envelope.row = undefined
        if (status === "rejected" && isGivenUp(envelope)) envelope.reply(stuck)
        else if (status !== "rejected" || !this.host.divert(this.userId, envelope)) back.push(envelope)
      }
    }
    this.decided = []
    this.mailbox = back.concat(this.mailbox)
  }

  private answerDurable(): void {
    const waiting = this.decided.findIndex(({ entry, status }) => entry !== undefined && status !== "durable")
    const answered = this.decided.splice(0, waiting === -1 ? this.decided.length : waiting)
    for (const { answer, envelope } of answered) envelope.reply(answer)
  }

  onUnknown(entries: ReadonlyArray<JournalEntry>): void {
    const sent = new Set(entries)
    const gone: Array<Envelope> = []
    for (const decided of this.decided) {
      if (decided.entry === undefined || !sent.has(decided.entry)) continue
      const { command } = decided.envelope
      if (command._tag !== "Reserve" && command._tag !== "Extend") continue
      // Whether it landed is not known: the caller is turned away, and a void undoes the hold if there is one.
      gone.push(decided.envelope)
    }
    this.decideAgain()
    for (const envelope of gone) {
      this.mailbox = this.mailbox.filter((other) => other !== envelope)
      envelope.reply(new AccountUnavailable({ reason: "the database is away", unknown: true }))
      if (envelope.command._tag !== "Reserve" || envelope.from === "peer") continue
      const outcome = { ...emptyOutcome, reason: "reserve_unknown" }
      this.put({ _tag: "Void", id: envelope.command.id, outcome }, () => undefined, "here")
    }
    this.pump()
  }

  onRefused(entries: ReadonlyArray<JournalEntry>, retryable: boolean, cause: unknown): void {
    const refused = new Set(entries)
    const dropped: Array<Envelope> = []
    this.refusedCause = cause
    this.lane = "slow"
    for (const { entry, envelope } of this.decided) {
      if (entry === undefined || !refused.has(entry)) continue
      if (!isSettlement(envelope.command)) dropped.push(envelope)
      else if (!retryable && entries.length === 1 && ++envelope.refusals >= REFUSED_TRIES_MAX) dropped.push(envelope)
    }
    this.decideAgain()
    const waiting = this.mailbox
    this.mailbox = waiting.filter((envelope) => isSettlement(envelope.command) && !dropped.includes(envelope))
    const kept = new Set(this.mailbox)
    for (const { command, reply } of waiting.filter((one) => !kept.has(one))) {
      if (isSettlement(command)) this.host.setAside(this.userId, command, this.refusedCause, () => reply(stuck))
      else reply(stuck)
    }
    if (this.mailbox.length > 0 && !this.pausing) this.pause()
    this.pump()
  }
}
