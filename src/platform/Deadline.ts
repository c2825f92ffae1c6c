/**
 * Waits that hardly ever come to their end: every call has a few, all of a few lengths. Those of one length share one timer of
 * Node's, so that a wait costs a place in a list, and giving it up nothing more.
 */
import { type Link, LinkedList } from "./LinkedList.ts"

/** A wait, to be given up. */
export class Deadline {
  /** By the clock of `performance.now()`. */
  readonly dueMs: number
  readonly onPassed: () => void
  private readonly waits: LinkedList<Deadline>
  private place: Link<Deadline> | undefined

  constructor(waits: LinkedList<Deadline>, dueMs: number, onPassed: () => void) {
    this.waits = waits
    this.dueMs = dueMs
    this.onPassed = onPassed
    this.place = waits.push(this)
  }

  /** Gives the wait up. Repeating it, or after its end, changes nothing. */
  cancel(): void {
    if (this.place !== undefined) this.waits.remove(this.place)
    this.place = undefined
  }
}

/** The longest timer that Node has. */
const TIMER_MS_MAX = 2_147_483_647

/** The waits of one length, in the order in which they end. */
class Waits {
  private readonly delayMs: number
  private readonly list = new LinkedList<Deadline>()
  private isWaiting = false

  constructor(delayMs: number) {
    this.delayMs = delayMs
  }

  add(onPassed: () => void): Deadline {
    const deadline = new Deadline(this.list, performance.now() + this.delayMs, onPassed)
    if (!this.isWaiting) this.wait(this.delayMs)
    return deadline
  }

  private wait(delayMs: number): void {
    this.isWaiting = true
    setTimeout(this.look, Math.min(delayMs, TIMER_MS_MAX)).unref()
  }

  /** The timer is left to end by itself, also when nothing waits any more: waits begin and end many times while it runs. */
  private readonly look = (): void => {
    const nowMs = performance.now()
    try {
      for (let first = this.list.first?.value; first !== undefined && first.dueMs <= nowMs;) {
        first.cancel()
        first.onPassed()
        first = this.list.first?.value
      }
    } finally {
      const next = this.list.first?.value
      // What was called back has taken its time: others may be due by now.
      if (next !== undefined) this.wait(Math.max(1, Math.ceil(next.dueMs - performance.now())))
      else {
        this.isWaiting = false
        byLength.delete(this.delayMs)
      }
    }
  }
}

/** By their length in ms. */
const byLength = new Map<number, Waits>()

/** Calls back once after `delayMs`, no sooner, unless it is cancelled before. Keeps no process from ending. */
export const deadlineIn = (delayMs: number, onPassed: () => void): Deadline => {
  let waits = byLength.get(delayMs)
  if (waits === undefined) {
    waits = new Waits(delayMs)
    byLength.set(delayMs, waits)
  }
  return waits.add(onPassed)
}
