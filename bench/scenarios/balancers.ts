/**
 * What the load balancers of `docs/deployment` cost: JSON calls to one server directly, and through nginx and Caddy as they are
 * configured there.
 */
import { Effect } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { balancers as kinds } from "../../test/support/Balancer.ts"
import { freePort } from "../../test/support/FreePort.ts"
import { cpuMicros, descendantsCpuMicros } from "../processes.ts"
import { inTurns } from "../rounds.ts"
import type { Scenario } from "../scenario.ts"
import { folder, keyOf, startProgram, startRealms, startScript } from "../servers.ts"
import { median, rounded } from "../statistics.ts"
import { load } from "../wrk.ts"

const CONNECTIONS = 64
const USERS = 50

interface Target {
  readonly name: string
  readonly origin: string
  readonly keys: ReadonlyArray<string>
  /** Of the balancer; undefined: none. */
  readonly pid: number | undefined
}

/** Starts one in front of a server; where it listens. */
const startBalancer = async (kind: typeof kinds[number], runner: string) => {
  const scratch = join(folder, kind.name)
  mkdirSync(scratch)
  const port = await Effect.runPromise(freePort)
  const { args, env } = await kind.prepare(scratch, port, [Number(new URL(runner).port)])
  const { child } = await startProgram(kind.name, args, (line) => line.includes(kind.ready) ? line : undefined, env)
  return { origin: `http://127.0.0.1:${port}`, pid: child.pid }
}

export const balancers: Scenario = {
  name: "balancers",
  about: "JSON calls to one server directly, and through nginx and Caddy as docs/deployment configures them",
  run: async ({ figure, isQuick, say }) => {
    const upstream = await startScript("upstream.ts")
    const realms = await startRealms(upstream.origin)
    const keys = Array.from({ length: USERS }, (_, index) => keyOf(realms, `user${index}@example.com`, "10000"))
    const targets: Array<Target> = [{ name: "directly", origin: realms.origin, keys, pid: undefined }]
    for (const kind of kinds) {
      if (!kind.isInstalled) {
        say(`${kind.name} is not installed: its rows are left out`)
        continue
      }
      const { origin, pid } = await startBalancer(kind, realms.origin)
      targets.push({ name: `through ${kind.name}`, origin, keys, pid })
    }
    const measure = async ({ keys, origin, pid }: Target, connections: number) => {
      const cpu = () => pid === undefined ? 0 : cpuMicros(pid) + descendantsCpuMicros(pid)
      const before = cpu()
      const figures = await load({ origin, keys, connections, seconds: isQuick ? 1 : 5 })
      return { ...figures, cpu: (cpu() - before) / figures.calls }
    }
    let failed = 0
    for (const connections of [CONNECTIONS, 1]) {
      const roundsOf = await inTurns({
        targets,
        count: isQuick ? 2 : 5,
        warmUp: (target) => measure(target, connections),
        measure: (target) => measure(target, connections),
        onRound: (round) => say(`balancers, ${connections} connections, round ${round} ...`)
      })
      const direct = roundsOf("directly")
      for (const { name, pid } of targets) {
        const rounds = roundsOf(name)
        const of = (value: (round: typeof rounds[number]) => number, from = rounds) => median(from.map(value))
        failed += rounds.reduce((sum, round) => sum + round.failed, 0)
        if (connections === 1) {
          const added = (value: (round: typeof rounds[number]) => number) => rounded(of(value) - of(value, direct), 2)
          if (pid === undefined) {
            figure({ what: `${name}: a call alone, p50`, value: rounded(of(({ p50Ms }) => p50Ms), 2), unit: "ms" })
          } else {
            figure({ what: `${name}: added to a call alone, p50`, value: added(({ p50Ms }) => p50Ms), unit: "ms" })
            figure({ what: `${name}: added to a call alone, p99`, value: added(({ p99Ms }) => p99Ms), unit: "ms" })
          }
          continue
        }
        const speeds = rounds.map(({ callsPerSecond }) => Math.round(callsPerSecond))
        figure({
          what: `${name}: calls, ${connections} connections`,
          value: median(speeds),
          unit: "calls/s",
          rounds: speeds,
          note: "everything is on the same cores"
        })
        if (pid !== undefined) {
          figure({ what: `${name}: its CPU for a call`, value: Math.round(of(({ cpu }) => cpu)), unit: "us" })
        }
      }
    }
    figure({ what: "calls that failed", value: failed, unit: "calls", target: { atMost: 0 } })
  }
}
