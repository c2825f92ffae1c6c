/**
 * What more than these machines would do: a simulation from the costs that are kept in `docs/benchmarks`, printed into
 * `docs/scaling.md`. It measures nothing, so it says the same on every machine.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { measuredCosts } from "../scaling/costs.ts"
import { assumptions } from "../scaling/plan.ts"
import { printed, tablesOf } from "../scaling/report.ts"
import type { Scenario } from "../scenario.ts"
import { root } from "../servers.ts"

const PATH = "docs/scaling.md"

export const scaling: Scenario = {
  name: "scaling",
  about:
    "A simulation of many runners and several servers of PostgreSQL, from the costs that are kept in docs/benchmarks",
  isLong: true,
  run: ({ isQuick, print, say }) => {
    const tables = tablesOf(measuredCosts(), assumptions)
    for (const [name, table] of Object.entries(tables)) for (const line of ["", name, ...table.split("\n")]) print(line)
    if (!isQuick) {
      const path = join(root, PATH)
      writeFileSync(path, printed(readFileSync(path, "utf8"), tables))
      execFileSync(join(root, "node_modules/.bin/dprint"), ["fmt", PATH], { cwd: root, stdio: "ignore" })
      say(`the tables are in ${PATH}`)
    }
    return Promise.resolve()
  }
}
