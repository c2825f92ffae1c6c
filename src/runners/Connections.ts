/**
 * Gives each new connection to the next runner. A runner says when it has taken one. What it had not taken when it ended is given to
 * another runner; not earlier, because a living runner may still read what is on its way to it. No connection waits without a bound: a
 * client whose connection is closed tries again.
 *
 * @internal
 */

/** Connections that wait for a runner, at most; more are closed. */
export const WAITING_MAX = 4_096

/** A connection waits for a runner so long at most, in milliseconds: the start of one takes seconds. */
export const WAITING_MS_MAX = 30_000

/** Connections on their way to one runner, at most; others go to the next one. */
export const UNTAKEN_MAX = 256

/** A connection that is not taken in so many milliseconds is closed here. A runner that has it, and only could not say so, keeps it. */
export const UNTAKEN_MS_MAX = 10_000

/** What is needed of a connection. */
export interface Connection {
  /** Closes it in this process. Another process that has it goes on with it. */
  destroy(): unknown
}

/** A runner that takes connections. */
export interface Taker<C extends Connection> {
  /** Sends it a connection, under a number by which it says that it has taken it. */
  give(number: number, connection: C): void
}

interface Since<C> {
  readonly connection: C
  readonly atMs: number
}

export class Connections<C extends Connection> {
  private readonly now: () => number
  /** What each runner that lives was given and has not taken. */
  private readonly untaken = new Map<Taker<C>, Map<number, Since<C>>>()
  /** Those that are given connections. */
  private readonly open = new Set<Taker<C>>()
  private readonly waiting: Array<Since<C>> = []
  private lastNumber = 0
  private turn = 0

  /** `now`: the time in milliseconds. */
  constructor(now: () => number) {
    this.now = now
  }

  /** Gives a connection to the next runner. */
  give(connection: C): void {
    const taker = this.next()
    if (taker !== undefined) return this.send(taker, connection)
    if (this.waiting.length < WAITING_MAX) this.waiting.push({ connection, atMs: this.now() })
    else connection.destroy()
  }

  /** A runner takes connections from now on. */
  join(taker: Taker<C>): void {
    if (!this.untaken.has(taker)) this.untaken.set(taker, new Map())
    this.open.add(taker)
    this.giveWaiting()
  }

  /** A runner has a connection: it is closed here. */
  taken(taker: Taker<C>, number: number): void {
    const given = this.untaken.get(taker)
    given?.get(number)?.connection.destroy()
    given?.delete(number)
    this.giveWaiting()
  }

  /** A runner is given no more. What is on its way stays its own. */
  leave(taker: Taker<C>): void {
    this.open.delete(taker)
  }

  /** A runner has ended: what it had not taken goes to others. */
  ended(taker: Taker<C>): void {
    this.open.delete(taker)
    const given = this.untaken.get(taker)
    this.untaken.delete(taker)
    for (const { connection } of given?.values() ?? []) this.give(connection)
  }

  /** Closes what has waited too long; answers how many that were. */
  expire(): number {
    const nowMs = this.now()
    let closed = 0
    for (const given of this.untaken.values()) {
      for (const [number, { atMs, connection }] of given) {
        if (nowMs - atMs < UNTAKEN_MS_MAX) break
        given.delete(number)
        connection.destroy()
        closed++
      }
    }
    while (this.waiting[0] !== undefined && nowMs - this.waiting[0].atMs >= WAITING_MS_MAX) {
      this.waiting.shift()?.connection.destroy()
      closed++
    }
    return closed
  }

  /** Closes what waits. */
  close(): void {
    for (const { connection } of this.waiting.splice(0)) connection.destroy()
  }

  /** Whose turn it is, of those that keep up. */
  private next(): Taker<C> | undefined {
    const takers = [...this.open].filter((taker) => (this.untaken.get(taker)?.size ?? 0) < UNTAKEN_MAX)
    this.turn = (this.turn + 1) % Math.max(takers.length, 1)
    return takers[this.turn]
  }

  private send(taker: Taker<C>, connection: C): void {
    const number = ++this.lastNumber
    this.untaken.get(taker)?.set(number, { connection, atMs: this.now() })
    taker.give(number, connection)
  }

  private giveWaiting(): void {
    while (this.waiting.length > 0) {
      const taker = this.next()
      if (taker === undefined) return
      const first = this.waiting.shift()
      if (first !== undefined) this.send(taker, first.connection)
    }
  }
}
