/**
 * The open reservations of this process and their leases. A tick renews those that are due, in one statement through the
 * journal; a reservation found no longer open is reported to its holder once.
 *
 * @internal
 */

interface Holder {
  readonly leaseSeconds: number
  readonly onLost: () => void
  dueMs: number
}

/** A lease is renewed when this part of it has passed. */
const RENEW_PART = 3

export class Leases {
  private readonly holders = new Map<string, Holder>()

  get size(): number {
    return this.holders.size
  }

  open(
    id: string,
    { leaseSeconds, nowMs, onLost }: {
      readonly leaseSeconds: number
      readonly nowMs: number
      readonly onLost: () => void
    }
  ): void {
    this.holders.set(id, { leaseSeconds, onLost, dueMs: nowMs + (leaseSeconds * 1_000) / RENEW_PART })
  }

  close(id: string): void {
    this.holders.delete(id)
  }

  /** The lease lengths, in seconds, of which something is due. */
  due(nowMs: number): ReadonlySet<number> {
    const lengths = new Set<number>()
    for (const holder of this.holders.values()) {
      if (holder.dueMs <= nowMs) lengths.add(holder.leaseSeconds)
    }
    return lengths
  }

  /** All lease lengths, in seconds. */
  lengths(): ReadonlySet<number> {
    return new Set(Array.from(this.holders.values(), (holder) => holder.leaseSeconds))
  }

  /** The reservations with leases of `leaseSeconds`. */
  ids(leaseSeconds: number): ReadonlyArray<string> {
    const ids: Array<string> = []
    for (const [id, holder] of this.holders) {
      if (holder.leaseSeconds === leaseSeconds) ids.push(id)
    }
    return ids
  }

  /** A renewal landed: `lost` are not open any more. */
  renewed(leaseSeconds: number, lost: ReadonlyArray<string>, nowMs: number): void {
    for (const holder of this.holders.values()) {
      if (holder.leaseSeconds === leaseSeconds) holder.dueMs = nowMs + (leaseSeconds * 1_000) / RENEW_PART
    }
    for (const id of lost) {
      const holder = this.holders.get(id)
      if (holder === undefined) continue
      this.holders.delete(id)
      holder.onLost()
    }
  }
}
