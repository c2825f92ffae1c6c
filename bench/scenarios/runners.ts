/**
 * Several runners on one machine against one: calls a second, the CPU of all processes together, and how long calls wait when one of
 * two runners is killed.
 */
import { setTimeout } from "node:timers/promises"
import { inDatabase } from "../database.ts"
import { cpuMicros, descendantsCpuMicros } from "../processes.ts"
import { inTurns } from "../rounds.ts"
import type { Scenario } from "../scenario.ts"
import { keyOf, startRealms, startScript } from "../servers.ts"
import { median, rounded } from "../statistics.ts"
import { load } from "../wrk.ts"

const CONNECTIONS = 64
const WARM_UP_SECONDS = 10
const USERS = 16

/** The user whose calls a plan pays. */
const SUBSCRIBER = "subscriber@example.com"

const subscribe =
  `INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
    limit_30d_micros, starts_at, ends_at, fence)
  SELECT id, 'bench', 'Bench', 10000000000, 10000000000, 10000000000, 10000000000, now(), now() + interval '30 days', 7
  FROM users WHERE email = '${SUBSCRIBER}'`

/** What is measured: one process, two runners as they are, and two that leave every decision to the owner of the account. */
const servers = [
  { name: "one process", count: 1, decide: "arrival", target: undefined },
  { name: "two runners", count: 2, decide: "arrival", target: { atLeast: 1.5 } },
  { name: "two runners, owners decide", count: 2, decide: "owner", target: undefined }
] as const

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
  about:
    "JSON calls by one user, by many and by a subscriber: one process, two runners behind one socket, two whose owners decide, and one of two killed",
  run: async ({ figure, isQuick, say }) => {
    const upstream = await startScript("upstream.ts")
    const targets: Array<Target> = []
    let pids: ReadonlyArray<number> = []
    for (const { name, count, decide } of servers) {
      const realms = await startRealms(upstream.origin, {
        runners: count,
        settings: `cluster: { decide: ${decide} }`,
        hear: (line) => {
          const found = /"pids":\[([\d,]+)\]/.exec(line)?.[1]
          if (found !== undefined) pids = found.split(",").map(Number)
        }
      })
      const keys = Array.from({ length: USERS }, (_, index) => keyOf(realms, `user${index}@example.com`, "10000"))
      const server = { origin: realms.origin, pid: realms.child.pid ?? 0 }
      targets.push({ name: `${name}, one user`, keys: keys.slice(0, 1), ...server })
      targets.push({ name: `${name}, ${USERS} users`, keys, ...server })
      const subscriber = keyOf(realms, SUBSCRIBER)
      await inDatabase(realms.dataDir, (sql) => sql.unsafe(subscribe))
      targets.push({ name: `${name}, one subscriber`, keys: [subscriber], ...server })
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
    for (const users of ["one user", `${USERS} users`, "one subscriber"]) {
      for (const { name, target } of servers.slice(1)) {
        figure({
          what: `${name} against one process, ${users}`,
          value: rounded(speed(`${name}, ${users}`) / speed(`one process, ${users}`), 2),
          unit: "times",
          ...target === undefined ? {} : { target },
          note: "the load, the upstream and PostgreSQL are on the same cores"
        })
      }
    }
    const two = targets.find(({ name }) => name === "two runners, one user")
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
