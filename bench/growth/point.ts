/**
 * One point of a curve: what calls take and cost at one size, the medians of some rounds after a warm-up.
 */
import { cpus } from "node:os"
import { cpuMicros, descendantsCpuMicros } from "../processes.ts"
import type { Realms } from "../servers.ts"
import { median, rounded } from "../statistics.ts"
import { type Load, load } from "../wrk.ts"

export interface Point {
  /** The size: connections, users, rows, bytes. */
  readonly size: number
  readonly callsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time that a call takes, in microseconds. */
  readonly nodeMicros: number
  readonly databaseMicros: number
  /** Cores that the server and its database use, on average. */
  readonly nodeCores: number
  readonly databaseCores: number
  /** How much of the whole machine is used, load generator and upstream included: 0 to 1. */
  readonly busyShare: number
  /** Entries of the journal in a batch; 0: it wrote none. */
  readonly entriesPerBatch: number
  readonly failed: number
  /** Calls a second of each round. */
  readonly rounds: ReadonlyArray<number>
}

/** A round: its figures, each a number that a median is taken of. */
type Round = Omit<Point, "size" | "rounds">

export interface Measured {
  readonly realms: Realms
  readonly load: Omit<Load, "origin" | "seconds">
  readonly size: number
  readonly isQuick: boolean
  /** Warms up for this long instead of the usual, with as many connections as compile the way of a call soon. */
  readonly warmUpSeconds?: number
}

/** Ticks of all cores of the machine so far: of work, and in all. */
const machineTicks = (): { readonly busy: number; readonly all: number } => {
  let [busy, all] = [0, 0]
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.idle + times.irq
    all += sum
    busy += sum - times.idle
  }
  return { busy, all }
}

/** Batches that the journal has written so far, and their entries. */
const batchesOf = async (origin: string): Promise<{ readonly batches: number; readonly entries: number }> => {
  const text = await (await fetch(`${origin}/metrics`)).text()
  const last = (name: string): number =>
    Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text)?.[1] ?? 0)
  return { batches: last("realms_journal_batch_entries_count"), entries: last("realms_journal_batch_entries_sum") }
}

const roundOf = async (realms: Realms, asked: Load): Promise<Round> => {
  const pid = realms.child.pid ?? 0
  const [written, node, database, machine] = [
    await batchesOf(realms.origin),
    cpuMicros(pid),
    descendantsCpuMicros(pid),
    machineTicks()
  ]
  const startedMs = performance.now()
  const { calls, callsPerSecond, failed, p50Ms, p99Ms } = await load(asked)
  if (calls === 0) throw new Error(`none of the calls by ${asked.connections} connections ended in ${asked.seconds} s`)
  const micros = (performance.now() - startedMs) * 1_000
  const [nodeMicros, databaseMicros, now] = [
    cpuMicros(pid) - node,
    descendantsCpuMicros(pid) - database,
    machineTicks()
  ]
  const { batches, entries } = await batchesOf(realms.origin)
  return {
    callsPerSecond,
    p50Ms,
    p99Ms,
    nodeMicros: nodeMicros / calls,
    databaseMicros: databaseMicros / calls,
    nodeCores: nodeMicros / micros,
    databaseCores: databaseMicros / micros,
    busyShare: (now.busy - machine.busy) / Math.max(1, now.all - machine.all),
    entriesPerBatch: batches === written.batches ? 0 : (entries - written.entries) / (batches - written.batches),
    failed
  }
}

const WARM_UP_CONNECTIONS = 64

/** Measures one point. Each round goes on with the key after that of the last call before it. */
export const measurePoint = async ({ isQuick, load: asked, realms, size, warmUpSeconds }: Measured): Promise<Point> => {
  const [count, seconds, warmUp] = isQuick ? [1, 1, 1] : [3, 5, 3]
  const whole: Load = { ...asked, origin: realms.origin, seconds }
  const warm = warmUpSeconds === undefined
    ? whole
    : { ...whole, connections: Math.max(whole.connections, WARM_UP_CONNECTIONS) }
  let called = (await load({ ...warm, seconds: warmUpSeconds ?? warmUp })).calls
  const rounds: Array<Round> = []
  for (let round = 0; round < count; round++) {
    const measured = await roundOf(realms, { ...whole, firstKey: called % whole.keys.length })
    called += Math.round(measured.callsPerSecond * seconds)
    rounds.push(measured)
  }
  const of = (figure: (round: Round) => number, decimals: number) => rounded(median(rounds.map(figure)), decimals)
  return {
    size,
    callsPerSecond: of(({ callsPerSecond }) => callsPerSecond, 0),
    p50Ms: of(({ p50Ms }) => p50Ms, 2),
    p99Ms: of(({ p99Ms }) => p99Ms, 2),
    nodeMicros: of(({ nodeMicros }) => nodeMicros, 1),
    databaseMicros: of(({ databaseMicros }) => databaseMicros, 1),
    nodeCores: of(({ nodeCores }) => nodeCores, 2),
    databaseCores: of(({ databaseCores }) => databaseCores, 2),
    busyShare: of(({ busyShare }) => busyShare, 2),
    entriesPerBatch: of(({ entriesPerBatch }) => entriesPerBatch, 1),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    rounds: rounds.map(({ callsPerSecond }) => Math.round(callsPerSecond))
  }
}

/** The seconds in which so many users are each called once, as fast as a second of calls has shown; at most two minutes. */
export const secondsForAll = async (realms: Realms, asked: Measured["load"], users: number): Promise<number> => {
  const { callsPerSecond } = await load({ ...asked, origin: realms.origin, seconds: 1 })
  return Math.min(SECONDS_FOR_ALL_MAX, Math.ceil((users * MARGIN) / Math.max(1, callsPerSecond)) + 1)
}

const SECONDS_FOR_ALL_MAX = 120
/** Accounts that are read for the first time take longer than later ones. */
const MARGIN = 1.3
