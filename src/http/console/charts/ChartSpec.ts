/**
 * What a chart shows, as plain data that a worker can be sent and a cache can compare. Values are for drawing only: whatever
 * is exact is in the table beside the chart.
 */

export interface ChartSpec {
  /** `days`: a bar for each of a row of days. `names`: bars of named things, the first on top. */
  readonly kind: "days" | "names"
  readonly labels: ReadonlyArray<string>
  /** USD. */
  readonly values: ReadonlyArray<number>
  /** Said in the middle when there is nothing to draw. */
  readonly emptyText: string
  readonly width: number
  readonly height: number
}

export type ChartTheme = "light" | "dark"

/** Points drawn, at most; more would be thinner than a pixel. */
export const POINTS_MAX = 400
