/**
 * Medians and percentiles of what was measured.
 */

/** The value below which a share of the values lies; 0 of none. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** A value with so many decimals. */
export const rounded = (value: number, decimals = 1): number => Number(value.toFixed(decimals))
