/**
 * Accounts: one that is called all the time beside many, and a hundred thousand that were touched once.
 */
import type { Scenario } from "../scenario.ts"
import { keyOf, root, run, startRealms, startScript } from "../servers.ts"
import { median, rounded } from "../statistics.ts"
import { load } from "../wrk.ts"

const CONNECTIONS = 64
const MEBIBYTE = 1_048_576

interface Probed {
  readonly accounts: number
  readonly startBytes: number
  readonly peakBytes: number
  readonly idleBytes: number
  readonly residents: number
}

export const accounts: Scenario = {
  name: "accounts",
  about: "One account at full load against many, and the memory of accounts that were touched and are idle",
  run: async ({ figure, isQuick, say }) => {
    const realms = await startRealms((await startScript("upstream.ts")).origin)
    const many = isQuick ? 8 : 64
    say(`making ${many} users ...`)
    const keys = Array.from({ length: many }, (_, index) => keyOf(realms, `user${index}@example.com`, "1000"))
    const hot = keys.slice(0, 1)
    const seconds = isQuick ? 1 : 5
    const speed = async (by: ReadonlyArray<string>) =>
      (await load({ origin: realms.origin, keys: by, connections: CONNECTIONS, seconds })).callsPerSecond
    await speed(keys)
    await speed(hot)
    const ratios: Array<number> = []
    for (let round = 0; round < (isQuick ? 2 : 5); round++) ratios.push((await speed(hot)) / (await speed(keys)))
    figure({
      what: `one account against ${many}, calls/s`,
      value: rounded(median(ratios), 2),
      unit: "times",
      rounds: ratios.map((ratio) => rounded(ratio, 2)),
      target: { atLeast: 0.7 }
    })

    const touched = isQuick ? 10_000 : 100_000
    say(`touching ${touched} accounts ...`)
    const found = await run(
      [`${root}/bench/accountsProbe.ts`, String(touched)],
      (line) => line.startsWith("{") ? line : undefined
    )
    const probed = JSON.parse(found) as Probed
    const above = (bytes: number): number => Math.round((bytes - probed.startBytes) / MEBIBYTE)
    figure({
      what: `${touched} accounts touched: memory at the peak, above the start`,
      value: above(probed.peakBytes),
      unit: "MiB",
      target: { atMost: 300 }
    })
    figure({
      what: `${touched} accounts idle: memory that stays, above the start`,
      value: above(probed.idleBytes),
      unit: "MiB",
      target: { atMost: Math.floor(above(probed.peakBytes) / 2) },
      note: "given back: half of the peak or more"
    })
    figure({
      what: `${touched} accounts idle: accounts still in memory`,
      value: probed.residents,
      unit: "accounts",
      target: { atMost: 0 }
    })
  }
}
