/**
 * What goes wrong with a request to a simulated payment provider, as a test wants it: a status, a delay, a gate, a
 * connection that drops; before the request takes effect, or after it.
 */
import { setTimeout } from "node:timers/promises"
import { type GateControl, gateControl, SimulatorGates } from "./SimulatorGates.ts"

export interface Fault {
  /** Only for a request whose path begins so. */
  readonly path?: string
  readonly method?: "GET" | "POST"
  /** Milliseconds before the answer. */
  readonly delayMs?: number
  /** Hold the answer back until the gate is opened. */
  readonly gate?: string
  /** Answer this instead. */
  readonly status?: number
  /** Close the connection instead of answering. */
  readonly dropConnection?: boolean
  /** The request takes effect first, and only its answer is late, replaced or lost. */
  readonly takesEffect?: boolean
}

/** Waits; less long when `signal` ends it. */
export const pause = (delayMs: number, signal: AbortSignal): Promise<void> =>
  setTimeout(delayMs, undefined, { signal }).catch(() => undefined)

/** What a test does to a simulated provider, whatever is paid there. */
export interface SimulatorControl<F extends Fault> extends GateControl {
  /** The next request to the API, or the next that the fault is for, meets it. */
  readonly next: (fault: F) => void
  /** Forgets the faults that have not happened yet. */
  readonly reset: () => void
  /** Resolves when nothing is being sent and no retry is due. */
  readonly idle: () => Promise<void>
}

export const controlOf = <F extends Fault>(
  { faults, sender }: { readonly faults: SimulatorFaults<F>; readonly sender: { idle(): Promise<void> } }
): SimulatorControl<F> => ({
  next: (fault) => faults.next(fault),
  reset: () => faults.reset(),
  ...gateControl(faults),
  idle: () => sender.idle()
})

export class SimulatorFaults<F extends Fault> extends SimulatorGates {
  private readonly closing: AbortSignal
  private faults: ReadonlyArray<F> = []

  constructor(closing: AbortSignal) {
    super()
    this.closing = closing
  }

  /** The next request that the fault is for meets it, once. Faults are used in the order they came. */
  next(fault: F): void {
    this.faults = [...this.faults, fault]
  }

  /** Forgets all faults that have not happened yet. */
  reset(): void {
    this.faults = []
  }

  /** Uses up the fault for a request, if there is one. */
  take(method: string, path: string): F | undefined {
    const fault = this.faults.find((one) =>
      (one.method === undefined || one.method === method) && path.startsWith(one.path ?? "")
    )
    if (fault !== undefined) this.faults = this.faults.filter((one) => one !== fault)
    return fault
  }

  /** Waits as long as the fault asks. */
  async hold(fault: Fault): Promise<void> {
    if (fault.delayMs !== undefined) await pause(fault.delayMs, this.closing)
    if (fault.gate === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const leave = this.wait(fault.gate, resolve)
    this.closing.addEventListener("abort", () => resolve(), { once: true })
    await promise
    leave()
  }

  /**
   * Answers a request: `work` makes the answer, `replaced` the one the fault has instead. Undefined is a connection
   * that drops, as every one does that still waits when the simulator closes.
   */
  async around<A>(fault: F | undefined, work: () => A, replaced: (fault: F, answer: A | undefined) => A | undefined) {
    if (fault === undefined) return work()
    const early = fault.takesEffect === true ? work() : undefined
    await this.hold(fault)
    if (fault.dropConnection === true || this.closing.aborted) return undefined
    return replaced(fault, early) ?? early ?? work()
  }
}
