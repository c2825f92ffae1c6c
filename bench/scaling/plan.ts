/**
 * How many runners and how much PostgreSQL so many calls a second need, by the simulation: servers of PostgreSQL are added until each
 * stays within what is asked of it.
 */
import { callMicrosAt, type Costs, ENTRIES_PER_CALL } from "./costs.ts"
import { type Outcome, simulate, type World } from "./simulate.ts"

export interface Assumptions {
  /** Of a core of a runner, that is used. */
  readonly nodeBusyShare: number
  /** Of PostgreSQL's cores, that are busy at most. */
  readonly postgresBusyShare: number
  /** Of one server of PostgreSQL. */
  readonly postgresCoresMax: number
  /** That a call waits for the journal at most, for 99 of 100. */
  readonly holdP99MsMax: number
  /** Of log that one server writes and sends on. */
  readonly walMegabytesPerSecondMax: number
  readonly flushMicros: number
  readonly networkMicros: number
  /** That a journal waits for more: nothing, but for a question of what it would save. */
  readonly lingerMicros: number
  /** Runners that write through one journal: 1, but for such a question. */
  readonly runnersPerJournal: number
  /** Of calls, whose account is not in memory. */
  readonly coldShare: number
  readonly usersPerPostgres: number
  /** Entries that one simulation has, about: enough for its 99th percentile. */
  readonly entries: number
  readonly seed: number
}

/** Not measured: what is typical of servers in one data centre with flash disks. */
export const assumptions: Assumptions = {
  nodeBusyShare: 0.7,
  postgresBusyShare: 0.7,
  postgresCoresMax: 32,
  holdP99MsMax: 25,
  walMegabytesPerSecondMax: 300,
  flushMicros: 500,
  networkMicros: 300,
  lingerMicros: 0,
  runnersPerJournal: 1,
  coldShare: 0.02,
  usersPerPostgres: 1_000_000,
  entries: 60_000,
  seed: 16
}

export interface Workload {
  readonly name: string
  /** Frames of a call's answer; 0: it is not streamed. */
  readonly frames: number
}

const SECONDS_MIN = 0.1
const SECONDS_MAX = 4

/** At the end of a simulation that keeps up, less than this share of the entries waits. */
const LEFT_SHARE_MAX = 0.1

/** How runners and servers of PostgreSQL belong together. */
export type Layout = "cells" | "all to all"

export interface Plan {
  readonly callsPerSecond: number
  readonly runners: number
  readonly servers: number
  /** Of each server: the fewest of those that are sold. */
  readonly coresEach: number
  readonly walMegabytesPerSecond: number
  readonly nodeMicros: number
  readonly outcome: Outcome
}

const worldOf = (costs: Costs, callsPerSecond: number, runners: number, cores: number, given: Assumptions): World => ({
  callsPerSecond,
  runners,
  cores,
  cost: costs.postgres,
  otherMicros: given.coldShare * costs.coldMicros,
  flushMicros: given.flushMicros,
  networkMicros: given.networkMicros,
  lingerMicros: given.lingerMicros,
  users: given.usersPerPostgres,
  keysStay: true,
  seconds: Math.min(SECONDS_MAX, Math.max(SECONDS_MIN, given.entries / (callsPerSecond * ENTRIES_PER_CALL))),
  seed: given.seed
})

export const keepsUp = ({ entries, left, p99Ms }: Outcome, given: Assumptions): boolean =>
  left <= entries * LEFT_SHARE_MAX && p99Ms <= given.holdP99MsMax

/** CPU of a runner for a call of a workload, where batches have so many calls. */
const nodeMicrosOf = (costs: Costs, { frames }: Workload, callsPerBatch: number): number =>
  callMicrosAt(costs.node, Math.max(1, callsPerBatch)) + frames * costs.frameMicros

const runnersFor = (callsPerSecond: number, nodeMicros: number, given: Assumptions): number =>
  Math.max(1, Math.ceil((callsPerSecond * nodeMicros) / 1_000_000 / given.nodeBusyShare))

/** Runners and batches depend on one another: guessed, then corrected so often. */
const CORRECTIONS = 3

interface Asked {
  readonly costs: Costs
  readonly workload: Workload
  /** That come to each server. */
  readonly callsPerSecond: number
  readonly cores: number
  readonly servers: number
  readonly layout: Layout
  readonly given: Assumptions
}

/** One of several servers of PostgreSQL, to which so many calls come, and the runners of all of them. */
const settle = ({ callsPerSecond, cores, costs, given, layout, servers, workload }: Asked) => {
  let callsPerBatch = 8
  for (let correction = 0;; correction++) {
    const nodeMicros = nodeMicrosOf(costs, workload, callsPerBatch)
    const runners = runnersFor(callsPerSecond * servers, nodeMicros, given)
    const beside = layout === "cells" ? Math.ceil(runners / servers) : runners
    const journals = Math.ceil(beside / given.runnersPerJournal)
    const outcome = simulate(worldOf(costs, callsPerSecond, journals, cores, given))
    callsPerBatch = outcome.entriesPerBatch / ENTRIES_PER_CALL
    if (correction === CORRECTIONS) {
      return { runners: layout === "cells" ? beside * servers : runners, nodeMicros, outcome }
    }
  }
}

/** Cores that servers are sold with. */
const coresSold = [1, 2, 4, 8, 16, 32, 64, 128]

const SERVERS_MAX = 256

/** The fewest servers of PostgreSQL that keep up, and the fewest cores of each. */
export const planFor = (
  costs: Costs,
  workload: Workload,
  callsPerSecond: number,
  given: Assumptions,
  layout: Layout = "cells"
): Plan | undefined => {
  const fits = (servers: number, cores: number) => {
    const found = settle({ costs, workload, callsPerSecond: callsPerSecond / servers, cores, servers, layout, given })
    const isWithin = keepsUp(found.outcome, given) && found.outcome.coresBusy <= cores * given.postgresBusyShare
    return isWithin ? found : undefined
  }
  const walOf = (servers: number) => (callsPerSecond / servers) * costs.walBytes / 1_000_000
  const largest = Math.max(...coresSold.filter((cores) => cores <= given.postgresCoresMax))
  let servers = Math.max(1, Math.ceil(walOf(1) / given.walMegabytesPerSecondMax))
  while (servers <= SERVERS_MAX && fits(servers, largest) === undefined) servers = Math.ceil(servers * 1.25)
  for (const cores of coresSold.filter((sold) => sold <= largest)) {
    const found = fits(servers, cores)
    if (found === undefined) continue
    return { callsPerSecond, servers, coresEach: cores, walMegabytesPerSecond: walOf(servers), ...found }
  }
  return undefined
}

const SEARCH_STEPS = 7

/** The most calls a second that one server of so many cores takes, and what limits it. */
export const endOf = (costs: Costs, workload: Workload, cores: number, given: Assumptions) => {
  const at = (callsPerSecond: number) => {
    const found = settle({ costs, workload, callsPerSecond, cores, servers: 1, layout: "cells", given })
    const walMegabytes = callsPerSecond * costs.walBytes / 1_000_000
    const limit = !keepsUp(found.outcome, given)
      ? "calls wait"
      : found.outcome.coresBusy > cores * given.postgresBusyShare
      ? "CPU"
      : walMegabytes > given.walMegabytesPerSecondMax
      ? "log"
      : undefined
    return { callsPerSecond, walMegabytes, limit, ...found }
  }
  let high = at(1_000)
  let low = high
  while (high.limit === undefined) {
    low = high
    high = at(high.callsPerSecond * 2)
  }
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const middle = at(Math.round((low.callsPerSecond + high.callsPerSecond) / 2))
    if (middle.limit === undefined) low = middle
    else high = middle
  }
  return { ...low, limit: high.limit ?? "none" }
}
