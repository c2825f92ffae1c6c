/**
 * `npm run bench`, after a build: every scenario against its targets, in one run. `-- --quick` takes three minutes at most and
 * writes nothing; `-- --only calls,streams` runs some. The results of a whole run are kept in `docs/benchmarks`. Some run
 * only by name: `-- --only growth` (`--rows 20000000`), `-- --only soak` (`--minutes 30`) and the simulation `-- --only scaling`, which keep
 * their results beside those, and `-- --only millions` (`--rows 50000000`).
 */
import { parseArgs } from "node:util"
import { writeResults } from "./report.ts"
import { type Figure, isMet, type Scenario } from "./scenario.ts"
import { accounts } from "./scenarios/accounts.ts"
import { balancers } from "./scenarios/balancers.ts"
import { bodies } from "./scenarios/bodies.ts"
import { calls } from "./scenarios/calls.ts"
import { growth } from "./scenarios/growth.ts"
import { journal } from "./scenarios/journal.ts"
import { millions } from "./scenarios/millions.ts"
import { pages } from "./scenarios/pages.ts"
import { runners } from "./scenarios/runners.ts"
import { scaling } from "./scenarios/scaling.ts"
import { soak } from "./scenarios/soak.ts"
import { starting } from "./scenarios/start.ts"
import { streams } from "./scenarios/streams.ts"
import { telemetry } from "./scenarios/telemetry.ts"
import { endAll, endProcesses } from "./servers.ts"

const scenarios: ReadonlyArray<Scenario> = [
  calls,
  journal,
  streams,
  accounts,
  starting,
  bodies,
  runners,
  balancers,
  pages,
  telemetry,
  millions,
  growth,
  soak,
  scaling
]

const { values: { minutes, only, quick, rows } } = parseArgs({
  options: {
    quick: { type: "boolean" },
    only: { type: "string" },
    rows: { type: "string" },
    minutes: { type: "string" }
  }
})
const isQuick = quick === true
const names = only?.split(",") ?? scenarios.filter(({ isLong }) => isLong !== true).map(({ name }) => name)
const unknown = names.filter((name) => scenarios.every((scenario) => scenario.name !== name))
if (unknown.length > 0) {
  throw new Error(
    `there is no scenario ${unknown.join(", ")}; there are ${scenarios.map(({ name }) => name).join(", ")}`
  )
}

/** The number that a flag was given; undefined without the flag. */
const numberOf = (flag: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${flag} takes a number above 0, not ${text}`)
  return value
}

const [rowsMax, soakMinutes] = [numberOf("rows", rows), numberOf("minutes", minutes)]

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const verdicts = new Map([[true, "met"], [false, "MISSED"]])

/** A figure as a line of the table. */
const lineOf = (figure: Figure): string => {
  const { note, rounds, target, unit, value, what } = figure
  const wanted = target === undefined
    ? ""
    : "atMost" in target
    ? `at most ${target.atMost}`
    : `at least ${target.atLeast}`
  const verdict = verdicts.get(isMet(figure) ?? false) ?? ""
  return [
    what.padEnd(58),
    `${value} ${unit}`.padEnd(18),
    wanted.padEnd(16),
    target === undefined ? "      " : verdict.padEnd(6),
    rounds === undefined ? "" : `(${rounds.join(", ")})`,
    note ?? ""
  ].join(" ").trimEnd()
}

try {
  const results: Array<{ readonly scenario: Scenario; readonly figures: ReadonlyArray<Figure> }> = []
  for (const scenario of scenarios.filter(({ name }) => names.includes(name))) {
    process.stdout.write(`\n${scenario.name}: ${scenario.about}\n`)
    const figures: Array<Figure> = []
    await scenario.run({
      isQuick,
      rowsMax,
      minutes: soakMinutes,
      say,
      print: (line) => void process.stdout.write(`  ${line}\n`),
      figure: (figure) => {
        figures.push(figure)
        process.stdout.write(`  ${lineOf(figure)}\n`)
      }
    })
    await endProcesses()
    results.push({ scenario, figures })
  }
  const judged = results.flatMap(({ figures }) => figures.map(isMet)).filter((met) => met !== undefined)
  process.stdout.write(`\n${judged.filter((met) => met).length} of ${judged.length} targets met\n`)
  if (!isQuick && only === undefined) {
    writeResults(results)
    say("the results are in docs/benchmarks")
  }
} finally {
  await endAll()
}
