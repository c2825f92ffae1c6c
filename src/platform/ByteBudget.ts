/**
 * Bounds the bytes of bodies in memory - of requests, or of answers -: of the process, and of one user. Small bodies are not
 * counted, up to a number for each user. Bytes count as they arrive, so that a body which is only announced takes nothing from others. A
 * body that waits for its client alone gives way where somebody with less needs the room.
 */
import type { UserId } from "../domain/Ids.ts"

export interface ByteBudgetLimits {
  /** Bytes of all counted bodies together. */
  readonly processBytesMax: number
  /** Bytes of one user's counted bodies together. */
  readonly userBytesMax: number
  /** A body up to this many bytes is not counted. */
  readonly freeBytes: number
  /** So many bodies of one user are not counted at once; what is small beside them is, too. */
  readonly freeBodiesMax?: number
}

/** Bodies of one user that are not counted: 64 MiB, where each may have 64 KiB. */
export const FREE_BODIES_MAX = 1_024

/**
 * The bounds of each of several processes on a machine, which share the bound of one. A user keeps their part of each process, no more, so
 * that none of them is full of one user's; that part has room for a body of `bodyBytesMax`, as far as it had alone.
 */
export const shareOf = (limits: ByteBudgetLimits, processes: number, bodyBytesMax: number): ByteBudgetLimits => {
  const userBytesMax = Math.max(
    Math.floor(limits.userBytesMax / processes),
    Math.min(limits.userBytesMax, bodyBytesMax)
  )
  return {
    ...limits,
    userBytesMax,
    processBytesMax: Math.floor(userBytesMax * (limits.processBytesMax / limits.userBytesMax))
  }
}

/** Whose bound more bytes would exceed. */
export type ByteRefusal = "process" | "user"

export class ByteBudget {
  readonly limits: ByteBudgetLimits
  private readonly byUser = new Map<UserId, number>()
  /** Bodies that may have to give way, the oldest first. */
  private readonly yielding = new Set<ByteShare>()
  /** Bodies that are not counted, by user. */
  private readonly freeByUser = new Map<UserId, number>()
  private bytes = 0

  constructor(limits: ByteBudgetLimits) {
    this.limits = limits
  }

  /** Bytes counted now. */
  get usedBytes(): number {
    return this.bytes
  }

  /** Starts to count a body. What it counts is given back by its `release`. */
  open(userId: UserId): ByteShare {
    return new ByteShare(this, userId)
  }

  /** Whether one more body of a user may go uncounted. */
  takeFree(userId: UserId): boolean {
    const own = this.freeByUser.get(userId) ?? 0
    if (own >= (this.limits.freeBodiesMax ?? FREE_BODIES_MAX)) return false
    this.freeByUser.set(userId, own + 1)
    return true
  }

  /** A body that went uncounted has ended, or is counted from now on. */
  giveFree(userId: UserId): void {
    const left = (this.freeByUser.get(userId) ?? 0) - 1
    if (left <= 0) this.freeByUser.delete(userId)
    else this.freeByUser.set(userId, left)
  }

  /** Takes bytes for a user; a refusal takes none. */
  take(userId: UserId, bytes: number): ByteRefusal | undefined {
    const own = this.byUser.get(userId) ?? 0
    if (own + bytes > this.limits.userBytesMax) return "user"
    if (!this.makesRoom(bytes, own + bytes)) return "process"
    this.byUser.set(userId, own + bytes)
    this.bytes += bytes
    return undefined
  }

  /**
   * Makes room for `bytes` of a user who then has `own`: one body after the other gives way, the oldest of the user who has the most, as
   * long as that user has more than `own`. False when there is still no room.
   */
  private makesRoom(bytes: number, own: number): boolean {
    while (this.bytes + bytes > this.limits.processBytesMax) {
      let most = own
      let next: ByteShare | undefined
      for (const share of this.yielding) {
        const has = this.byUser.get(share.userId) ?? 0
        if (has <= most) continue
        most = has
        next = share
      }
      if (next === undefined) return false
      next.giveWay()
    }
    return true
  }

  /** From now on the body may have to give way. */
  mayYield(share: ByteShare): void {
    this.yielding.add(share)
  }

  /** The body has ended. */
  ended(share: ByteShare): void {
    this.yielding.delete(share)
  }

  /** Gives bytes back that were taken for a user. */
  give(userId: UserId, bytes: number): void {
    const left = (this.byUser.get(userId) ?? 0) - bytes
    if (left <= 0) this.byUser.delete(userId)
    else this.byUser.set(userId, left)
    this.bytes -= bytes
  }
}

/** The bytes of one body. */
export class ByteShare {
  readonly userId: UserId
  private readonly budget: ByteBudget
  private total = 0
  private counted = 0
  private isFree = false
  private onGivenWay: (() => void) | undefined

  constructor(budget: ByteBudget, userId: UserId) {
    this.budget = budget
    this.userId = userId
  }

  /** Counts bytes that arrived. Once the body is no small one any more, its first bytes count too. */
  add(bytes: number): ByteRefusal | undefined {
    this.total += bytes
    if (this.goesFree()) return undefined
    const uncounted = this.total - this.counted
    const refusal = this.budget.take(this.userId, uncounted)
    if (refusal === undefined) this.counted += uncounted
    return refusal
  }

  /** Whether the body goes uncounted: it is small, and one of few. */
  private goesFree(): boolean {
    const isSmall = this.total <= this.budget.limits.freeBytes && this.counted === 0
    if (isSmall && !this.isFree) this.isFree = this.budget.takeFree(this.userId)
    else if (!isSmall) this.giveFree()
    return this.isFree
  }

  private giveFree(): void {
    if (this.isFree) this.budget.giveFree(this.userId)
    this.isFree = false
  }

  /** Nothing is done with the body any more but that its client takes it. `onGivenWay`: others needed the room, and it is to be let go of. */
  mayYield(onGivenWay: () => void): void {
    if (this.counted === 0) return
    this.onGivenWay = onGivenWay
    this.budget.mayYield(this)
  }

  /** Gives everything back, for others. */
  giveWay(): void {
    this.release()
    this.onGivenWay?.()
  }

  /** Gives everything back. Repeating it changes nothing. */
  readonly release = (): void => {
    this.budget.ended(this)
    this.giveFree()
    if (this.counted > 0) this.budget.give(this.userId, this.counted)
    this.counted = 0
    this.total = 0
  }
}
