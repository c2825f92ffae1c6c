/**
 * How much output each part of a response on /v1/responses has brought: text comes in deltas, again when its part is done, again
 * with its item, and again with the whole response. What was counted once is not counted again.
 *
 * @internal
 */

/** Parts and items of one stream that have a tally of their own, at most; the others share one. */
export const PARTS_MAX = 2048

class PartTally {
  /** Bytes counted, whatever brought them. */
  covered = 0
  /** Bytes that came as a whole. */
  private whole = 0

  /** `size` bytes came as a whole: how many of them are new. They are covered then. */
  lacking(size: number): number {
    this.whole += size
    const lacking = Math.min(Math.max(this.whole - this.covered, 0), size)
    this.covered += lacking
    return lacking
  }
}

class ItemTally extends PartTally {
  readonly parts = new Map<string, PartTally>()
}

export class ResponseParts {
  private readonly items = new Map<string, ItemTally>()
  private readonly otherItem = new ItemTally()
  private readonly otherPart = new PartTally()
  private known = 0
  private covered = 0
  /** The part that the last delta was for: the next one is mostly for the same. */
  private lastOutput = NaN
  private lastContent = NaN
  private lastItem: ItemTally | undefined
  private lastPart: PartTally | undefined

  /** `size` bytes of a delta. An index that the event lacks is -1; `content` tells content and summaries apart. */
  addDelta(item: string | number, content: number, size: number): void {
    if (item !== this.lastOutput || content !== this.lastContent || this.lastPart === undefined) {
      this.find(item, content)
    }
    if (this.lastPart !== undefined) this.lastPart.covered += size
    if (this.lastItem !== undefined) this.lastItem.covered += size
    this.covered += size
  }

  /** `size` bytes of a part that is done, under one of several names: how many the deltas lacked. */
  partLacking(item: string | number, content: number, name: string, size: number): number {
    const found = this.itemOf(String(item))
    const deltas = this.partOf(found, String(content))
    const named = this.partOf(found, `${content} ${name}`)
    named.covered = Math.max(named.covered, deltas.covered)
    const lacking = named.lacking(size)
    deltas.covered = Math.max(deltas.covered, named.covered)
    found.covered += lacking
    this.covered += lacking
    return lacking
  }

  /** `size` bytes of an item that is done: how many its parts lacked. */
  itemLacking(item: string | number, size: number): number {
    const lacking = this.itemOf(String(item)).lacking(size)
    this.covered += lacking
    return lacking
  }

  /** `size` bytes of the whole response: how many were never streamed. */
  responseLacking(size: number): number {
    const lacking = Math.max(size - this.covered, 0)
    this.covered += lacking
    return lacking
  }

  private find(item: string | number, content: number): void {
    this.lastOutput = typeof item === "number" ? item : NaN
    this.lastContent = content
    this.lastItem = this.itemOf(String(item))
    this.lastPart = this.partOf(this.lastItem, String(content))
  }

  private itemOf(key: string): ItemTally {
    let item = this.items.get(key)
    if (item === undefined) {
      if (this.known >= PARTS_MAX) return this.otherItem
      this.known++
      item = new ItemTally()
      this.items.set(key, item)
    }
    return item
  }

  private partOf(item: ItemTally, key: string): PartTally {
    let part = item.parts.get(key)
    if (part === undefined) {
      if (this.known >= PARTS_MAX) return this.otherPart
      this.known++
      part = new PartTally()
      item.parts.set(key, part)
    }
    return part
  }
}
