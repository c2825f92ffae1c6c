/**
 * Whether a change costs speed: `npx node bench/compare.ts OTHER`, where OTHER is a checkout of another version with its packages
 * and its build. Both versions and a bare proxy are called in turn, in rounds of `BENCH_SECONDS`, `BENCH_ROUNDS` times; the
 * medians are printed, with the CPU that each process took for a call. Every round is printed too: it shows how far the machine
 * can be trusted.
 */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { endAll, type Figures, keyOf, load, root, SECONDS, start, startRealms, startScript } from "./servers.ts"

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "5")
const other = process.argv[2]
if (other === undefined) {
  throw new Error("name the checkout to compare with: npx node bench/compare.ts ../realms-before")
}

/** CPU of a process so far, in microseconds: user and system ticks of 10 ms. */
const cpuMicros = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

interface Target {
  readonly name: string
  readonly origin: string
  readonly key: string
  readonly pid: number
}

interface Round extends Figures {
  readonly cpuMicros: number
}

const measure = async (target: Target, stream: boolean): Promise<Round> => {
  const before = cpuMicros(target.pid)
  const figures = await load({ ...target, stream })
  return { ...figures, cpuMicros: (cpuMicros(target.pid) - before) / (figures.callsPerSecond * Number(SECONDS)) }
}

try {
  const upstreamOrigin = await startScript("upstream.ts")
  const bare = await start(
    [resolve(root, "bench/bareProxy.ts"), upstreamOrigin],
    (line) => /^\d+$/.test(line) ? line : undefined
  )
  const targets: Array<Target> = [
    { name: "bare proxy", origin: `http://127.0.0.1:${bare.found}`, key: "x", pid: bare.child.pid ?? 0 }
  ]
  for (const [name, checkout] of [["other", resolve(other)], ["this", root]] as const) {
    const realms = await startRealms(upstreamOrigin, { checkout })
    targets.push({
      name,
      origin: realms.origin,
      key: keyOf(realms, "bench@example.com", "100000"),
      pid: realms.child.pid ?? 0
    })
  }
  for (const stream of [false, true]) {
    const rounds = new Map<string, Array<Round>>(targets.map(({ name }) => [name, []]))
    for (const target of targets) await measure(target, stream)
    for (let round = 0; round < ROUNDS; round++) {
      for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
        rounds.get(target.name)?.push(await measure(target, stream))
      }
    }
    for (const [name, measured] of rounds) {
      const line = {
        kind: stream ? "stream" : "json",
        target: name,
        "calls/s": Math.round(median(measured.map(({ callsPerSecond }) => callsPerSecond))),
        "CPU us a call": Math.round(median(measured.map((one) => one.cpuMicros))),
        "first byte p50 ms": Number(median(measured.map(({ firstByteP50Ms }) => firstByteP50Ms)).toFixed(2)),
        "first byte p99 ms": Number(median(measured.map(({ firstByteP99Ms }) => firstByteP99Ms)).toFixed(2)),
        failed: measured.reduce((sum, { failed }) => sum + failed, 0),
        rounds: measured.map(({ callsPerSecond }) => Math.round(callsPerSecond))
      }
      process.stdout.write(`${JSON.stringify(line)}\n`)
    }
  }
} finally {
  await endAll()
}
