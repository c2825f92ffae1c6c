/**
 * What the journal counts of its batches: how large they are, and how many did not go as decided.
 *
 * @internal
 */
import { Context, Metric } from "effect"

export const batchSize = Metric.histogram("realms_journal_batch_entries", {
  description: "Entries written in one journal transaction",
  boundaries: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
})

export const plainRefused = Metric.counter("realms_journal_plain_refused_total", {
  description: "Batches that did not go as decided, and were written again whatever is in them",
  incremental: true
})

const observe = (
  metric: Metric.Gauge<number>,
  read: () => number
): void => {
  const ignore = (): void => undefined
  Metric.registerUnsafe(metric, Context.empty(), { get: () => ({ value: read() }), update: ignore, modify: ignore })
}

/** Has what waits for a writer of the journal read when metrics are asked for. */
export const observeLane = (
  lane: string,
  read: { readonly queued: () => number; readonly sent: () => number }
): void => {
  plainRefused.updateUnsafe(0, Context.empty())
  observe(
    Metric.gauge("realms_journal_queue_entries", {
      description: "Entries that wait to be written by the journal",
      attributes: { lane }
    }),
    read.queued
  )
  observe(
    Metric.gauge("realms_journal_batches_sent", {
      description: "Batches of the journal that wait for the database",
      attributes: { lane }
    }),
    read.sent
  )
}

/** Has the number of accounts in memory read when metrics are asked for. */
export const observeResidents = (read: () => number): void =>
  observe(Metric.gauge("realms_accounts_resident", { description: "Accounts in memory" }), read)
