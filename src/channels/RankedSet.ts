/**
 * A set that knows its lowest member: a binary heap in which each member knows its place, so that one whose rank has changed
 * is moved, and any one is removed, in time that grows with the logarithm of the size.
 * @internal
 */

export interface Ranked {
  /** The place in the heap; -1 outside. Written by the set alone. */
  rankedAt: number
}

export class RankedSet<A extends Ranked> {
  private readonly members: Array<A> = []
  private readonly isLower: (a: A, b: A) => boolean

  constructor(isLower: (a: A, b: A) => boolean) {
    this.isLower = isLower
  }

  get lowest(): A | undefined {
    return this.members[0]
  }

  get size(): number {
    return this.members.length
  }

  /** Adds a member, or moves it where its rank now belongs. */
  put(member: A): void {
    if (member.rankedAt === -1) {
      member.rankedAt = this.members.length
      this.members.push(member)
    }
    this.sink(this.rise(member))
  }

  /** Removes a member; one that is outside stays there. */
  remove(member: A): void {
    const at = member.rankedAt
    if (at === -1) return
    member.rankedAt = -1
    const last = this.members.pop()
    if (last === undefined || last === member) return
    this.place(last, at)
    this.sink(this.rise(last))
  }

  private place(member: A, at: number): void {
    this.members[at] = member
    member.rankedAt = at
  }

  private rise(member: A): A {
    let at = member.rankedAt
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = this.members[above]
      if (parent === undefined || !this.isLower(member, parent)) break
      this.place(parent, at)
      at = above
    }
    this.place(member, at)
    return member
  }

  private sink(member: A): void {
    let at = member.rankedAt
    while (true) {
      const child = this.lowerChild(at)
      if (child === undefined || !this.isLower(child, member)) break
      const below = child.rankedAt
      this.place(child, at)
      at = below
    }
    this.place(member, at)
  }

  private lowerChild(at: number): A | undefined {
    const left = this.members[2 * at + 1]
    const right = this.members[2 * at + 2]
    return left !== undefined && right !== undefined && this.isLower(right, left) ? right : left
  }
}
