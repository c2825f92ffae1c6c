/**
 * Starting: a server whose database is there already, and a command beside it.
 */
import type { Scenario } from "../scenario.ts"
import { keyOf, startRealms, startScript } from "../servers.ts"
import { median, rounded } from "../statistics.ts"

export const starting: Scenario = {
  name: "start",
  about: "A start with an embedded database that is there already, until it is ready, and a command beside the server",
  run: async ({ figure, isQuick }) => {
    const realms = await startRealms((await startScript("upstream.ts")).origin)
    keyOf(realms, "bench@example.com", "1")
    const commands: Array<number> = []
    for (let round = 0; round < (isQuick ? 3 : 7); round++) {
      const startedMs = performance.now()
      realms.command("balance", "show", "--user", "bench@example.com")
      commands.push(rounded((performance.now() - startedMs) / 1_000, 2))
    }
    const starts: Array<number> = []
    for (let round = 0; round < (isQuick ? 3 : 5); round++) starts.push(rounded(await realms.again() / 1_000, 2))
    figure({ what: "start, until ready", value: median(starts), unit: "s", rounds: starts, target: { atMost: 1.5 } })
    figure({ what: "a command", value: median(commands), unit: "s", rounds: commands, target: { atMost: 0.4 } })
  }
}
