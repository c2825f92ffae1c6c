/**
 * What a call costs, from the benchmarks that are kept in `docs/benchmarks`: a part for each batch and a part for each call, so that the
 * cost at any size of a batch follows.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"

/** Microseconds for a batch, and for each call in it. */
export interface BatchCost {
  readonly batchMicros: number
  readonly callMicros: number
}

export interface Costs {
  /** CPU of PostgreSQL for the journal: a batch of n calls has n reserves and n commits. */
  readonly postgres: BatchCost
  /** CPU of a runner's process, by the calls of a batch. */
  readonly node: BatchCost
  /** CPU of a runner for a frame of a stream. */
  readonly frameMicros: number
  /** CPU of PostgreSQL for a call whose account was not in memory, besides the journal. */
  readonly coldMicros: number
  /** Write-ahead log of a call. */
  readonly walBytes: number
}

/** A measured cost of a call in batches of so many calls. */
export interface Measured {
  readonly calls: number
  readonly micros: number
}

/** The two parts that fit what was measured best, each point by its relative error. */
export const fitted = (points: ReadonlyArray<Measured>): BatchCost => {
  // y = batch / n + call; divided by y, both sides are weighed alike.
  let [xx, xy, x1, yy, y1] = [0, 0, 0, 0, 0]
  for (const { calls, micros } of points) {
    const [x, y] = [1 / (calls * micros), 1 / micros]
    xx += x * x
    xy += x * y
    yy += y * y
    x1 += x
    y1 += y
  }
  const determinant = xx * yy - xy * xy
  return { batchMicros: (x1 * yy - y1 * xy) / determinant, callMicros: (xx * y1 - xy * x1) / determinant }
}

/** The cost of a call in batches of so many. */
export const callMicrosAt = ({ batchMicros, callMicros }: BatchCost, calls: number): number =>
  batchMicros / calls + callMicros

/** Of batches of 64 calls, until a whole run of the benchmarks has kept it: measured by `npm run bench -- --only journal`. */
const WAL_BYTES = 1_333

interface Results {
  readonly scenarios: ReadonlyArray<{
    readonly name: string
    readonly figures: ReadonlyArray<{ readonly what: string; readonly value: number }>
  }>
}

interface Growth {
  readonly curves: ReadonlyArray<{
    readonly name: string
    readonly points: ReadonlyArray<{
      readonly size: number
      readonly nodeMicros: number
      readonly databaseMicros: number
      readonly entriesPerBatch: number
    }>
  }>
}

const folder = join(import.meta.dirname, "../../docs/benchmarks")
const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"))

/** Entries of the journal that a call has: its reserve and its commit. */
export const ENTRIES_PER_CALL = 2

export const measuredCosts = (): Costs & { readonly journal: ReadonlyArray<Measured> } => {
  const results = read("results.json") as Results
  const { curves } = read("growth.json") as Growth
  const figure = (scenario: string, what: string): number | undefined =>
    results.scenarios.find(({ name }) => name === scenario)?.figures.find((one) => one.what === what)?.value
  const needed = (scenario: string, what: string): number => {
    const value = figure(scenario, what)
    if (value === undefined) throw new Error(`docs/benchmarks/results.json has no figure "${what}" of ${scenario}`)
    return value
  }
  const pointsOf = (curve: string) => curves.find(({ name }) => name === curve)?.points ?? []
  const journal = [1, 8, 64, 128].map((calls) => ({
    calls,
    micros: needed("journal", `batches of ${calls} reserves and commits: CPU of PostgreSQL for a call`)
  }))
  const node = pointsOf("connections").filter(({ entriesPerBatch }) => entriesPerBatch >= ENTRIES_PER_CALL).map((
    point
  ) => ({
    calls: point.entriesPerBatch / ENTRIES_PER_CALL,
    micros: point.nodeMicros
  }))
  const users = pointsOf("users")
  const [warm, cold] = [users.find(({ size }) => size === 10_000), users.find(({ size }) => size === 100_000)]
  return {
    journal,
    postgres: fitted(journal),
    node: fitted(node),
    frameMicros: needed("streams", "CPU for a relayed frame"),
    coldMicros: Math.max(0, (cold?.databaseMicros ?? 0) - (warm?.databaseMicros ?? 0)),
    walBytes: figure("journal", "batches of 64 reserves and commits: write-ahead log of a call") ?? WAL_BYTES
  }
}
