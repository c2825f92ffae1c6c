/**
 * A map that holds at most so many entries: when a new one comes, the one that was least recently read or written goes.
 * It relies on JavaScript maps keeping the order of insertion.
 * @internal
 */
export class LruMap<K, V> {
  private readonly entries = new Map<K, V>()
  private readonly sizeMax: number
  /** The key that is last in the order. */
  private newest: K | undefined

  constructor(sizeMax: number) {
    this.sizeMax = sizeMax
  }

  get size(): number {
    return this.entries.size
  }

  get(key: K): V | undefined {
    const value = this.entries.get(key)
    // Keys are used in bursts: one that is last already stays there.
    if (value === undefined || key === this.newest) return value
    this.entries.delete(key)
    this.entries.set(key, value)
    this.newest = key
    return value
  }

  set(key: K, value: V): void {
    this.entries.delete(key)
    this.entries.set(key, value)
    this.newest = key
    if (this.entries.size <= this.sizeMax) return
    const oldest = this.entries.keys().next()
    if (oldest.done !== true) this.entries.delete(oldest.value)
  }

  delete(key: K): void {
    if (key === this.newest) this.newest = undefined
    this.entries.delete(key)
  }

  clear(): void {
    this.newest = undefined
    this.entries.clear()
  }
}
