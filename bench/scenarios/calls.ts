/**
 * Calls that are answered in JSON: how many a second, what they cost in CPU, and what they take longer than the upstream.
 */
import { startLitellm, startPortkey } from "../peers.ts"
import { cpuMicros, descendantsCpuMicros } from "../processes.ts"
import { inTurns } from "../rounds.ts"
import type { Bench, Scenario } from "../scenario.ts"
import { keyOf, type Realms, startRealms, startScript } from "../servers.ts"
import { median, rounded } from "../statistics.ts"
import { type Figures, load } from "../wrk.ts"

const CONNECTIONS = 64

interface Target {
  readonly name: string
  readonly origin: string
  readonly key: string
  readonly headers?: Readonly<Record<string, string>>
  readonly pid: number
  /** Realms has a database. */
  readonly realms?: Realms
}

/** What a call takes still falls after tens of thousands of calls, while V8 compiles what is hot; a server that serves has had them. */
const WARM_UP_SECONDS = 20

/** One round, with the CPU time that a call took, in microseconds. */
interface Round extends Figures {
  readonly cpu: number
  readonly databaseCpu: number
}

const databaseCpu = ({ realms }: Target): number =>
  realms === undefined ? 0 : descendantsCpuMicros(realms.child.pid ?? 0)

const measure = async (target: Target, connections: number, seconds: number): Promise<Round> => {
  const before = [cpuMicros(target.pid), databaseCpu(target)] as const
  const { headers = {}, key, origin } = target
  const figures = await load({ origin, keys: [key], headers, connections, seconds })
  return {
    ...figures,
    cpu: (cpuMicros(target.pid) - before[0]) / figures.calls,
    databaseCpu: (databaseCpu(target) - before[1]) / figures.calls
  }
}

/** Answers a function that reads a figure of all rounds of one target. */
const alternating = async (targets: ReadonlyArray<Target>, { isQuick, say }: Bench, connections: number) => {
  const seconds = isQuick ? 1 : 5
  const roundsOf = await inTurns({
    targets,
    count: isQuick ? 2 : 5,
    warmUp: (target) => measure(target, connections, isQuick ? seconds : WARM_UP_SECONDS),
    measure: (target) => measure(target, connections, seconds),
    onRound: (round) => say(`${connections} connections, round ${round} ...`)
  })
  return (name: string, of: (round: Round) => number): ReadonlyArray<number> => roundsOf(name).map(of)
}

const realmsTarget = async (name: string, upstreamOrigin: string, settings: string): Promise<Target> => {
  const realms = await startRealms(upstreamOrigin, { settings })
  return {
    name,
    origin: realms.origin,
    key: keyOf(realms, "bench@example.com", "100000"),
    pid: realms.child.pid ?? 0,
    realms
  }
}

export const calls: Scenario = {
  name: "calls",
  about:
    "JSON calls by one user: Realms with and without billing, Portkey, LiteLLM, a bare proxy of node:http and Undici, the upstream",
  run: async (bench) => {
    const { figure } = bench
    const upstream = { name: "upstream", key: "x", ...await startScript("upstream.ts") }
    const targets: Array<Target> = [
      upstream,
      { name: "bare proxy", key: "x", ...await startScript("bareProxy.ts", upstream.origin) },
      await realmsTarget("Realms", upstream.origin, ""),
      await realmsTarget("Realms, billing off", upstream.origin, "billing: { enabled: false }")
    ]
    const portkey = await startPortkey(upstream.origin, bench.say)
    if (portkey !== undefined) targets.push({ name: "Portkey", key: "x", ...portkey })
    // It takes minutes to install, and says little in rounds of a second.
    const litellm = bench.isQuick ? undefined : await startLitellm(upstream.origin, bench.say)
    if (litellm !== undefined) targets.push({ name: "LiteLLM", ...litellm })

    const at64 = await alternating(targets, bench, CONNECTIONS)
    const speed = (name: string) => median(at64(name, ({ callsPerSecond }) => callsPerSecond))
    for (const { name } of targets) {
      const rounds = at64(name, ({ callsPerSecond }) => Math.round(callsPerSecond))
      figure({ what: `${name}: calls, ${CONNECTIONS} connections`, value: median(rounds), unit: "calls/s", rounds })
    }
    if (portkey !== undefined) {
      figure({
        what: "Realms against Portkey",
        value: rounded(speed("Realms") / speed("Portkey"), 2),
        unit: "times",
        target: { atLeast: 4 }
      })
    }
    const ours = at64("Realms", ({ cpu }) => Math.round(cpu))
    const cpu = (name: string) => median(at64(name, (round) => round.cpu))
    figure({ what: "CPU of Node for a call", value: median(ours), unit: "us", rounds: ours, note: "the aim is 80" })
    figure({
      what: "CPU of Node for a call, against the bare proxy",
      value: rounded(cpu("Realms") / cpu("bare proxy"), 2),
      unit: "times",
      target: { atMost: 2.2 }
    })
    const database = at64("Realms", (round) => Math.round(round.databaseCpu))
    figure({
      what: "CPU of PostgreSQL for a call",
      value: median(database),
      unit: "us",
      rounds: database,
      target: { atMost: 35 }
    })
    figure({
      what: "p99 against p50",
      value: rounded(median(at64("Realms", ({ p50Ms, p99Ms }) => p99Ms / p50Ms)), 2),
      unit: "times",
      target: { atMost: 2.5 }
    })
    figure({
      what: "billing on against off",
      value: rounded(speed("Realms") / speed("Realms, billing off"), 2),
      unit: "times",
      target: { atLeast: 0.75 }
    })
    const failed = targets.flatMap(({ name }) => at64(name, (round) => round.failed)).reduce((sum, one) => sum + one, 0)
    figure({ what: "calls that failed", value: failed, unit: "calls", target: { atMost: 0 } })

    const at1 = await alternating(targets.slice(0, 3), bench, 1)
    const added = (of: (round: Round) => number) => rounded(median(at1("Realms", of)) - median(at1("upstream", of)), 2)
    figure({
      what: "added at 1 connection, p50",
      value: added(({ p50Ms }) => p50Ms),
      unit: "ms",
      target: { atMost: 0.9 }
    })
    figure({
      what: "added at 1 connection, p99",
      value: added(({ p99Ms }) => p99Ms),
      unit: "ms",
      target: { atMost: 3 }
    })
  }
}
