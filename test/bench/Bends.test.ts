import { assert, describe, it } from "@effect/vitest"
import { fallOf, frameCostOf, riseOf } from "../../bench/growth/bends.ts"
import type { Point } from "../../bench/growth/point.ts"
import { slopeOf } from "../../bench/statistics.ts"

const point = (size: number, callsPerSecond: number, fields: Partial<Point> = {}): Point => ({
  size,
  callsPerSecond,
  p50Ms: 1,
  p99Ms: 2,
  nodeMicros: 100,
  databaseMicros: 50,
  nodeCores: 0.5,
  databaseCores: 0.2,
  busyShare: 0.5,
  entriesPerBatch: 4,
  failed: 0,
  rounds: [callsPerSecond],
  ...fields
})

describe("a curve that rises", () => {
  const full = { nodeCores: 0.97 }

  it("bends at the first point near the most", () => {
    const said = riseOf(
      [point(1, 500), point(16, 4_000), point(64, 4_900, full), point(256, 5_000, full)],
      "connections"
    )
    assert.match(said, /bends at 64 connections, with 4,900 of at most 5,000 calls\/s: Node's one thread is full/)
  })

  it("says that it still rises", () => {
    assert.match(riseOf([point(1, 500), point(16, 4_000)], "connections"), /still rises at 16 connections/)
  })

  it.each<[Partial<Point>, RegExp]>([
    [{ busyShare: 0.99, nodeCores: 0.97 }, /the machine is full/],
    [{ databaseCores: 0.9 }, /PostgreSQL's one writer is full/],
    [{}, /nothing is full/]
  ])("names what there is no more of: %o", (fields, expected) => {
    assert.match(riseOf([point(1, 5_000, fields), point(16, 5_000)], "connections"), expected)
  })
})

describe("a curve that falls", () => {
  it("bends at the first point behind the best that is far from it", () => {
    const points = [point(1, 3_000), point(10, 4_000), point(100, 3_900), point(1_000, 3_000, { databaseMicros: 150 })]
    assert.match(
      fallOf(points, "users"),
      /bends at 1,000 users: 25 % fewer calls\/s than at 10 \(4,000 → 3,000\).* 50 → 150 µs of PostgreSQL.*PostgreSQL's work has grown most/
    )
  })

  it("says that Node's work has grown, or none", () => {
    assert.match(
      fallOf([point(1, 4_000), point(10, 3_000, { nodeMicros: 140 })], "users"),
      /Node's work has grown most/
    )
    assert.match(fallOf([point(1, 4_000), point(10, 3_000, { p50Ms: 4 })], "users"), /p50 by 3 ms.*is waiting/)
  })

  it("names a bound of ours only where the bend is behind it", () => {
    const edges = [{ size: 50, what: "the bound" }]
    const points = [point(10, 4_000), point(100, 3_000), point(1_000, 2_000)]
    assert.match(fallOf(points, "users", edges), /Between the two lies the bound, 50\./)
    assert.notMatch(fallOf(points, "users", [{ size: 500, what: "the bound" }]), /the bound/)
  })

  it("does not bend where rounds overlap", () => {
    const overlapping = [point(1, 4_000, { rounds: [2_900, 4_000, 4_100] }), point(10, 3_000)]
    assert.match(fallOf(overlapping, "users"), /does not bend/)
  })

  it("does not bend by less than a tenth", () => {
    assert.match(fallOf([point(1, 4_000), point(10, 3_700)], "users"), /does not bend up to 10 users/)
  })
})

describe("the cost of frames", () => {
  it("bends where the bytes cost as much as the frame", () => {
    // 2 us a frame, and 1 us a kB.
    const points = [0, 1_000, 4_000].map((size) => point(size, 100, { nodeMicros: 100 * (2 + size / 1_000) }))
    assert.match(frameCostOf(points, 100), /2 µs a frame and 1.02 µs a KiB, so it bends at some 2,000 bytes/)
  })

  it("says where bytes cost nothing", () => {
    assert.match(frameCostOf([point(1, 100), point(1_000, 100)], 100), /nothing that can be seen/)
  })
})

describe("a slope", () => {
  it.each<[ReadonlyArray<readonly [number, number]>, number]>([
    [[[0, 1], [1, 3], [2, 5]], 2],
    [[[0, 5], [1, 5], [2, 5]], 0],
    [[[0, 0], [1, 2], [2, 2], [3, 4]], 1.2],
    [[[1, 7]], 0],
    [[], 0]
  ])("of %o is %d", (points, expected) => {
    assert.closeTo(slopeOf(points), expected, 1e-9)
  })
})
