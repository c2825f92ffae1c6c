/** What happens in a simulated world, in the order of its time; of two at one time the one that was added first. */
export type Happening = (atMicros: number) => void

interface Event {
  readonly atMicros: number
  readonly order: number
  readonly happen: Happening
}

const isBefore = (one: Event, other: Event): boolean =>
  one.atMicros < other.atMicros || (one.atMicros === other.atMicros && one.order < other.order)

export class EventQueue {
  /** A heap: none comes after those at twice its place. */
  private readonly heap: Array<Event> = []
  private added = 0

  add(atMicros: number, happen: Happening): void {
    const event = { atMicros, order: this.added++, happen }
    let place = this.heap.push(event) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.heap[above]
      if (parent === undefined || !isBefore(event, parent)) break
      this.heap[place] = parent
      place = above
    }
    this.heap[place] = event
  }

  private take(): Event | undefined {
    const first = this.heap[0]
    const last = this.heap.pop()
    if (last === undefined || this.heap.length === 0) return first
    let place = 0
    for (;;) {
      const left = place * 2 + 1
      const [one, other] = [this.heap[left], this.heap[left + 1]]
      if (one === undefined) break
      const [child, at] = other !== undefined && isBefore(other, one) ? [other, left + 1] : [one, left]
      if (!isBefore(child, last)) break
      this.heap[place] = child
      place = at
    }
    this.heap[place] = last
    return first
  }

  /** Lets all happen until a time. */
  runUntil(endMicros: number): void {
    for (let event = this.take(); event !== undefined && event.atMicros <= endMicros; event = this.take()) {
      event.happen(event.atMicros)
    }
  }
}
