/**
 * The results of a whole run as they are kept: `docs/benchmarks/results.json` for machines, `README.md` and `calls.svg` for people;
 * and what every kept result says of where it was measured.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, totalmem } from "node:os"
import { join } from "node:path"
import { type Figure, isMet, type Scenario } from "./scenario.ts"
import { root } from "./servers.ts"
import { generator } from "./wrk.ts"

export interface ScenarioResult {
  readonly scenario: Scenario
  readonly figures: ReadonlyArray<Figure>
}

const folder = join(root, "docs/benchmarks")
const GIBIBYTE = 2 ** 30

/** What it was measured on, as far as a reader needs it. */
export const machine = () => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  memoryGib: Math.round(totalmem() / GIBIBYTE),
  node: process.version,
  generator,
  version: String(
    (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string }).version
  )
})

const targetText = ({ target }: Figure): string =>
  target === undefined ? "" : "atMost" in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`

const verdictText = (figure: Figure): string =>
  ({ true: "met", false: "**missed**", undefined: "" })[`${isMet(figure)}`]

/** The same in a sentence. `command`: what wrote the results. */
export const measuredBy = (command: string): string => {
  const { cores, cpu, memoryGib, node, version } = machine()
  return `Written by \`${command}\`: version ${version}, Node ${node}, ${cores} cores (${cpu}), ${memoryGib} GiB.`
}

/** Writes files into `docs/benchmarks`, formatted as the rest of the documentation. */
export const writeDocs = (files: Readonly<Record<string, string>>): void => {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  execFileSync(join(root, "node_modules/.bin/dprint"), ["fmt", "docs/benchmarks/**"], { cwd: root, stdio: "ignore" })
}

/** Data as it is kept for machines. */
export const jsonOf = (data: object): string => `${JSON.stringify(data, null, 2)}\n`

/** Figures as a table of Markdown. */
export const figuresTable = (figures: ReadonlyArray<Figure>): ReadonlyArray<string> => [
  "| What | Figure | Target | |",
  "|---|---|---|---|",
  ...figures.map((figure) =>
    `| ${figure.what}${figure.note === undefined ? "" : ` (${figure.note})`} | ${figure.value} ${figure.unit} | ${
      targetText(figure)
    } | ${verdictText(figure)} |`
  )
]

const markdown = (results: ReadonlyArray<ScenarioResult>): string => {
  const parts = results.map(({ figures, scenario }) =>
    [
      `## ${scenario.name}`,
      "",
      `${scenario.about}.`,
      "",
      ...figuresTable(figures)
    ].join("\n")
  )
  return [
    "# Benchmarks",
    "",
    `${measuredBy("npm run bench")} Load by ${generator}, upstream and PostgreSQL are on the same machine. ` +
    "Compare ratios, not numbers: they say something on any machine.",
    "",
    "How cost grows is in `growth.md`, what single functions take in `micro.md`, and memory under a long load in `soak.md`, once " +
    "`npm run bench -- --only growth`, `npm run bench:micro` and `npm run bench -- --only soak` have written them.",
    "",
    "![Calls a second](calls.svg)",
    "",
    ...parts.flatMap((part) => [part, ""])
  ].join("\n")
}

const BAR = { width: 420, height: 22, gap: 10, left: 170 }

/** Calls a second of each gateway, as bars. */
const bars = (figures: ReadonlyArray<Figure>): string => {
  const speeds = figures.filter(({ unit }) => unit === "calls/s")
  const most = Math.max(1, ...speeds.map(({ value }) => value))
  const height = speeds.length * (BAR.height + BAR.gap) + BAR.gap
  const rows = speeds.map(({ value, what }, index) => {
    const y = BAR.gap + index * (BAR.height + BAR.gap)
    const middle = y + BAR.height * 0.7
    const width = Math.round((value / most) * BAR.width)
    return `<text x="${BAR.left - 8}" y="${middle}" text-anchor="end">${what.split(":")[0]}</text>` +
      `<rect x="${BAR.left}" y="${y}" width="${width}" height="${BAR.height}" fill="#206bc4"/>` +
      `<text x="${BAR.left + width + 8}" y="${middle}">${Math.round(value)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${BAR.left + BAR.width + 70}" height="${height}" ` +
    `font-family="sans-serif" font-size="13" fill="#626976" role="img" aria-label="Calls a second">${
      rows.join("")
    }</svg>\n`
}

/** Writes the three files. */
export const writeResults = (results: ReadonlyArray<ScenarioResult>): void =>
  writeDocs({
    "results.json": jsonOf({
      machine: machine(),
      scenarios: results.map(({ figures, scenario }) => ({
        name: scenario.name,
        about: scenario.about,
        figures: figures.map((figure) => ({ ...figure, met: isMet(figure) ?? null }))
      }))
    }),
    "README.md": markdown(results),
    "calls.svg": bars(results.find(({ scenario }) => scenario.name === "calls")?.figures ?? [])
  })
