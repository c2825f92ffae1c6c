/**
 * Medians, percentiles and slopes of what was measured.
 */

/** The value below which a share of the values lies; 0 of none. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** A value with so many decimals. */
export const rounded = (value: number, decimals = 1): number => Number(value.toFixed(decimals))

/** How much y grows for each x, by least squares; 0 of fewer than two points. */
export const slopeOf = (points: ReadonlyArray<readonly [x: number, y: number]>): number => {
  const meanOf = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [meanOf(points.map(([x]) => x)), meanOf(points.map(([, y]) => y))]
  let [products, squares] = [0, 0]
  for (const [x, y] of points) {
    products += (x - meanX) * (y - meanY)
    squares += (x - meanX) ** 2
  }
  return squares === 0 ? 0 : products / squares
}
