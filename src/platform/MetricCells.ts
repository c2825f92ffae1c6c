/**
 * Counters and histograms for the way of a call: a plain number, or an array of them, which Effect's registry reads when somebody asks
 * for metrics. Finding a metric's series in the registry at each update would take several times as long as the update.
 */
import { type Context, Metric } from "effect"

const ignore = (): void => undefined

export interface CellOptions {
  readonly description: string
  readonly attributes?: Readonly<Record<string, string>>
}

/** A count that only grows. Of two cells of one name and the same labels the registry reads the later. */
export class CounterCell {
  private count = 0

  constructor(id: string, { attributes = {}, description }: CellOptions, context: Context.Context<never>) {
    const metric = Metric.counter(id, { description, incremental: true, attributes: { ...attributes } })
    Metric.registerUnsafe(metric, context, {
      get: () => ({ count: this.count, incremental: true }),
      update: ignore,
      modify: ignore
    })
  }

  /** `by`: zero or more. */
  add(by: number): void {
    this.count += by
  }
}

export class HistogramCell {
  private readonly boundaries: ReadonlyArray<number>
  /** One more than boundaries: what is above all of them. */
  private readonly counts: Float64Array
  private sum = 0
  private count = 0
  private min = Number.MAX_VALUE
  private max = -Number.MAX_VALUE

  /** `boundaries`: ascending; each belongs to the bucket below it. */
  constructor(
    id: string,
    boundaries: ReadonlyArray<number>,
    { attributes = {}, description }: CellOptions,
    context: Context.Context<never>
  ) {
    this.boundaries = boundaries
    this.counts = new Float64Array(boundaries.length + 1)
    const metric = Metric.histogram(id, { description, boundaries, attributes: { ...attributes } })
    Metric.registerUnsafe(metric, context, {
      get: () => ({ buckets: this.buckets(), count: this.count, min: this.min, max: this.max, sum: this.sum }),
      update: ignore,
      modify: ignore
    })
  }

  add(value: number): void {
    const { boundaries, counts } = this
    let bucket = 0
    while (bucket < boundaries.length && value > (boundaries[bucket] ?? Infinity)) bucket++
    counts[bucket] = (counts[bucket] ?? 0) + 1
    this.sum += value
    this.count++
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }

  /** Each boundary with how many values are not above it. */
  private buckets(): ReadonlyArray<[number, number]> {
    let below = 0
    return this.boundaries.map((boundary, bucket) => {
      below += this.counts[bucket] ?? 0
      return [boundary, below]
    })
  }
}
