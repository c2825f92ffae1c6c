/**
 * Which runners answer when they are asked about the accounts that they own. One that was silent is not asked for a while; then a
 * single question probes it, and the others still do without it.
 */

/** A runner that was silent is not asked for so long, in milliseconds. */
export const SILENT_MS = 3_000

export class OwnerHealth {
  /** The runner that a message about a shard went to last. Bounded by the number of shards. */
  private readonly owners = new Map<string, string>()
  /** Until when a silent runner, or a shard that nobody owns, is not asked. */
  private readonly silentUntilMs = new Map<string, number>()

  private keyOf(shard: string): string {
    return this.owners.get(shard) ?? shard
  }

  /** A message about a shard goes to a runner. One that has lost a shard to it is forgotten: it may have lost them all. */
  sent(shard: string, runner: string): void {
    const before = this.owners.get(shard)
    if (before === runner) return
    this.owners.set(shard, runner)
    if (before === undefined) return
    this.silentUntilMs.delete(before)
    for (const [other, owner] of this.owners) if (owner === before) this.owners.delete(other)
  }

  /** Whether the owner of a shard may be asked now. Of those who ask about a silent one, the first after a while may. */
  mayAsk(shard: string, nowMs: number): boolean {
    const key = this.keyOf(shard)
    const untilMs = this.silentUntilMs.get(key)
    if (untilMs === undefined) return true
    if (nowMs < untilMs) return false
    this.silentUntilMs.set(key, nowMs + SILENT_MS)
    return true
  }

  answered(shard: string): void {
    if (this.silentUntilMs.size === 0) return
    this.silentUntilMs.delete(shard)
    this.silentUntilMs.delete(this.keyOf(shard))
  }

  silent(shard: string, nowMs: number): void {
    this.silentUntilMs.set(this.keyOf(shard), nowMs + SILENT_MS)
  }
}
