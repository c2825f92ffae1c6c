/**
 * Several runners on one machine against one: calls a second, the CPU of all processes together, and how long calls wait when one of
 * two runners is killed.
 */
import { setTimeout } from "node:timers/promises"
import { cpuMicros, descendantsCpuMicros } from "../processes.ts"
import { inTurns } from "../rounds.ts"
import type { Scenario } from "../scenario.ts"
import { keyOf, startRealms, startScript } from "../servers.ts"
import { median, rounded } from "../statistics.ts"
import { load } from "../wrk.ts"

const CONNECTIONS = 64
const WARM_UP_SECONDS = 10
const USERS = 50

/** Calls that are made one after the other by each of so many clients while a runner is killed. */
const FAILOVER_CLIENTS = 8
const FAILOVER_MS = 4_000

interface Target {
  readonly name: string
  readonly origin: string
  readonly keys: ReadonlyArray<string>
  readonly pid: number
}

interface Round {
  readonly callsPerSecond: number
  readonly p99Ms: number
  /** CPU of the server, its runners and its database for a call, in microseconds. */
  readonly cpu: number
}

const allCpu = (pid: number): number => cpuMicros(pid) + descendantsCpuMicros(pid)

const measure = async ({ keys, origin, pid }: Target, seconds: number): Promise<Round> => {
  const before = allCpu(pid)
  const figures = await load({ origin, keys, connections: CONNECTIONS, seconds })
  return { ...figures, cpu: (allCpu(pid) - before) / figures.calls }
}

/** The longest that a call took, in milliseconds, and how many had no answer of 200, while `disturb` runs. */
const waits = async (origin: string, key: string, disturb: () => void) => {
  let [longestMs, failed, calls] = [0, 0, 0]
  const endMs = performance.now() + FAILOVER_MS
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const startedMs = performance.now()
      const answer = await fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({
          model: "bench",
          max_tokens: 64,
          messages: [{ role: "user", content: "Say twenty words." }]
        })
      }).then(async (response) => (await response.text(), response.status), () => 0)
      calls++
      if (answer !== 200) failed++
      longestMs = Math.max(longestMs, performance.now() - startedMs)
    }
  }
  const clients = Array.from({ length: FAILOVER_CLIENTS }, client)
  await setTimeout(FAILOVER_MS / 4)
  disturb()
  await Promise.all(clients)
  return { longestMs, failed, calls }
}

export const runners: Scenario = {
  name: "runners",
  about: "JSON calls by one user and by many: one process, two runners behind one socket, and one of two killed",
  run: async ({ figure, isQuick, say }) => {
    const upstream = await startScript("upstream.ts")
    const targets: Array<Target> = []
    let pids: ReadonlyArray<number> = []
    for (const [name, count] of [["one process", 1], ["two runners", 2]] as const) {
      const realms = await startRealms(upstream.origin, {
        runners: count,
        hear: (line) => {
          const found = /"pids":\[([\d,]+)\]/.exec(line)?.[1]
          if (found !== undefined) pids = found.split(",").map(Number)
        }
      })
      const keys = Array.from({ length: USERS }, (_, index) => keyOf(realms, `user${index}@example.com`, "10000"))
      const server = { origin: realms.origin, pid: realms.child.pid ?? 0 }
      targets.push({ name: `${name}, one user`, keys: keys.slice(0, 1), ...server })
      targets.push({ name: `${name}, ${USERS} users`, keys, ...server })
    }
    const seconds = isQuick ? 1 : 5
    const roundsOf = await inTurns({
      targets,
      count: isQuick ? 2 : 5,
      warmUp: (target) => measure(target, isQuick ? seconds : WARM_UP_SECONDS),
      measure: (target) => measure(target, seconds),
      onRound: (round) => say(`runners, round ${round} ...`)
    })
    const of = (name: string, value: (round: Round) => number) => roundsOf(name).map(value)
    for (const { name } of targets) {
      const speeds = of(name, ({ callsPerSecond }) => Math.round(callsPerSecond))
      figure({
        what: `${name}: calls, ${CONNECTIONS} connections`,
        value: median(speeds),
        unit: "calls/s",
        rounds: speeds
      })
      figure({
        what: `${name}: CPU of all its processes for a call`,
        value: Math.round(median(of(name, ({ cpu }) => cpu))),
        unit: "us"
      })
    }
    const speed = (name: string) => median(of(name, ({ callsPerSecond }) => callsPerSecond))
    for (const users of ["one user", `${USERS} users`]) {
      figure({
        what: `two runners against one process, ${users}`,
        value: rounded(speed(`two runners, ${users}`) / speed(`one process, ${users}`), 2),
        unit: "times",
        target: { atLeast: 1.5 },
        note: "the load, the upstream and PostgreSQL are on the same cores"
      })
    }
    const two = targets.at(-1)
    if (two === undefined) return
    say("one of two runners is killed ...")
    const { calls, failed, longestMs } = await waits(two.origin, two.keys[0] ?? "", () => {
      if (pids[0] !== undefined) process.kill(pids[0], "SIGKILL")
    })
    figure({
      what: "one of two runners killed: longest call",
      value: Math.round(longestMs),
      unit: "ms",
      target: { atMost: 1_000 },
      note: `${failed} of ${calls} calls broke off with it`
    })
  }
}
