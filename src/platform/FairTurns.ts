/**
 * Turns at something that only so many may do at once, and each holder fewer than that: one that asks without end waits for itself,
 * and leaves the rest to the others.
 */
import { Effect, Semaphore } from "effect"

interface Holder {
  readonly turns: Semaphore.Semaphore
  /** Its effects that run or wait. */
  asked: number
}

export class FairTurns<Id> {
  private readonly all: Semaphore.Semaphore
  private readonly holders = new Map<Id, Holder>()
  private readonly eachMax: number

  /** `allMax` effects run at once, and `eachMax` of one holder. */
  constructor({ allMax, eachMax }: { readonly allMax: number; readonly eachMax: number }) {
    this.all = Semaphore.makeUnsafe(allMax)
    this.eachMax = eachMax
  }

  /** Holders of whom something runs or waits. */
  get size(): number {
    return this.holders.size
  }

  /** Runs an effect when it is its holder's turn. */
  run<A, E, R>(id: Id, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const holder = this.holders.get(id) ?? { turns: Semaphore.makeUnsafe(this.eachMax), asked: 0 }
      this.holders.set(id, holder)
      holder.asked++
      // Its own turn comes first: so no more of one holder's wait among all than may run.
      return holder.turns.withPermits(1)(this.all.withPermits(1)(effect)).pipe(
        Effect.ensuring(Effect.sync(() => {
          if (--holder.asked === 0) this.holders.delete(id)
        }))
      )
    })
  }
}
