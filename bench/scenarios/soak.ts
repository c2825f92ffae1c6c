/**
 * A soak: a steady mixed load for half an hour, the server's memory meanwhile, and whether every call was billed at its end. It runs
 * only by name.
 */
import { Effect } from "effect"
import { join } from "node:path"
import type { ChildProcess } from "node:child_process"
import { setTimeout } from "node:timers/promises"
import { inDatabase } from "../database.ts"
import { lineChart } from "../lineChart.ts"
import { residentBytes } from "../processes.ts"
import { figuresTable, jsonOf, machine, measuredBy, writeDocs } from "../report.ts"
import type { Figure, Scenario } from "../scenario.ts"
import {
  askProbe,
  endProcesses,
  keyOf,
  type ProbeAnswers,
  type Realms,
  root,
  start,
  startRealms,
  startScript
} from "../servers.ts"
import { rounded, slopeOf } from "../statistics.ts"

const MEBIBYTE = 1_048_576
const CALLS_PER_SECOND = 300
const USERS = 8
const SAMPLE_MS = 10_000
/** Even a short run has so many samples, about. */
const SAMPLES_MIN = 12
const WARM_UP_MINUTES_MAX = 5
/** A shorter run says nothing of memory, and is not kept. */
const VERDICT_MINUTES_MIN = 10
/** The load goes on behind the last sample. */
const MORE_SECONDS = 2
const SETTLED_MS_MAX = 60_000

interface Done {
  readonly json: number
  readonly stream: number
  readonly dropped: number
  readonly failed: number
  /** Not made, because too many were open. */
  readonly left: number
  readonly open: number
}

interface Sample {
  readonly minutes: number
  readonly residentMib: number
}

/** Waits until no call is open any more; how many are open then. */
const openHolds = async (origin: string): Promise<number> => {
  const untilMs = performance.now() + SETTLED_MS_MAX
  for (;;) {
    const { open_reservations: open } = (await (await fetch(`${origin}/readyz`)).json()) as {
      readonly open_reservations: number
    }
    if (open === 0 || performance.now() > untilMs) return open
    await setTimeout(100)
  }
}

/** What the ledger check finds. It exits with 1 where the books do not hold. */
const problemsOf = ({ command }: Realms): number => {
  const read = (text: string): number =>
    (JSON.parse(text) as { readonly problems: ReadonlyArray<unknown> }).problems.length
  try {
    return read(command("audit", "--json"))
  } catch (error) {
    if (error instanceof Error && "stdout" in error && typeof error.stdout === "string") return read(error.stdout)
    throw error
  }
}

const rowsOf = (dataDir: string) =>
  inDatabase(dataDir, (sql) =>
    Effect.map(
      sql<{ rows: number; billed: number }>`SELECT count(*)::integer AS rows,
        (count(*) FILTER (WHERE state = 'committed' AND charged_micros > 0))::integer AS billed FROM usage_events`,
      ([row]) => row ?? { rows: 0, billed: 0 }
    ))

/** Samples the server's resident memory until `minutes` are over. */
const watch = async (server: ChildProcess, minutes: number, warmUpMinutes: number) => {
  const samples: Array<Sample> = []
  const startedMs = performance.now()
  const passed = () => (performance.now() - startedMs) / 60_000
  const everyMs = Math.min(SAMPLE_MS, (minutes * 60_000) / SAMPLES_MIN)
  let warm: (ProbeAnswers["heap"] & { readonly minutes: number }) | undefined
  for (;;) {
    await setTimeout(everyMs)
    const now = passed()
    samples.push({ minutes: rounded(now, 3), residentMib: rounded(residentBytes(server.pid ?? 0) / MEBIBYTE) })
    if (warm === undefined && now >= warmUpMinutes) warm = { minutes: now, ...await askProbe(server, "heap") }
    if (now >= minutes) return { samples, warm, last: { minutes: passed(), ...await askProbe(server, "heap") } }
  }
}

const writeSoak = (minutes: number, figures: ReadonlyArray<Figure>, samples: ReadonlyArray<Sample>): void =>
  writeDocs({
    "soak.json": jsonOf({ machine: machine(), minutes, figures, samples }),
    "soak.md": [
      "# Memory under a long load",
      "",
      `${
        measuredBy("npm run bench -- --only soak")
      } ${minutes} minutes of ${CALLS_PER_SECOND} calls/s by ${USERS} users: six of ten`,
      "answered in JSON, three streams, one stream whose client goes away in the middle.",
      "",
      "![Memory](soak.svg)",
      "",
      ...figuresTable(figures),
      ""
    ].join("\n"),
    "soak.svg": lineChart("Memory of the server", samples.map((sample) => sample.minutes), [{
      title: "resident memory, MiB, by minutes",
      lines: [{ name: "", values: samples.map(({ residentMib }) => residentMib) }]
    }])
  })

export const soak: Scenario = {
  name: "soak",
  about: "A steady mixed load for a long time: memory, and whether every call was billed",
  isLong: true,
  run: async (bench) => {
    const { isQuick, minutes = isQuick ? 0.5 : 30, print, say } = bench
    const figures: Array<Figure> = []
    const figure = (one: Figure): void => {
      figures.push(one)
      bench.figure(one)
    }
    const realms = await startRealms((await startScript("upstream.ts")).origin, {
      nodeArgs: ["--expose-gc", "--import", join(root, "bench/heapProbe.ts")]
    })
    const keys = Array.from({ length: USERS }, (_, index) => keyOf(realms, `soak${index}@example.com`, "10000"))
    say(`${minutes} minutes of ${CALLS_PER_SECOND} calls/s ...`)
    const seconds = String(minutes * 60 + MORE_SECONDS)
    const clients = start(
      [join(root, "bench/soakClients.ts"), realms.origin, keys.join(","), seconds, String(CALLS_PER_SECOND)],
      (line) => line.startsWith("{") ? line : undefined
    )
    const warmUpMinutes = Math.min(WARM_UP_MINUTES_MAX, minutes / 3)
    const [{ last, samples, warm }, { found }] = await Promise.all([
      watch(realms.child, minutes, warmUpMinutes),
      clients
    ])
    const done = JSON.parse(found) as Done
    const calls = done.json + done.stream + done.dropped
    print(`${done.json} answered in JSON, ${done.stream} streams, ${done.dropped} clients that went away`)

    const open = await openHolds(realms.origin)
    const { billed, rows } = await rowsOf(realms.dataDir)
    const none = { atMost: 0 }
    figure({ what: "calls", value: calls, unit: "calls", target: { atLeast: 1 } })
    figure({ what: "calls that failed", value: done.failed + done.open, unit: "calls", target: none })
    figure({ what: "calls not made, since too many were open", value: done.left, unit: "calls" })
    figure({ what: "calls that were not charged", value: calls - billed, unit: "calls", target: none })
    figure({ what: "rows that belong to no call", value: rows - calls - done.failed, unit: "rows", target: none })
    figure({ what: "holds that are still open", value: open, unit: "holds", target: none })
    figure({ what: "problems that the ledger check finds", value: problemsOf(realms), unit: "problems", target: none })

    const measured = samples.filter((sample) => sample.minutes >= warmUpMinutes)
    const isLongEnough = minutes >= VERDICT_MINUTES_MIN
    figure({
      what: "growth of resident memory after the warm-up",
      value: rounded(slopeOf(measured.map((sample) => [sample.minutes, sample.residentMib])), 2),
      unit: "MiB/minute",
      ...isLongEnough ? { target: { atMost: 1 } } : { note: `no verdict below ${VERDICT_MINUTES_MIN} minutes` }
    })
    if (warm !== undefined) {
      const growth = (of: (heap: ProbeAnswers["heap"]) => number) =>
        rounded((of(last) - of(warm)) / MEBIBYTE / (last.minutes - warm.minutes), 2)
      const unit = "MiB/minute"
      figure({ what: "growth of the heap, garbage collected", value: growth(({ heapBytes }) => heapBytes), unit })
      figure({ what: "growth beside the heap", value: growth(({ externalBytes }) => externalBytes), unit })
      figure({ what: "heap at the end, garbage collected", value: rounded(last.heapBytes / MEBIBYTE), unit: "MiB" })
    }
    const most = Math.max(...samples.map(({ residentMib }) => residentMib))
    figure({ what: "most resident memory", value: rounded(most), unit: "MiB" })
    await endProcesses()
    if (!isQuick && isLongEnough) writeSoak(minutes, figures, samples)
  }
}
