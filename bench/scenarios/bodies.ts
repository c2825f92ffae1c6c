/**
 * Large bodies: prompts of 1 MB and answers of 5 MB, some at once, and how long they hold the event loop of the server.
 */
import { join } from "node:path"
import type { Scenario } from "../scenario.ts"
import { askProbe, keyOf, root, startRealms, startScript } from "../servers.ts"
import { rounded } from "../statistics.ts"

const AT_ONCE = 4
const PROMPT_BYTES = 1_000_000

export const bodies: Scenario = {
  name: "bodies",
  about: "Prompts of 1 MB and answers of 5 MB, four at once",
  run: async ({ figure, isQuick, say }) => {
    const realms = await startRealms((await startScript("upstream.ts")).origin, {
      nodeArgs: ["--import", join(root, "bench/loopProbe.ts")]
    })
    const key = keyOf(realms, "bench@example.com", "100000")
    let failed = 0
    const call = async (model: string, content: string): Promise<void> => {
      const answer = await fetch(`${realms.origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ model, messages: [{ role: "user", content }] })
      })
      if (answer.status !== 200) failed++
      await answer.arrayBuffer()
    }
    const rounds = async (count: number, model: string, content: string) => {
      for (let round = 0; round < count; round++) {
        await Promise.all(Array.from({ length: AT_ONCE }, () => call(model, content)))
      }
    }
    const prompt = "many words ".repeat(PROMPT_BYTES / 11)
    for (
      const [what, model, content] of [["prompts of 1 MB", "bench", prompt], ["answers of 5 MB", "five", "Hi"]] as const
    ) {
      say(`${what} ...`)
      await rounds(5, model, content)
      await askProbe(realms.child, "delays")
      const startedMs = performance.now()
      const count = isQuick ? 20 : 60
      await rounds(count, model, content)
      const seconds = (performance.now() - startedMs) / 1_000
      const { longestMs, p99Ms } = await askProbe(realms.child, "delays")
      figure({ what: `${what}, ${AT_ONCE} at once`, value: rounded((count * AT_ONCE) / seconds), unit: "calls/s" })
      figure({ what: `${what}: event loop delay, p99`, value: rounded(p99Ms), unit: "ms", target: { atMost: 20 } })
      figure({ what: `${what}: event loop delay, longest`, value: rounded(longestMs), unit: "ms" })
    }
    figure({ what: "large bodies that failed", value: failed, unit: "calls", target: { atMost: 0 } })
  }
}
