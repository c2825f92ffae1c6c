/**
 * The pages of a user with many calls, beside many more of others.
 */
import { join } from "node:path"
import type { Scenario } from "../scenario.ts"
import { root, run } from "../servers.ts"

interface PageTimes {
  readonly page: string
  readonly status: number
  readonly "p95 ms": number
}

const isPage = (line: string): boolean => line.startsWith('{"page"')

export const pages: Scenario = {
  name: "pages",
  about: "Every page of a user with many calls, among many more of others",
  run: async ({ figure, isQuick, say }) => {
    const [calls, rows] = isQuick ? ["10000", "0"] : ["100000", "10000000"]
    say(`writing ${calls} calls of the user, ${rows} of others ...`)
    const lines: Array<PageTimes> = []
    await run([join(root, "bench/pages.ts")], (line) => line === "done" ? line : undefined, {
      ...process.env,
      BENCH_CALLS: calls,
      BENCH_ROWS: rows,
      BENCH_ROUNDS: isQuick ? "20" : "60"
    }, (line) => {
      if (isPage(line)) lines.push(JSON.parse(line) as PageTimes)
    })
    for (const line of lines) {
      const note = `${calls} calls of the user, ${rows} of others`
      figure({ what: `${line.page}, p95`, value: line["p95 ms"], unit: "ms", target: { atMost: 50 }, note })
    }
    const broken = lines.filter(({ status }) => status !== 200).length
    figure({ what: "pages that were not answered", value: broken, unit: "pages", target: { atMost: 0 } })
  }
}
