/**
 * Gives each new connection to the next runner. A runner says when it has taken one; what it had not taken when it ended is given to
 * another, so a connection that came while a runner died waits for nobody. While no runner takes any, a bounded number waits.
 *
 * @internal
 */

/** Connections that wait for a runner, at most; more are closed. */
export const WAITING_MAX = 4_096

/** What is needed of a connection. */
export interface Connection {
  /** Closes it in this process; whoever else has it goes on. */
  destroy(): unknown
}

/** A runner that takes connections. */
export interface Taker<C extends Connection> {
  /** Sends it a connection, under a number by which it says that it has taken it. */
  give(number: number, connection: C): void
}

export class Connections<C extends Connection> {
  /** Those that take connections, with what each was given and has not taken. */
  private readonly takers = new Map<Taker<C>, Map<number, C>>()
  private readonly waiting: Array<C> = []
  private lastNumber = 0
  private lastTaker = -1

  /** Gives a connection to the next runner. */
  give(connection: C): void {
    const takers = Array.from(this.takers.keys())
    this.lastTaker = (this.lastTaker + 1) % Math.max(takers.length, 1)
    const taker = takers[this.lastTaker]
    if (taker !== undefined) {
      const number = ++this.lastNumber
      this.takers.get(taker)?.set(number, connection)
      taker.give(number, connection)
    } else if (this.waiting.length < WAITING_MAX) this.waiting.push(connection)
    else connection.destroy()
  }

  /** A runner takes connections from now on. */
  join(taker: Taker<C>): void {
    if (this.takers.has(taker)) return
    this.takers.set(taker, new Map())
    for (const connection of this.waiting.splice(0)) this.give(connection)
  }

  /** A runner has a connection: it is closed here. */
  taken(taker: Taker<C>, number: number): void {
    const given = this.takers.get(taker)
    given?.get(number)?.destroy()
    given?.delete(number)
  }

  /** A runner takes no more; what it has not taken goes to others. */
  leave(taker: Taker<C>): void {
    const given = this.takers.get(taker)
    this.takers.delete(taker)
    for (const connection of given?.values() ?? []) this.give(connection)
  }

  /** Closes what waits. */
  close(): void {
    for (const connection of this.waiting.splice(0)) connection.destroy()
  }
}
