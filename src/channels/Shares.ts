/**
 * Who may use a channel's connections: as many calls as it has connections, shared among the users who call. A user may take
 * all free connections but the last quarter, which serves users below their share, so that one user with many hanging calls
 * does not stop the others. A call that gets none waits, and can leave at any time. Synchronous; time comes from outside.
 * @internal
 */
import type { ChannelId, UserId } from "../domain/Ids.ts"
import { type Link, LinkedList } from "../platform/LinkedList.ts"
import { RankedSet } from "./RankedSet.ts"

/** A call waits for a connection no longer, in milliseconds. */
export const QUEUE_WAIT_MS_MAX = 30_000

/** Calls that wait for one channel, at most; more are refused at once. */
export const QUEUED_PER_CHANNEL_MAX = 16_384

/** Calls of one user that wait for one channel, at most; more are refused at once. */
export const QUEUED_PER_USER_MAX = 1_024

/** The part of a channel's connections that serves users below their share: one divided by this, rounded up. */
const KEPT_PART = 4

/**
 * A lone user's share is that of one of two. Without it, one user would be below their share until every connection is
 * taken, and the next user would find none.
 */
const USERS_MIN = 2

/** `queue_full`: too many wait; `queue_timeout`: it waited {@link QUEUE_WAIT_MS_MAX}. Both are 429 to the client. */
export type ShareRefusal = "queue_full" | "queue_timeout"

/** Exactly one of them is called, unless the ticket is released before. Either may be called before `enter` returns. */
export interface ShareCallbacks {
  onGranted(): void
  onRefused(why: ShareRefusal): void
}

/** A call's place: a connection, or a place in the queue. */
export interface Ticket {
  /** True while the call has a connection. */
  readonly isGranted: boolean
  /** Gives the connection back, or leaves the queue; no callback comes after it. Repeating it changes nothing. */
  release(): void
}

/** Where time comes from. `nowMs` may begin anywhere, but must not go back. */
export interface SharesClock {
  nowMs(): number
  /** Calls back once after the delay; what it answers cancels that. */
  after(delayMs: number, callback: () => void): () => void
}

interface ShareUser {
  readonly id: UserId
  open: number
  /** Grows with each connection that the user gets, beyond that of all others. */
  turn: number
  readonly waiting: LinkedList<Call>
  rankedAt: number
}

class ShareChannel {
  readonly id: ChannelId
  max = 0
  open = 0
  queued = 0
  isGranting = false
  turns = 0
  readonly users = new Map<UserId, ShareUser>()
  /** Users with waiting calls, the one with the fewest open first; equal ones take turns, however many calls each has. */
  readonly waiting = new RankedSet<ShareUser>((a, b) => a.open < b.open || (a.open === b.open && a.turn < b.turn))

  constructor(id: ChannelId) {
    this.id = id
  }

  /** All users have the same share, so that the user with the fewest open calls is furthest below it. */
  mayTake(user: ShareUser): boolean {
    const free = this.max - this.open
    if (free <= 0) return false
    return free > Math.ceil(this.max / KEPT_PART) || user.open * Math.max(this.users.size, USERS_MIN) < this.max
  }

  userOf(userId: UserId): ShareUser {
    const known = this.users.get(userId)
    if (known !== undefined) return known
    const user: ShareUser = { id: userId, open: 0, turn: ++this.turns, waiting: new LinkedList(), rankedAt: -1 }
    this.users.set(userId, user)
    return user
  }
}

/** One call at one channel. */
class Call implements Ticket {
  readonly channel: ShareChannel
  readonly user: ShareUser
  readonly callbacks: ShareCallbacks
  state: "waiting" | "granted" | "ended" = "ended"
  /** While it waits: its places among the user's calls and among all. */
  places: { readonly own: Link<Call>; readonly all: Link<Waiting> } | undefined
  private readonly shares: Shares

  constructor(shares: Shares, channel: ShareChannel, user: ShareUser, callbacks: ShareCallbacks) {
    this.shares = shares
    this.channel = channel
    this.user = user
    this.callbacks = callbacks
  }

  get isGranted(): boolean {
    return this.state === "granted"
  }

  release(): void {
    this.shares.release(this)
  }
}

interface Waiting {
  readonly call: Call
  readonly untilMs: number
}

export class Shares {
  private readonly clock: SharesClock
  private readonly channels = new Map<ChannelId, ShareChannel>()
  /** Waiting calls of all channels, in the order in which their time runs out. */
  private readonly waiting = new LinkedList<Waiting>()
  private cancelTimer: (() => void) | undefined

  private readonly onRefusal: (why: ShareRefusal) => void

  /** `onRefusal` hears of every refusal, before the call does. */
  constructor(clock: SharesClock, onRefusal: (why: ShareRefusal) => void = () => undefined) {
    this.clock = clock
    this.onRefusal = onRefusal
  }

  /** Channels that any call uses or waits for. */
  get channelsInUse(): number {
    return this.channels.size
  }

  /** Asks for a connection; `maxConnections` is what the channel has now, at least 1. */
  enter(channelId: ChannelId, maxConnections: number, userId: UserId, callbacks: ShareCallbacks): Ticket {
    const channel = this.channelOf(channelId)
    this.resize(channel, maxConnections)
    const user = channel.userOf(userId)
    const call = new Call(this, channel, user, callbacks)
    if (!channel.isGranting && user.waiting.size === 0 && channel.mayTake(user)) this.grant(call)
    else if (user.waiting.size >= QUEUED_PER_USER_MAX || channel.queued >= QUEUED_PER_CHANNEL_MAX) {
      this.forgetIdle(channel, user)
      this.refuse(call, "queue_full")
    } else this.queue(call)
    return call
  }

  private channelOf(id: ChannelId): ShareChannel {
    const known = this.channels.get(id)
    if (known !== undefined) return known
    const channel = new ShareChannel(id)
    this.channels.set(id, channel)
    return channel
  }

  private refuse({ callbacks }: Call, why: ShareRefusal): void {
    this.onRefusal(why)
    callbacks.onRefused(why)
  }

  /** Connections that a channel got since the last call belong to those who wait for them. */
  private resize(channel: ShareChannel, maxConnections: number): void {
    const hasGrown = maxConnections > channel.max
    channel.max = Math.max(1, maxConnections)
    if (hasGrown) this.grantWaiting(channel)
  }

  private grant(call: Call): void {
    const { channel, user } = call
    call.state = "granted"
    channel.open++
    user.open++
    user.turn = ++channel.turns
    if (user.waiting.size > 0) channel.waiting.put(user)
    call.callbacks.onGranted()
  }

  private queue(call: Call): void {
    const { channel, user } = call
    call.state = "waiting"
    channel.queued++
    const untilMs = this.clock.nowMs() + QUEUE_WAIT_MS_MAX
    call.places = { own: user.waiting.push(call), all: this.waiting.push({ call, untilMs }) }
    channel.waiting.put(user)
    this.setTimer()
  }

  /** Takes a waiting call out of all queues. */
  private unqueue(call: Call): void {
    const { channel, places, user } = call
    if (places === undefined) return
    call.places = undefined
    channel.queued--
    user.waiting.remove(places.own)
    this.waiting.remove(places.all)
    if (user.waiting.size === 0) channel.waiting.remove(user)
    if (this.waiting.first === undefined) this.stopTimer()
  }

  /** What a ticket's `release` does. */
  release(call: Call): void {
    if (call.state === "ended") return
    const { channel, user } = call
    if (call.state === "waiting") this.unqueue(call)
    else {
      channel.open--
      user.open--
      if (user.waiting.size > 0) channel.waiting.put(user)
    }
    call.state = "ended"
    this.forgetIdle(channel, user)
    this.grantWaiting(channel)
  }

  /**
   * Gives free connections to the users furthest below their share. A callback may enter or release: the round that is under
   * way gives what that frees, so that callbacks do not nest.
   */
  private grantWaiting(channel: ShareChannel): void {
    if (channel.isGranting) return
    channel.isGranting = true
    try {
      let next = channel.waiting.lowest
      while (next !== undefined && channel.mayTake(next)) {
        const call = next.waiting.first?.value
        if (call === undefined) break
        this.unqueue(call)
        this.grant(call)
        next = channel.waiting.lowest
      }
    } finally {
      channel.isGranting = false
    }
  }

  /** What has neither a connection nor a waiting call is not remembered. */
  private forgetIdle(channel: ShareChannel, user: ShareUser): void {
    if (user.open > 0 || user.waiting.size > 0) return
    channel.users.delete(user.id)
    if (channel.users.size === 0) this.channels.delete(channel.id)
  }

  /** One timer, for the call whose time runs out first. */
  private setTimer(): void {
    const first = this.waiting.first?.value
    if (first === undefined || this.cancelTimer !== undefined) return
    const delayMs = Math.max(0, first.untilMs - this.clock.nowMs())
    this.cancelTimer = this.clock.after(delayMs, () => {
      this.cancelTimer = undefined
      this.refuseLate()
      this.setTimer()
    })
  }

  private stopTimer(): void {
    this.cancelTimer?.()
    this.cancelTimer = undefined
  }

  private refuseLate(): void {
    const nowMs = this.clock.nowMs()
    let first = this.waiting.first?.value
    while (first !== undefined && first.untilMs <= nowMs) {
      const { call } = first
      this.release(call)
      this.refuse(call, "queue_timeout")
      first = this.waiting.first?.value
    }
  }
}
