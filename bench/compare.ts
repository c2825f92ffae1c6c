/**
 * Whether a change costs speed: `npx node bench/compare.ts OTHER`, where OTHER is a checkout of another version with its packages
 * and its build. Both versions and a bare proxy are called in turn, in rounds of `BENCH_SECONDS`, `BENCH_ROUNDS` times; the
 * medians are printed, with the CPU that each process took for a call. Every round is printed too: it shows how far the machine
 * can be trusted.
 */
import { resolve } from "node:path"
import { cpuMicros, descendantsCpuMicros } from "./processes.ts"
import { inTurns } from "./rounds.ts"
import { endAll, keyOf, root, startRealms, startScript } from "./servers.ts"
import { median, rounded } from "./statistics.ts"
import { type Figures, load } from "./wrk.ts"

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "5")
const SECONDS = Number(process.env.BENCH_SECONDS ?? "5")
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? "64")
const other = process.argv[2]
if (other === undefined) {
  throw new Error("name the checkout to compare with: npx node bench/compare.ts ../realms-before")
}

interface Target {
  readonly name: string
  readonly origin: string
  readonly key: string
  readonly pid: number
}

interface Round extends Figures {
  readonly cpu: number
  readonly databaseCpu: number
}

const measure = async ({ key, origin, pid }: Target, stream: boolean): Promise<Round> => {
  const [node, database] = [cpuMicros(pid), descendantsCpuMicros(pid)]
  const figures = await load({ origin, keys: [key], connections: CONNECTIONS, seconds: SECONDS, stream })
  return {
    ...figures,
    cpu: (cpuMicros(pid) - node) / figures.calls,
    databaseCpu: (descendantsCpuMicros(pid) - database) / figures.calls
  }
}

try {
  const { origin: upstreamOrigin } = await startScript("upstream.ts")
  const targets: Array<Target> = [
    { name: "bare proxy", key: "x", ...await startScript("bareProxy.ts", upstreamOrigin) }
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
    const roundsOf = await inTurns({
      targets,
      count: ROUNDS,
      warmUp: (target) => measure(target, stream),
      measure: (target) => measure(target, stream),
      onRound: () => undefined
    })
    for (const { name } of targets) {
      const measured = roundsOf(name)
      const of = (figure: (round: Round) => number, decimals = 0) => rounded(median(measured.map(figure)), decimals)
      const line = {
        kind: stream ? "stream" : "json",
        target: name,
        "calls/s": of(({ callsPerSecond }) => callsPerSecond),
        "CPU us a call": of(({ cpu }) => cpu),
        "CPU us of PostgreSQL": of((round) => round.databaseCpu),
        "p50 ms": of(({ p50Ms }) => p50Ms, 2),
        "p99 ms": of(({ p99Ms }) => p99Ms, 2),
        failed: measured.reduce((sum, { failed }) => sum + failed, 0),
        rounds: measured.map(({ callsPerSecond }) => Math.round(callsPerSecond))
      }
      process.stdout.write(`${JSON.stringify(line)}\n`)
    }
  }
} finally {
  await endAll()
}
