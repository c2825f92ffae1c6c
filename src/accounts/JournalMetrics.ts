/**
 * What the journal counts of its batches: how large they are, and how many did not go as decided.
 *
 * @internal
 */
import { Metric } from "effect"

export const batchSize = Metric.histogram("realms_journal_batch_entries", {
  description: "Entries written in one journal transaction",
  boundaries: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
})

export const plainRefused = Metric.counter("realms_journal_plain_refused_total", {
  description: "Batches that did not go as decided, and were written again whatever is in them",
  incremental: true
})
