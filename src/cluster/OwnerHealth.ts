/**
 * Which runners answer when they are asked about the accounts that they own. One that was silent is not asked for a while; then a
 * single question probes it, and the others still do without it.
 */

/** A runner that was silent is not asked for so long, in milliseconds. */
export const SILENT_MS = 3_000

interface Silence {
  untilMs: number
  probing: boolean
}

export class OwnerHealth {
  /** The runner that a message about a shard went to last. Bounded by the number of shards. */
  private readonly owners = new Map<string, string>()
  /** Silent runners, and shards that nobody owns. */
  private readonly silences = new Map<string, Silence>()

  private keyOf(shard: string): string {
    return this.owners.get(shard) ?? shard
  }

  /** A message about a shard goes to a runner. */
  sent(shard: string, runner: string): void {
    this.owners.set(shard, runner)
  }

  /** Whether the owner of a shard may be asked now. Of those who ask about a silent one, the first after a while may. */
  mayAsk(shard: string, nowMs: number): boolean {
    const silence = this.silences.get(this.keyOf(shard))
    if (silence === undefined) return true
    if (nowMs < silence.untilMs || silence.probing) return false
    silence.probing = true
    return true
  }

  answered(shard: string): void {
    if (this.silences.size === 0) return
    this.silences.delete(shard)
    this.silences.delete(this.keyOf(shard))
  }

  silent(shard: string, nowMs: number): void {
    this.silences.set(this.keyOf(shard), { untilMs: nowMs + SILENT_MS, probing: false })
  }
}
