/**
 * What telemetry costs: calls a second with the line for each call, with metrics that are read every second and with traces that a
 * collector takes, against the same server without any of it.
 */
import { setInterval } from "node:timers"
import { cpuMicros } from "../processes.ts"
import { inTurns } from "../rounds.ts"
import type { Scenario } from "../scenario.ts"
import { keyOf, startRealms, startScript } from "../servers.ts"
import { median, rounded } from "../statistics.ts"
import { type Figures, load } from "../wrk.ts"

const CONNECTIONS = 64
/** More often than any Prometheus does. */
const SCRAPE_MS = 1_000

/** What calls may lose to telemetry, in percent. */
const LOSS_PERCENT_MAX = 5

interface Target {
  readonly name: string
  readonly origin: string
  readonly key: string
  readonly pid: number
  /** Its metrics are read while it is measured. */
  readonly isScraped: boolean
}

interface Round extends Figures {
  readonly cpu: number
}

const measure = async (target: Target, seconds: number): Promise<Round> => {
  const { isScraped, key, origin, pid } = target
  const scraping = isScraped
    ? setInterval(() => void fetch(`${origin}/metrics`).then((answer) => answer.text()), SCRAPE_MS)
    : undefined
  const before = cpuMicros(pid)
  const figures = await load({ origin, keys: [key], connections: CONNECTIONS, seconds })
  clearInterval(scraping)
  return { ...figures, cpu: (cpuMicros(pid) - before) / figures.calls }
}

export const telemetry: Scenario = {
  name: "telemetry",
  about:
    "JSON calls by one user, with telemetry off and on: a line for each call, metrics read every second, one call in twenty traced",
  run: async ({ figure, isQuick, say }) => {
    const upstream = await startScript("upstream.ts")
    const collector = await startScript("upstream.ts")
    const targetOf = async (name: string, isOn: boolean): Promise<Target> => {
      const traces = isOn ? `${collector.origin}/v1/traces` : ""
      const realms = await startRealms(upstream.origin, {
        settings: `telemetry: { traces: { url: "${traces}", sample_ratio: "0.05" } }`,
        logsCalls: isOn
      })
      return {
        name,
        origin: realms.origin,
        key: keyOf(realms, "bench@example.com", "100000"),
        pid: realms.child.pid ?? 0,
        isScraped: isOn
      }
    }
    const targets = [await targetOf("off", false), await targetOf("on", true)]
    const seconds = isQuick ? 2 : 5
    const roundsOf = await inTurns({
      targets,
      count: isQuick ? 4 : 9,
      warmUp: (target) => measure(target, isQuick ? 5 : 20),
      measure: (target) => measure(target, seconds),
      onRound: (round) => say(`round ${round} ...`)
    })
    for (const { name } of targets) {
      const speeds = roundsOf(name).map(({ callsPerSecond }) => Math.round(callsPerSecond))
      figure({ what: `telemetry ${name}: calls`, value: median(speeds), unit: "calls/s", rounds: speeds })
      const cpu = roundsOf(name).map((round) => rounded(round.cpu, 1))
      figure({ what: `telemetry ${name}: CPU of Node for a call`, value: median(cpu), unit: "us", rounds: cpu })
    }
    const speedOf = (name: string) => median(roundsOf(name).map(({ callsPerSecond }) => callsPerSecond))
    figure({
      what: "calls a second that telemetry costs",
      value: rounded(100 * (1 - speedOf("on") / speedOf("off")), 1),
      unit: "%",
      target: { atMost: LOSS_PERCENT_MAX }
    })
    const failed = targets.flatMap(({ name }) => roundsOf(name)).reduce((sum, round) => sum + round.failed, 0)
    figure({ what: "calls that failed", value: failed, unit: "calls", target: { atMost: 0 } })
  }
}
