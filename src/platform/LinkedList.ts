/**
 * A list that gives its first value, takes a new last one and loses any one in constant time, for queues that people leave
 * from the middle.
 */

/** Where a value is in its list. */
export interface Link<A> {
  readonly value: A
  before: Link<A> | undefined
  after: Link<A> | undefined
}

export class LinkedList<A> {
  first: Link<A> | undefined
  size = 0
  private last: Link<A> | undefined

  /** Puts a value behind all others; the link is what it is removed by. */
  push(value: A): Link<A> {
    const link: Link<A> = { value, before: this.last, after: undefined }
    if (this.last === undefined) this.first = link
    else this.last.after = link
    this.last = link
    this.size++
    return link
  }

  /** Takes out a link of this list, once. */
  remove(link: Link<A>): void {
    if (link.before === undefined) this.first = link.after
    else link.before.after = link.after
    if (link.after === undefined) this.last = link.before
    else link.after.before = link.before
    this.size--
  }
}
