/**
 * A gauge with labels whose values come and go: each round says what there is now, and what is not there any more is removed.
 *
 * @internal
 */
import { type Context, Metric } from "effect"

export type Labels = Readonly<Record<string, string>>

export class GaugeFamily {
  private readonly id: string
  private readonly description: string
  private series = new Map<string, Metric.Gauge<number>>()

  constructor(id: string, description: string) {
    this.id = id
    this.description = description
  }

  /** What there is now; of equal labels the last counts. */
  set(entries: Iterable<readonly [labels: Labels, value: number]>, context: Context.Context<never>): void {
    const now = new Map<string, Metric.Gauge<number>>()
    for (const [labels, value] of entries) {
      const key = JSON.stringify(labels)
      const gauge = this.series.get(key) ??
        Metric.gauge(this.id, { description: this.description, attributes: { ...labels } })
      gauge.updateUnsafe(value, context)
      now.set(key, gauge)
    }
    for (const [key, gauge] of this.series) if (!now.has(key)) Metric.removeUnsafe(gauge, context)
    this.series = now
  }
}
