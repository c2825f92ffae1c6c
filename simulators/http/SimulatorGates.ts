/**
 * How a test waits for a simulator and makes it wait: named gates that hold answers back until they are opened, and
 * conditions looked at whenever something changes. Nothing needs a sleep.
 */

interface Gate {
  isOpen: boolean
  readonly waiting: Set<() => void>
}

/** What a test is given of the gates. */
export interface GateControl {
  readonly open: (gate: string) => void
  readonly shut: (gate: string) => void
  /** How many requests wait at the gate. */
  readonly waiting: (gate: string) => number
  /** Resolves once the predicate holds; looked at whenever something changes. */
  readonly until: (predicate: () => boolean) => Promise<void>
}

export const gateControl = (gates: SimulatorGates): GateControl => ({
  open: (gate) => gates.open(gate),
  shut: (gate) => gates.shut(gate),
  waiting: (gate) => gates.waiting(gate),
  until: (predicate) => gates.until(predicate)
})

export class SimulatorGates {
  private readonly gates = new Map<string, Gate>()
  private readonly watchers = new Set<() => void>()

  /** Opens a gate for good, for those who wait and those who come. */
  open(name: string): void {
    const gate = this.gate(name)
    gate.isOpen = true
    for (const pass of gate.waiting) pass()
    gate.waiting.clear()
    this.changed()
  }

  /** Shuts a gate that was opened. */
  shut(name: string): void {
    this.gate(name).isOpen = false
  }

  /** How many requests wait at the gate. */
  waiting(name: string): number {
    return this.gates.get(name)?.waiting.size ?? 0
  }

  gateCounts(): { readonly [name: string]: number } {
    return Object.fromEntries([...this.gates].map(([name, gate]) => [name, gate.waiting.size]))
  }

  /** Calls `pass` when the gate is open, perhaps at once; answers how to stop waiting. */
  wait(name: string, pass: () => void): () => void {
    const gate = this.gate(name)
    if (gate.isOpen) {
      pass()
      return () => undefined
    }
    gate.waiting.add(pass)
    this.changed()
    return () => {
      if (gate.waiting.delete(pass)) this.changed()
    }
  }

  /** Resolves once `predicate` holds; looked at whenever something changes. */
  until(predicate: () => boolean): Promise<void> {
    if (predicate()) return Promise.resolve()
    return new Promise((resolve) => {
      const watch = () => {
        if (!predicate()) return
        this.watchers.delete(watch)
        resolve()
      }
      this.watchers.add(watch)
    })
  }

  /** To be called after any change that someone may wait for. */
  changed(): void {
    for (const watch of this.watchers) watch()
  }

  private gate(name: string): Gate {
    let gate = this.gates.get(name)
    if (gate === undefined) {
      gate = { isOpen: false, waiting: new Set() }
      this.gates.set(name, gate)
    }
    return gate
  }
}
