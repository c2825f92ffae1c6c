/**
 * `npm run bench:micro`: what the pieces take that every call passes, alone and warm, in nanoseconds: the median of many runs, how far
 * runs are from it (median deviation) and the 99th percentile. The results are kept in `docs/benchmarks`. `-- --quick` takes seconds
 * and writes nothing; `-- --only SSE` runs those with that in their names.
 */
import { parseArgs } from "node:util"
import { Bench } from "tinybench"
import { microTasks } from "./microTasks.ts"
import { jsonOf, machine, measuredBy, writeDocs } from "./report.ts"
import { endAll } from "./servers.ts"
import { rounded } from "./statistics.ts"

const { values: { only = "", quick = false } } = parseArgs({
  options: { quick: { type: "boolean" }, only: { type: "string" } }
})
const tasks = microTasks.filter(({ name }) => name.includes(only))
if (tasks.length === 0) throw new Error(`there is no micro-benchmark with "${only}" in its name`)

const NANOS_PER_MS = 1e6

interface MicroResult {
  readonly name: string
  readonly unit: string
  readonly nanos: number
  readonly deviationPercent: number
  readonly p99Nanos: number
  readonly runs: number
}

const bench = new Bench({ time: quick ? 50 : 1_000, warmupTime: quick ? 20 : 500, throws: true })
let sink = 0
for (const { name, run } of tasks) {
  bench.add(name, () => {
    sink += run()
  })
}
await bench.run()
if (!Number.isFinite(sink) || sink === 0) throw new Error("the benchmarks have done nothing")

const results = tasks.map(({ name, operations, unit }): MicroResult => {
  const result = bench.getTask(name)?.result
  if (result?.state !== "completed") throw new Error(`${name} is ${result?.state}`)
  const { mad, p50, p99, samplesCount } = result.latency
  const nanos = (ms: number): number => rounded((ms * NANOS_PER_MS) / operations)
  return {
    name,
    unit,
    nanos: nanos(p50),
    deviationPercent: rounded((100 * mad) / p50),
    p99Nanos: nanos(p99),
    runs: samplesCount
  }
})

for (const { deviationPercent, name, nanos, p99Nanos, runs, unit } of results) {
  process.stdout.write(
    `${name.padEnd(62)} ${`${nanos} ns/${unit}`.padEnd(22)} ${
      `± ${deviationPercent} %`.padEnd(10)
    } p99 ${p99Nanos} ns (${runs} runs)\n`
  )
}

if (!quick && only === "") {
  writeDocs({
    "micro.json": jsonOf({ machine: machine(), results }),
    "micro.md": [
      "# Micro-benchmarks",
      "",
      `${
        measuredBy("npm run bench:micro")
      } Medians of many runs of each piece alone, warm; the deviation is the median one. What a`,
      "call really takes is more: caches are colder there, and garbage is collected.",
      "",
      "| What | ns | for a | deviation | p99, ns |",
      "|---|---|---|---|---|",
      ...results.map(({ deviationPercent, name, nanos, p99Nanos, unit }) =>
        `| ${name} | ${nanos} | ${unit} | ± ${deviationPercent} % | ${p99Nanos} |`
      ),
      ""
    ].join("\n")
  })
  process.stderr.write("the results are in docs/benchmarks\n")
}
await endAll()
