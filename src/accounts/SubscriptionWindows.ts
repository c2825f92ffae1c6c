/**
 * The rolling spend windows of one subscription: 5 hours, 1, 7 and 30 days. A call counts from its reserve time in a
 * bucket - minutes for the two short windows, hours for the two long ones - until the whole bucket has left the window,
 * so a window is never undercounted. Pure: the time is an argument, in milliseconds since the epoch.
 */
import { HashMap, Option } from "effect"

/** Limits of the four windows in micros, in the order 5h, 1d, 7d, 30d; 0 means no limit. */
export type WindowLimits = readonly [bigint, bigint, bigint, bigint]

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

interface WindowShape {
  readonly lengthMs: number
  readonly bucketMs: number
}

const shapes: readonly [WindowShape, WindowShape, WindowShape, WindowShape] = [
  { lengthMs: 5 * HOUR_MS, bucketMs: MINUTE_MS },
  { lengthMs: 24 * HOUR_MS, bucketMs: MINUTE_MS },
  { lengthMs: 7 * 24 * HOUR_MS, bucketMs: HOUR_MS },
  { lengthMs: 30 * 24 * HOUR_MS, bucketMs: HOUR_MS }
]

/** How long the four windows are, in hours. */
export const windowHours = [5, 24, 7 * 24, 30 * 24] as const

/** Spend by bucket start (ms), and the sums of the four windows as of one minute. */
export interface Windows {
  readonly minutes: HashMap.HashMap<number, bigint>
  readonly hours: HashMap.HashMap<number, bigint>
  readonly asOfMinute: number
  readonly used: WindowLimits
}

const floorTo = (timeMs: number, bucketMs: number): number => Math.floor(timeMs / bucketMs) * bucketMs

const bucketsOf = (windows: Windows, shape: WindowShape): HashMap.HashMap<number, bigint> =>
  shape.bucketMs === MINUTE_MS ? windows.minutes : windows.hours

const counts = (bucketStart: number, shape: WindowShape, nowMs: number): boolean =>
  bucketStart + shape.bucketMs > nowMs - shape.lengthMs

const sum = (buckets: HashMap.HashMap<number, bigint>, shape: WindowShape, nowMs: number): bigint => {
  let total = 0n
  for (const [start, micros] of buckets) {
    if (counts(start, shape, nowMs)) total += micros
  }
  return total
}

/** Windows from stored minute and hour buckets, as of `nowMs`. */
export const fromBuckets = (
  { hours, minutes }: {
    readonly minutes: Iterable<readonly [number, bigint]>
    readonly hours: Iterable<readonly [number, bigint]>
  },
  nowMs: number
): Windows =>
  recount({
    minutes: HashMap.fromIterable(minutes),
    hours: HashMap.fromIterable(hours),
    asOfMinute: 0,
    used: [0n, 0n, 0n, 0n]
  }, nowMs)

/** Sums again as of `nowMs`, and forgets buckets that left their longest window an hour ago or more. */
const recount = (windows: Windows, nowMs: number): Windows => {
  const minutes = HashMap.filter(windows.minutes, (_, start) => counts(start, shapes[1], nowMs - HOUR_MS))
  const hours = HashMap.filter(windows.hours, (_, start) => counts(start, shapes[3], nowMs - HOUR_MS))
  return {
    minutes,
    hours,
    asOfMinute: floorTo(nowMs, MINUTE_MS),
    used: [
      sum(minutes, shapes[0], nowMs),
      sum(minutes, shapes[1], nowMs),
      sum(hours, shapes[2], nowMs),
      sum(hours, shapes[3], nowMs)
    ]
  }
}

/** The same windows as of `nowMs`. Which buckets count changes at whole minutes only, so the sums are kept between. */
export const rolled = (windows: Windows, nowMs: number): Windows =>
  windows.asOfMinute === floorTo(nowMs, MINUTE_MS) ? windows : recount(windows, nowMs)

/** Adds `deltaMicros` (negative to return) to the buckets of a call reserved at `reservedAtMs`. */
export const add = (stored: Windows, reservedAtMs: number, deltaMicros: bigint): Windows => {
  if (deltaMicros === 0n) return stored
  const windows = reservedAtMs >= stored.asOfMinute + MINUTE_MS ? recount(stored, reservedAtMs) : stored
  const minute = floorTo(reservedAtMs, MINUTE_MS)
  const hour = floorTo(reservedAtMs, HOUR_MS)
  const raise = (buckets: HashMap.HashMap<number, bigint>, start: number) =>
    HashMap.set(buckets, start, Option.getOrElse(HashMap.get(buckets, start), () => 0n) + deltaMicros)
  const asOf = windows.asOfMinute
  const used = (index: 0 | 1 | 2 | 3, start: number): bigint =>
    counts(start, shapes[index], asOf) ? windows.used[index] + deltaMicros : windows.used[index]
  return {
    minutes: raise(windows.minutes, minute),
    hours: raise(windows.hours, hour),
    asOfMinute: asOf,
    used: [used(0, minute), used(1, minute), used(2, hour), used(3, hour)]
  }
}

/** What the limits leave beside what is used; undefined when no window has a limit. Never negative. */
const left = (used: WindowLimits, limits: WindowLimits): bigint | undefined => {
  let smallest: bigint | undefined
  for (const index of [0, 1, 2, 3] as const) {
    if (limits[index] === 0n) continue
    const rest = limits[index] - used[index]
    if (smallest === undefined || rest < smallest) smallest = rest
  }
  return smallest !== undefined && smallest < 0n ? 0n : smallest
}

/** What may still be spent in every limited window, in micros; undefined when no window has a limit. Never negative. */
export const room = (windows: Windows, limits: WindowLimits): bigint | undefined => left(windows.used, limits)

/** What could be spent if `held`, a part of `windows`, were returned. Both as of the same minute. */
export const roomWithout = ({ held, limits, windows }: {
  readonly windows: Windows
  readonly held: Windows
  readonly limits: WindowLimits
}): bigint | undefined => {
  const [used5h, used1d, used7d, used30d] = windows.used
  const [held5h, held1d, held7d, held30d] = held.used
  return left([used5h - held5h, used1d - held1d, used7d - held7d, used30d - held30d], limits)
}

/** When, in ms since the epoch, every window has room for `micros`, if nothing else is spent; undefined when never. */
export const roomAt = (windows: Windows, limits: WindowLimits, micros: bigint, nowMs: number): number | undefined => {
  let latest = nowMs
  for (const index of [0, 1, 2, 3] as const) {
    const limit = limits[index]
    if (limit === 0n) continue
    if (micros > limit) return undefined
    const shape = shapes[index]
    let used = windows.used[index]
    const counted = Array.from(bucketsOf(windows, shape)).filter(([start]) => counts(start, shape, nowMs))
    counted.sort((a, b) => a[0] - b[0])
    for (const [start, spent] of counted) {
      if (used + micros <= limit) break
      used -= spent
      latest = Math.max(latest, start + shape.bucketMs + shape.lengthMs)
    }
  }
  return latest
}

/** When, in ms since the epoch, the oldest spend of a window leaves it; undefined when there is none in it. */
export const nextRelief = (windows: Windows, index: 0 | 1 | 2 | 3, nowMs: number): number | undefined => {
  const shape = shapes[index]
  let oldest: number | undefined
  for (const [start, micros] of bucketsOf(windows, shape)) {
    if (micros > 0n && counts(start, shape, nowMs) && (oldest === undefined || start < oldest)) oldest = start
  }
  return oldest === undefined ? undefined : oldest + shape.bucketMs + shape.lengthMs
}
