/**
 * What a curve says: where it bends, and why, in a sentence that is made of its figures.
 */
import { median, rounded } from "../statistics.ts"
import type { Point } from "./point.ts"

/** What is near enough to the most. */
const NEAR_SHARE = 0.9

/** A thread that is full, and a machine that is. */
const FULL_CORES = 0.85
const FULL_SHARE = 0.92

const number = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : 0 })

const percent = (share: number): string => `${Math.round(share * 100)} %`

const most = (points: ReadonlyArray<Point>): number => Math.max(...points.map(({ callsPerSecond }) => callsPerSecond))

/** What there is no more of where a curve is flat. */
const limitOf = ({ busyShare, databaseCores, nodeCores }: Point): string => {
  const used = `Node uses ${number(nodeCores)} of a core, PostgreSQL ${number(databaseCores)}, all together ${
    percent(busyShare)
  } of the machine`
  if (busyShare >= FULL_SHARE) return `the machine is full, load generator and upstream included (${used})`
  if (nodeCores >= FULL_CORES) return `Node's one thread is full (${used})`
  if (databaseCores >= FULL_CORES) return `PostgreSQL's one writer is full (${used})`
  return `nothing is full (${used}), so calls wait for answers: of the journal's batches and of the upstream`
}

/** Where more of something brings no more calls: the first point that is near the most. */
export const riseOf = (points: ReadonlyArray<Point>, what: string): string => {
  const near = points.find(({ callsPerSecond }) => callsPerSecond >= NEAR_SHARE * most(points))
  const last = points.at(-1)
  const [first] = points
  if (near === undefined || last === undefined || first === undefined) return "There is no figure."
  if (near === last) {
    return `It still rises at ${number(last.size)} ${what}, with ${number(last.callsPerSecond)} calls/s: ${
      limitOf(last)
    }.`
  }
  return `It bends at ${number(near.size)} ${what}, with ${number(near.callsPerSecond)} of at most ${
    number(most(points))
  } calls/s: ${limitOf(near)}. What comes beyond waits: p99 is ${number(first.p99Ms)} ms at ${number(first.size)}, ${
    number(near.p99Ms)
  } ms there, and ${number(last.p99Ms)} ms at ${number(last.size)}. A batch has ${number(first.entriesPerBatch)}, ${
    number(near.entriesPerBatch)
  } and ${number(last.entriesPerBatch)} entries, and a call takes ${number(first.databaseMicros)}, ${
    number(near.databaseMicros)
  } and ${number(last.databaseMicros)} µs of PostgreSQL.`
}

/** A known bound of ours, which a curve may bend at. */
export interface Edge {
  readonly size: number
  readonly what: string
}

/** Whose CPU has grown more between two points. */
const grownOf = (before: Point, after: Point): string => {
  const node = after.nodeMicros - before.nodeMicros
  const database = after.databaseMicros - before.databaseMicros
  const wait = after.p50Ms - before.p50Ms
  const says = `a call takes ${number(before.nodeMicros)} → ${number(after.nodeMicros)} µs of Node and ${
    number(before.databaseMicros)
  } → ${number(after.databaseMicros)} µs of PostgreSQL, p99 is ${number(before.p99Ms)} → ${number(after.p99Ms)} ms`
  if (Math.max(node, database) * 1_000 < SEEN_NANOS) {
    return `${says}: CPU has not grown, so what is longer (p50 by ${number(wait)} ms) is waiting`
  }
  return `${says}: ${database > node ? "PostgreSQL's" : "Node's"} work has grown most`
}

/** CPU that is more than chance, in nanoseconds a call. */
const SEEN_NANOS = 3_000

/** Every round of the one is below every round of the other: that is not chance. */
const isBelow = (one: Point, other: Point): boolean => Math.max(...one.rounds) < Math.min(...other.rounds)

/** Where more of something costs calls: the first point after the best that is far from it. */
export const fallOf = (points: ReadonlyArray<Point>, what: string, edges: ReadonlyArray<Edge> = []): string => {
  const best = points.findIndex(({ callsPerSecond }) => callsPerSecond === most(points))
  const [before, last] = [points[best], points.at(-1)]
  if (before === undefined || last === undefined) return "There is no figure."
  const bend = points.slice(best + 1).find((point) =>
    point.callsPerSecond < NEAR_SHARE * before.callsPerSecond && isBelow(point, before)
  )
  if (bend === undefined) {
    const usual = median(points.map(({ callsPerSecond }) => callsPerSecond))
    const least = Math.min(...points.map(({ callsPerSecond }) => callsPerSecond))
    return `It does not bend up to ${number(last.size)} ${what}: between ${number(least)} and ${
      number(most(points))
    } calls/s, ${number(usual)} at the middle; at ${number(last.size)} p99 is ${number(last.p99Ms)} ms.`
  }
  const passed = edges.filter(({ size }) => size >= before.size && size < bend.size)
  const lost = 1 - bend.callsPerSecond / before.callsPerSecond
  return `It bends at ${number(bend.size)} ${what}: ${percent(lost)} fewer calls/s than at ${number(before.size)} (${
    number(before.callsPerSecond)
  } → ${number(bend.callsPerSecond)}); ${grownOf(before, bend)}.${
    passed.map((edge) => ` Between the two lies ${edge.what}, ${number(edge.size)}.`).join("")
  }`
}

/** Where the bytes of a frame cost as much as the frame itself. `frames`: of a call. */
export const frameCostOf = (points: ReadonlyArray<Point>, frames: number): string => {
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined || first === last) return "There is no figure."
  const cost = ({ nodeMicros }: Point): number => nodeMicros / frames
  const perByte = (cost(last) - cost(first)) / (last.size - first.size)
  const fixed = cost(first) - perByte * first.size
  const says = `A frame takes ${number(cost(first))} µs of Node with ${number(first.size)} bytes of text and ${
    number(cost(last))
  } µs with ${number(last.size)}, all that a call takes besides included`
  if (perByte <= 0) return `${says}: its bytes cost nothing that can be seen.`
  return `${says}: ${number(fixed)} µs a frame and ${number(perByte * 1_024)} µs a KiB, so it bends at some ${
    number(rounded(fixed / perByte, 0))
  } bytes, where its bytes cost as much as the frame does.`
}
