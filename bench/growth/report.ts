/**
 * Curves as they are kept: `docs/benchmarks/growth.json` for machines, `growth.md` and a picture of each curve for people.
 */
import { lineChart } from "../lineChart.ts"
import { jsonOf, machine, measuredBy, writeDocs } from "../report.ts"
import { generator } from "../wrk.ts"
import type { Point } from "./point.ts"

export interface Curve {
  /** One word: the picture is named after it. */
  readonly name: string
  readonly title: string
  /** What the sizes are. */
  readonly unit: string
  readonly points: ReadonlyArray<Point>
  /** Where it bends and why. */
  readonly bend: string
}

const columns: ReadonlyArray<readonly [title: string, of: (point: Point) => number]> = [
  ["calls/s", ({ callsPerSecond }) => callsPerSecond],
  ["p50 ms", ({ p50Ms }) => p50Ms],
  ["p99 ms", ({ p99Ms }) => p99Ms],
  ["Node, µs a call", ({ nodeMicros }) => nodeMicros],
  ["PostgreSQL, µs a call", ({ databaseMicros }) => databaseMicros],
  ["Node, cores", ({ nodeCores }) => nodeCores],
  ["PostgreSQL, cores", ({ databaseCores }) => databaseCores],
  ["machine used", ({ busyShare }) => busyShare],
  ["entries a batch", ({ entriesPerBatch }) => entriesPerBatch],
  ["failed", ({ failed }) => failed]
]

const WIDTHS = { first: 12, other: 10 }

/** The head of the printed table, and a line of it. */
export const headLine = (unit: string): string =>
  `${unit.padEnd(WIDTHS.first)}  ${columns.map(([title]) => title.padStart(WIDTHS.other)).join("  ")}`
export const pointLine = (point: Point): string =>
  `${String(point.size).padEnd(WIDTHS.first)}  ${
    columns.map(([title, of]) => String(of(point)).padStart(Math.max(WIDTHS.other, title.length))).join("  ")
  }`

const sectionOf = ({ bend, name, points, title, unit }: Curve): ReadonlyArray<string> => [
  `## ${title}`,
  "",
  bend,
  "",
  `![${title}](growth-${name}.svg)`,
  "",
  `| ${unit} | ${columns.map(([column]) => column).join(" | ")} |`,
  `|---|${columns.map(() => "---|").join("")}`,
  ...points.map((point) => `| ${point.size} | ${columns.map(([, of]) => of(point)).join(" | ")} |`),
  ""
]

const pictureOf = ({ points, title }: Curve): string => {
  const of = (value: (point: Point) => number) => points.map(value)
  return lineChart(title, of(({ size }) => size), [
    { title: "calls/s", lines: [{ name: "", values: of(({ callsPerSecond }) => callsPerSecond) }] },
    { title: "p99, ms", lines: [{ name: "", values: of(({ p99Ms }) => p99Ms) }] },
    {
      title: "CPU, µs a call",
      lines: [
        { name: "Node", values: of(({ nodeMicros }) => nodeMicros) },
        { name: "PostgreSQL", values: of(({ databaseMicros }) => databaseMicros) }
      ]
    }
  ])
}

export const writeGrowth = (curves: ReadonlyArray<Curve>): void =>
  writeDocs({
    "growth.json": jsonOf({ machine: machine(), curves }),
    "growth.md": [
      "# How cost grows",
      "",
      `${
        measuredBy("npm run bench -- --only growth")
      } Load by ${generator}; upstream and PostgreSQL are on the same machine.`,
      "",
      ...curves.flatMap(sectionOf)
    ].join("\n"),
    ...Object.fromEntries(curves.map((curve) => [`growth-${curve.name}.svg`, pictureOf(curve)]))
  })
