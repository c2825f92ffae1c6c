/**
 * Bounds the bytes of bodies in memory - of requests, or of answers -: of the process, and of one user. Small bodies are not
 * counted. Bytes count as they arrive, so that a body which is only announced takes nothing from others.
 */
import type { UserId } from "../domain/Ids.ts"

export interface ByteBudgetLimits {
  /** Bytes of all counted bodies together. */
  readonly processBytesMax: number
  /** Bytes of one user's counted bodies together. */
  readonly userBytesMax: number
  /** A body up to this many bytes is not counted. */
  readonly freeBytes: number
}

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

  /** Takes bytes for a user; a refusal changes nothing. */
  take(userId: UserId, bytes: number): ByteRefusal | undefined {
    const own = this.byUser.get(userId) ?? 0
    if (own + bytes > this.limits.userBytesMax) return "user"
    if (this.bytes + bytes > this.limits.processBytesMax) return "process"
    this.byUser.set(userId, own + bytes)
    this.bytes += bytes
    return undefined
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
  private readonly budget: ByteBudget
  private readonly userId: UserId
  private total = 0
  private counted = 0

  constructor(budget: ByteBudget, userId: UserId) {
    this.budget = budget
    this.userId = userId
  }

  /** Counts bytes that arrived. Once the body is no small one any more, its first bytes count too. */
  add(bytes: number): ByteRefusal | undefined {
    this.total += bytes
    if (this.total <= this.budget.limits.freeBytes) return undefined
    const uncounted = this.total - this.counted
    const refusal = this.budget.take(this.userId, uncounted)
    if (refusal === undefined) this.counted += uncounted
    return refusal
  }

  /** Gives everything back. Repeating it changes nothing. */
  readonly release = (): void => {
    if (this.counted > 0) this.budget.give(this.userId, this.counted)
    this.counted = 0
    this.total = 0
  }
}
