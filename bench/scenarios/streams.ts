/**
 * Streams: what a relayed frame costs, what the gateway adds to the first frame and between frames, and many streams at once.
 */
import { cpuMicros, residentBytes } from "../processes.ts"
import type { Figure, Scenario } from "../scenario.ts"
import { keyOf, root, start, startRealms, startScript } from "../servers.ts"
import { median, rounded } from "../statistics.ts"

const MEBIBYTE = 1_048_576
/** Frames with text of a paced stream. */
const PACED_FRAMES = 20
const PACED_STREAMS = 100
/** Who have the many streams, together. */
const MANY_USERS = 5
/** 800 MB. */
const MEMORY_MIB_MAX = 762

interface Read {
  readonly frames: number
  readonly failed: number
  readonly firstP50Ms: number
  readonly firstP99Ms: number
  readonly gapP50Ms: number
  readonly gapP99Ms: number
}

interface Streams {
  readonly origin: string
  readonly key: string
  readonly model: string
  readonly count: number
  readonly times?: number
}

const read = async ({ count, key, model, origin, times = 1 }: Streams): Promise<Read> => {
  const { found } = await start(
    [`${root}/bench/streamClients.ts`, origin, key, model, String(count), String(times)],
    (line) => line.startsWith("{") ? line : undefined
  )
  return JSON.parse(found) as Read
}

export const streams: Scenario = {
  name: "streams",
  about: "Streams through Realms, beside a bare proxy of node:http and Undici and the upstream itself",
  run: async ({ figure, isQuick, say }) => {
    const upstream = { key: "x", ...await startScript("upstream.ts") }
    const bare = { key: "x", ...await startScript("bareProxy.ts", upstream.origin) }
    const realms = await startRealms(upstream.origin)
    const pid = realms.child.pid ?? 0
    const ours = { origin: realms.origin, key: keyOf(realms, "bench@example.com", "100000"), pid }
    const rounds = isQuick ? 2 : 5

    say("long streams, 16 at once ...")
    const perFrame = async ({ key, origin, pid: of }: typeof bare): Promise<number> => {
      const before = cpuMicros(of)
      const { frames } = await read({ origin, key, model: "long", count: 16, times: isQuick ? 4 : 10 })
      return (cpuMicros(of) - before) / frames
    }
    const costs: { readonly bare: Array<number>; readonly ours: Array<number> } = { bare: [], ours: [] }
    await perFrame(bare)
    await perFrame(ours)
    for (let round = 0; round < rounds; round++) {
      costs.bare.push(await perFrame(bare))
      costs.ours.push(await perFrame(ours))
    }
    figure({
      what: "CPU for a relayed frame",
      value: rounded(median(costs.ours), 2),
      unit: "us",
      rounds: costs.ours.map((cost) => rounded(cost, 2))
    })
    figure({
      what: "CPU for a relayed frame, against the bare proxy",
      value: rounded(median(costs.ours) / median(costs.bare), 2),
      unit: "times",
      target: { atMost: 1.4 }
    })

    say(`${PACED_STREAMS} paced streams ...`)
    const paced: { readonly direct: Array<Read>; readonly through: Array<Read> } = { direct: [], through: [] }
    for (let round = 0; round < rounds; round++) {
      const asked = { model: "paced", count: PACED_STREAMS, times: 3 }
      paced.direct.push(await read({ ...upstream, ...asked }))
      paced.through.push(await read({ ...ours, ...asked }))
    }
    const added = (of: (one: Read) => number) =>
      rounded(median(paced.through.map(of)) - median(paced.direct.map(of)), 2)
    figure({
      what: `first frame of ${PACED_STREAMS} paced streams, added p99`,
      value: added(({ firstP99Ms }) => firstP99Ms),
      unit: "ms",
      target: { atMost: 5 }
    })
    figure({
      what: `between frames of ${PACED_STREAMS} paced streams, added p99`,
      value: added(({ gapP99Ms }) => gapP99Ms),
      unit: "ms",
      target: { atMost: 2 }
    })

    // No user may have more open calls than `billing.max_open_holds_per_user`.
    const keys = Array.from({ length: MANY_USERS }, (_, index) => keyOf(realms, `many${index}@example.com`, "1000"))
    for (
      const [count, target] of isQuick
        ? [[500, true] as const]
        : [[2_000, true] as const, [5_000, false] as const]
    ) {
      say(`${count} streams at once, a frame every 500 ms ...`)
      const billed = () =>
        (JSON.parse(realms.command("audit", "--json")) as { readonly usage_events: number }).usage_events
      const before = billed()
      const { failed, frames } = await read({ ...ours, key: keys.join(","), model: "slow", count })
      const figureOf = (what: string, value: number, unit: string, wanted: NonNullable<Figure["target"]>) =>
        figure({ what: `${count} streams at once: ${what}`, value, unit, ...target ? { target: wanted } : {} })
      figureOf("frames that came", frames, "frames", { atLeast: count * PACED_FRAMES })
      figureOf("streams that failed", failed, "streams", { atMost: 0 })
      figureOf("calls with a row", billed() - before, "calls", { atLeast: count })
      figureOf("most memory of the server", Math.round(residentBytes(pid, true) / MEBIBYTE), "MiB", {
        atMost: MEMORY_MIB_MAX
      })
    }
  }
}
