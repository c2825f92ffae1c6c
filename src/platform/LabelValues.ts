/**
 * The values of one label of metrics, bounded: names that people make, and that change over months, must not fill the memory of this
 * process and of who collects its metrics.
 */

/** What all further values are counted as. */
export const OTHER = "other"

export class LabelValues {
  private readonly known = new Set<string>()
  private readonly max: number

  /** `max`: values that have series of their own. */
  constructor(max: number) {
    this.max = max
  }

  /** The value itself, or `other` once there are too many. */
  of(value: string): string {
    if (this.known.has(value)) return value
    if (this.known.size >= this.max) return OTHER
    this.known.add(value)
    return value
  }
}
