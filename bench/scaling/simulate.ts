/**
 * Group commit under load, event by event: runners whose journals queue entries and write them in batches, one PostgreSQL with some
 * cores, locks on the rows of users, and one write-ahead log whose flush serves all who wait. The same seed gives the same run.
 *
 * What it follows of the journal (`src/accounts/JournalLane.ts`): a runner has one connection, so PostgreSQL works at one of its batches
 * at a time, in their order; while a batch is under way the next one fills; one that is well filled is sent before the answers of those
 * ahead of it, up to four.
 */
import { type BatchCost, ENTRIES_PER_CALL } from "./costs.ts"
import { EventQueue } from "./EventQueue.ts"
import { seeded } from "./random.ts"

export interface World {
  readonly callsPerSecond: number
  readonly runners: number
  /** Of PostgreSQL. */
  readonly cores: number
  readonly cost: BatchCost
  /** CPU of PostgreSQL for each call outside the journal: accounts that are read, reports, pages. */
  readonly otherMicros: number
  /** How long a flush of the log takes. */
  readonly flushMicros: number
  /** From a runner to PostgreSQL and back. */
  readonly networkMicros: number
  /** How long a journal waits for more before it sends what it has. The real one does not wait: 0. */
  readonly lingerMicros: number
  readonly users: number
  /** Each user's calls come to one runner; else to any. */
  readonly keysStay: boolean
  readonly seconds: number
  readonly seed: number
}

export interface Outcome {
  readonly entries: number
  /** Written within the time, and those that were queued or on their way at its end. */
  readonly written: number
  readonly left: number
  readonly entriesPerBatch: number
  /** Of PostgreSQL that were busy, on average. */
  readonly coresBusy: number
  readonly flushesPerSecond: number
  /** From an entry's arrival until its runner has heard that it is durable. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the batches, those that waited for a lock. */
  readonly lockedShare: number
}

/** As in the journal's lane. */
const BATCH_ENTRIES_MAX = 512
const PIPELINED_ENTRIES_MIN = 32
const BATCHES_MAX = 4

/** Latencies that are kept, at most: every so many is one. */
const SAMPLES_MAX = 200_000

interface Entry {
  readonly atMicros: number
  readonly user: number
}

interface Batch {
  readonly runner: Runner
  readonly entries: ReadonlyArray<Entry>
  readonly users: ReadonlyArray<number>
  /** Of its users, those whose rows it has locked. */
  locked: number
  waited: boolean
}

interface Runner {
  queue: Array<Entry>
  /** Sent and not yet answered. */
  sent: number
  /** It will look again when its oldest entry has waited. */
  lingers: boolean
  /** With PostgreSQL; the first is under way. */
  readonly given: Array<Batch>
}

export const simulate = (world: World): Outcome => {
  const random = seeded(world.seed)
  const endMicros = world.seconds * 1_000_000
  const entryMicros = world.cost.callMicros / ENTRIES_PER_CALL
  const otherMicros = world.otherMicros / ENTRIES_PER_CALL
  const events = new EventQueue()
  const runners = Array.from(
    { length: world.runners },
    (): Runner => ({ queue: [], sent: 0, lingers: false, given: [] })
  )
  const locks = new Map<number, Array<Batch>>()
  const ready: Array<Batch> = []
  let flushing = false
  let toFlush: Array<Batch> = []
  let coresFree = world.cores
  let [entries, written, batches, waited, flushes, busyMicros] = [0, 0, 0, 0, 0, 0]
  const latencies: Array<number> = []
  const onTheWay = new Set<Batch>()
  const every = Math.max(1, Math.ceil((world.callsPerSecond * ENTRIES_PER_CALL * world.seconds) / SAMPLES_MAX))

  /**
   * Takes the locks of a batch, in the order of users, and keeps what it has while it waits for the next, as PostgreSQL does: so no two wait
   * for each other. True when it has all.
   */
  const lock = (batch: Batch): boolean => {
    for (; batch.locked < batch.users.length; batch.locked++) {
      const user = batch.users[batch.locked] ?? 0
      const waiting = locks.get(user)
      if (waiting !== undefined) {
        waiting.push(batch)
        batch.waited = true
        return false
      }
      locks.set(user, [])
    }
    return true
  }

  /** Gives a lock to the first that waits for it. */
  const release = (user: number, nowMicros: number): void => {
    const waiting = locks.get(user) ?? []
    const next = waiting.shift()
    if (next === undefined) {
      locks.delete(user)
      return
    }
    next.locked++
    begin(next, nowMicros)
  }

  const work = (nowMicros: number): void => {
    while (coresFree > 0) {
      const batch = ready.shift()
      if (batch === undefined) return
      coresFree--
      const micros = world.cost.batchMicros + batch.entries.length * (entryMicros + otherMicros)
      busyMicros += Math.min(micros, Math.max(0, endMicros - nowMicros))
      events.add(nowMicros + micros, (doneMicros) => {
        coresFree++
        toFlush.push(batch)
        flush(doneMicros)
        work(doneMicros)
      })
    }
  }

  const begin = (batch: Batch, nowMicros: number): void => {
    if (!lock(batch)) return
    ready.push(batch)
    work(nowMicros)
  }

  const flush = (nowMicros: number): void => {
    if (flushing || toFlush.length === 0) return
    flushing = true
    flushes++
    const flushed = toFlush
    toFlush = []
    events.add(nowMicros + world.flushMicros, (doneMicros) => {
      flushing = false
      for (const batch of flushed) commit(batch, doneMicros)
      flush(doneMicros)
    })
  }

  const commit = (batch: Batch, nowMicros: number): void => {
    batches++
    if (batch.waited) waited++
    for (const user of batch.users) release(user, nowMicros)
    const { given } = batch.runner
    given.shift()
    const next = given[0]
    if (next !== undefined) begin(next, nowMicros)
    events.add(nowMicros + world.networkMicros / 2, (heardMicros) => {
      for (const { atMicros } of batch.entries) {
        if (written++ % every === 0) latencies.push(heardMicros - atMicros)
      }
      onTheWay.delete(batch)
      batch.runner.sent--
      send(batch.runner, heardMicros)
    })
  }

  const send = (runner: Runner, nowMicros: number): void => {
    const [oldest] = runner.queue
    const mayPipeline = runner.queue.length >= PIPELINED_ENTRIES_MIN && runner.sent < BATCHES_MAX
    if (oldest === undefined || (runner.sent > 0 && !mayPipeline)) return
    const dueMicros = oldest.atMicros + world.lingerMicros
    if (dueMicros > nowMicros && runner.queue.length < PIPELINED_ENTRIES_MIN) {
      if (!runner.lingers) {
        events.add(dueMicros, (atMicros) => {
          runner.lingers = false
          send(runner, atMicros)
        })
      }
      runner.lingers = true
      return
    }
    const taken = runner.queue.slice(0, BATCH_ENTRIES_MAX)
    runner.queue = runner.queue.slice(BATCH_ENTRIES_MAX)
    runner.sent++
    const users = [...new Set(taken.map(({ user }) => user))].toSorted((one, other) => one - other)
    const batch: Batch = { runner, entries: taken, users, locked: 0, waited: false }
    onTheWay.add(batch)
    events.add(nowMicros + world.networkMicros / 2, (thereMicros) => {
      runner.given.push(batch)
      if (runner.given.length === 1) begin(batch, thereMicros)
    })
  }

  const gapMicros = 1_000_000 / (world.callsPerSecond * ENTRIES_PER_CALL)
  const arrive = (nowMicros: number): void => {
    const user = Math.floor(random() * world.users)
    const index = world.keysStay ? user % world.runners : Math.floor(random() * world.runners)
    const runner = runners[index]
    if (runner !== undefined) {
      entries++
      runner.queue.push({ atMicros: nowMicros, user })
      send(runner, nowMicros)
    }
    const nextMicros = nowMicros - Math.log(1 - random()) * gapMicros
    if (nextMicros < endMicros) events.add(nextMicros, arrive)
  }

  events.add(0, arrive)
  events.runUntil(endMicros)
  let left = runners.reduce((sum, { queue }) => sum + queue.length, 0)
  for (const batch of onTheWay) left += batch.entries.length
  const sorted = Float64Array.from(latencies).sort()
  const quantileMs = (share: number): number =>
    (sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY) / 1_000
  return {
    entries,
    written,
    left,
    entriesPerBatch: batches === 0 ? 0 : written / batches,
    coresBusy: busyMicros / endMicros,
    flushesPerSecond: flushes / world.seconds,
    p50Ms: quantileMs(0.5),
    p99Ms: quantileMs(0.99),
    lockedShare: batches === 0 ? 0 : waited / batches
  }
}
