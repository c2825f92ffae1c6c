/**
 * The largest of each count that an upstream reports, over all usage objects, frames and names. Upstreams repeat usage, grow it
 * from frame to frame, or send zeros at last; the largest is right in each case. Only the counts are kept.
 */
import { isObject, type JsonObject } from "../JsonValue.ts"
import { type UsageCount, usageCountOf } from "./UsageNames.ts"

/** Counts in tokens; undefined when it was not reported, or was no count. */
export type UsageCounts = { readonly [count in UsageCount]?: number }

/** Details are nested so deep in a usage object. */
const NESTING_MAX = 4

/** A usage object has no more members, details included. */
const MEMBERS_MAX = 512

/**
 * A whole number of tokens that is not negative, or text that spells one. Anything else is undefined: missing, not zero.
 * However large the number is, it is kept: what is possible is for the call's bounds to say.
 */
export function tokenCount(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\s*\+?\d+(?:\.0*)?\s*$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : undefined
}

export class UsageTally {
  private readonly largest: { [count in UsageCount]?: number } = {}
  private members = 0

  /** The largest counts so far. */
  get counts(): UsageCounts {
    return this.largest
  }

  /**
   * Adds the counts of one usage object, whatever it is. True when it reports at least as much output as was known: it
   * covers all output so far.
   */
  add(usage: unknown): boolean {
    if (!isObject(usage)) return false
    const known = this.largest.output ?? 0
    this.members = 0
    return (this.addObject(usage, 1) ?? -1) >= known
  }

  /** The largest output count in `object`. */
  private addObject(object: JsonObject, depth: number): number | undefined {
    let output: number | undefined
    for (const name of Object.keys(object)) {
      if (++this.members > MEMBERS_MAX) break
      const value = object[name]
      if (isObject(value)) {
        const inner = depth < NESTING_MAX ? this.addObject(value, depth + 1) : undefined
        if (inner !== undefined) output = Math.max(output ?? 0, inner)
        continue
      }
      const count = usageCountOf(name)
      const tokens = count === undefined ? undefined : tokenCount(value)
      if (count === undefined || tokens === undefined) continue
      this.largest[count] = Math.max(this.largest[count] ?? 0, tokens)
      if (count === "output") output = Math.max(output ?? 0, tokens)
    }
    return output
  }
}
