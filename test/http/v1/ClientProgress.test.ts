/**
 * When a client that has something waiting for it is gone, by what looks at its connection show over time.
 */
import { assert, describe, it } from "@effect/vitest"
import { ClientProgress } from "../../../src/http/v1/ClientProgress.ts"

const rules = { stalledMs: 60_000, blindStalledMs: 600_000, slowBytesPerSecond: 512, aheadBytesMax: 65_536 }
const LOOK_MS = 5_000
const END_MS = 1_200_000

/** When the client is found to be gone, in seconds; undefined: never. */
const goneAfter = (takenBytes: (seconds: number) => number, isExact = true): number | undefined => {
  const progress = new ClientProgress(rules, 0)
  for (let now = LOOK_MS; now <= END_MS; now += LOOK_MS) {
    progress.look({ takenBytes: takenBytes(now / 1_000), isExact }, now)
    if (progress.isGone(now)) return now / 1_000
  }
  return undefined
}

/** Progress that is seen in steps only. */
const inSteps = (bytesPerSecond: number, stepBytes: number) => (seconds: number) =>
  Math.floor((seconds * bytesPerSecond) / stepBytes) * stepBytes

describe("ClientProgress", () => {
  const clients: ReadonlyArray<readonly [what: string, taken: (seconds: number) => number, gone: number | undefined]> =
    [
      ["never takes a byte", () => 0, 60],
      ["took a little and stops", () => 2_000, 65],
      ["took much and stops", () => 1e9, 190],
      ["takes a byte a minute", (seconds) => Math.floor(seconds / 55), undefined],
      ["reads 500 bytes a second", (seconds) => 500 * seconds, undefined],
      ["reads 500 bytes a second, seen in steps of 64 KiB", inSteps(500, 65_536), 60],
      [
        "reads 500 bytes a second, seen in steps of 64 KiB, some read ahead",
        (seconds) => 65_536 + inSteps(500, 65_536)(seconds),
        undefined
      ],
      ["reads fast and stops after a minute", (seconds) => 1e6 * Math.min(seconds, 60), 250]
    ]
  it.each(clients)("%s", (_, taken, gone) => {
    assert.strictEqual(goneAfter(taken), gone)
  })

  it("waits longer where the system does not say what was taken", () => {
    assert.strictEqual(goneAfter(() => 0, false), 600)
    assert.isUndefined(goneAfter(inSteps(2_000, 870_000), false))
  })

  it("says since when nothing was taken", () => {
    const progress = new ClientProgress(rules, 1_000)
    assert.strictEqual(progress.idleMs(3_000), 2_000)
    progress.look({ takenBytes: 10, isExact: true }, 4_000)
    assert.strictEqual(progress.idleMs(6_000), 5_000, "what was taken before the first look is no sign")
    progress.look({ takenBytes: 11, isExact: true }, 9_000)
    assert.strictEqual(progress.idleMs(9_500), 500)
  })
})
