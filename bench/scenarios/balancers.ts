/**
 * What the load balancers of `docs/deployment` cost: calls to one server of Realms directly, and through nginx and Caddy as they are
 * configured there; and what they add to a call of the simulated upstream, which answers in no time.
 */
import { Effect } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { type BalancerKind, balancers as kinds } from "../../test/support/Balancer.ts"
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

/** Starts one before a server; where it listens. */
const startBefore = async (server: string, kind: BalancerKind) => {
  const port = await Effect.runPromise(freePort)
  const scratch = join(folder, `${kind.name}-${port}`)
  mkdirSync(scratch)
  const { args, env } = await kind.prepare(scratch, port, [Number(new URL(server).port)])
  const { child } = await startProgram(kind.name, args, (line) => line.includes(kind.ready) ? line : undefined, env)
  return { name: `through ${kind.name}`, origin: `http://127.0.0.1:${port}`, pid: child.pid }
}

/** A server, and every balancer that is installed before it. */
const targetsOf = async (server: string, keys: ReadonlyArray<string>): Promise<ReadonlyArray<Target>> => {
  const targets: Array<Target> = [{ name: "directly", origin: server, keys, pid: undefined }]
  for (const kind of kinds) if (kind.isInstalled) targets.push({ keys, ...await startBefore(server, kind) })
  return targets
}

export const balancers: Scenario = {
  name: "balancers",
  about: "JSON calls to one server directly, and through nginx and Caddy as docs/deployment configures them",
  run: async ({ figure, isQuick, say }) => {
    for (const { isInstalled, name } of kinds) if (!isInstalled) say(`${name} is not installed: its rows are left out`)
    const upstream = await startScript("upstream.ts")
    const realms = await startRealms(upstream.origin)
    const keys = Array.from({ length: USERS }, (_, index) => keyOf(realms, `user${index}@example.com`, "10000"))
    const measure = async ({ keys, origin, pid }: Target, connections: number) => {
      const cpu = () => pid === undefined ? 0 : cpuMicros(pid) + descendantsCpuMicros(pid)
      const before = cpu()
      const figures = await load({ origin, keys, connections, seconds: isQuick ? 1 : 5 })
      return { ...figures, cpu: (cpu() - before) / figures.calls }
    }
    const roundsOf = (targets: ReadonlyArray<Target>, connections: number) =>
      inTurns({
        targets,
        count: isQuick ? 2 : 5,
        warmUp: (target) => measure(target, connections),
        measure: (target) => measure(target, connections),
        onRound: (round) => say(`balancers, ${connections} connections, round ${round} ...`)
      })

    const servers = await targetsOf(realms.origin, keys)
    const of = await roundsOf(servers, CONNECTIONS)
    for (const { name, pid } of servers) {
      const speeds = of(name).map(({ callsPerSecond }) => Math.round(callsPerSecond))
      figure({
        what: `Realms ${name}: calls, ${CONNECTIONS} connections`,
        value: median(speeds),
        unit: "calls/s",
        rounds: speeds,
        note: "all of it on the same cores"
      })
      if (pid === undefined) continue
      const cpu = Math.round(median(of(name).map((round) => round.cpu)))
      figure({ what: `Realms ${name}: its CPU for a call`, value: cpu, unit: "us" })
    }

    const answering = await targetsOf(upstream.origin, keys)
    const alone = await roundsOf(answering, 1)
    // The best round: what other programs take of the machine is not the balancer's.
    const bestMs = (name: string) => Math.min(...alone(name).map(({ p50Ms }) => p50Ms))
    for (const { name, pid } of answering) {
      if (pid === undefined) continue
      figure({
        what: `${name}: added to a call alone, p50 of the best round`,
        value: rounded(bestMs(name) - bestMs("directly"), 3),
        unit: "ms"
      })
    }
    const failed = [...servers.flatMap(({ name }) => of(name)), ...answering.flatMap(({ name }) => alone(name))]
      .reduce((sum, round) => sum + round.failed, 0)
    figure({ what: "calls that failed", value: failed, unit: "calls", target: { atMost: 0 } })
  }
}
