/**
 * The tables of the simulation, as they are printed into `docs/scaling.md`.
 */
import { callMicrosAt, type Costs, type Measured } from "./costs.ts"
import { type Assumptions, endOf, type Plan, planFor, type Workload } from "./plan.ts"
import { simulate } from "./simulate.ts"

export const workloads: ReadonlyArray<Workload> = [
  { name: "JSON", frames: 0 },
  { name: "streams of 100 frames", frames: 100 }
]

export const targets = [10_000, 100_000, 1_000_000] as const

const number = (value: number, decimals = 0): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })

const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n")

/** What batches of a fixed size would need. */
const batchesTable = ({ journal, postgres }: Costs & { readonly journal: ReadonlyArray<Measured> }): string =>
  table(
    [
      "calls in a batch",
      "measured, µs a call",
      "the model, µs a call",
      ...targets.map((calls) => `cores at ${number(calls)} calls/s`)
    ],
    journal.map(({ calls, micros }) => [
      String(calls),
      number(micros, 1),
      number(callMicrosAt(postgres, calls), 1),
      ...targets.map((target) => number((target * micros) / 1_000_000, 1))
    ])
  )

const planRow = (name: string, plan: Plan | undefined): ReadonlyArray<string> =>
  plan === undefined ? [name, "none found", "", "", "", "", "", ""] : [
    name,
    number(plan.runners),
    `${plan.servers} × ${plan.coresEach} cores`,
    number(plan.outcome.coresBusy, 1),
    number(plan.outcome.entriesPerBatch, 1),
    number(plan.walMegabytesPerSecond),
    number(plan.outcome.flushesPerSecond),
    `${number(plan.outcome.p50Ms, 1)} / ${number(plan.outcome.p99Ms, 1)}`
  ]

const planHead = [
  "runners (a core each)",
  "PostgreSQL",
  "cores busy, each",
  "entries in a batch",
  "log, MB/s each",
  "flushes/s each",
  "a hold takes, p50 / p99 ms"
]

const plansTable = (costs: Costs, given: Assumptions): string =>
  table(
    ["calls/s", ...planHead],
    workloads.flatMap((workload) =>
      targets.map((target) => planRow(`${number(target)} ${workload.name}`, planFor(costs, workload, target, given)))
    )
  )

const endsTable = (costs: Costs, given: Assumptions): string =>
  table(
    [
      "PostgreSQL",
      "workload",
      "most calls/s",
      "runners",
      "entries in a batch",
      "cores busy",
      "log, MB/s",
      "what ends it"
    ],
    workloads.flatMap((workload) =>
      [4, 8, 16, 32, 64].map((cores) => {
        const end = endOf(costs, workload, cores, given)
        return [
          `${cores} cores`,
          workload.name,
          number(Math.floor(end.callsPerSecond / 100) * 100),
          number(end.runners),
          number(end.outcome.entriesPerBatch, 1),
          number(end.outcome.coresBusy, 1),
          number(end.walMegabytes),
          end.limit
        ]
      })
    )
  )

/** What larger batches would save: the same calls with other journals. */
const levers = [
  ["as it is", {}],
  ["a journal waits 2 ms for more", { lingerMicros: 2_000 }],
  ["a journal waits 5 ms for more", { lingerMicros: 5_000 }],
  ["8 runners of a machine write through one journal", { runnersPerJournal: 8 }]
] as const

const LEVER_TARGET = 100_000

const leversTable = (costs: Costs, given: Assumptions): string =>
  table(
    [`${number(LEVER_TARGET)} streams/s`, ...planHead],
    levers.map(([name, change]) =>
      planRow(name, planFor(costs, { name: "streams", frames: 100 }, LEVER_TARGET, { ...given, ...change }))
    )
  )

const layoutsTable = (costs: Costs, given: Assumptions): string =>
  table(
    [`${number(1_000_000)} JSON calls/s`, ...planHead],
    [
      planRow("each runner writes to one server", planFor(costs, { name: "JSON", frames: 0 }, 1_000_000, given)),
      planRow(
        "each runner writes to every server",
        planFor(costs, { name: "JSON", frames: 0 }, 1_000_000, given, "all to all")
      )
    ]
  )

const LOCK_WORLD = { callsPerSecond: 20_000, runners: 8, cores: 16, seconds: 4 }

/** Users whose calls come to one runner, and to any. */
const locksTable = (costs: Costs, given: Assumptions): string =>
  table(
    ["busy users", "each key at", "batches that wait for a lock", "cores busy", "a hold takes, p50 / p99 ms"],
    [10, 100, 1_000, 100_000].flatMap((users) =>
      [true, false].map((keysStay) => {
        const outcome = simulate({
          ...LOCK_WORLD,
          cost: costs.postgres,
          otherMicros: 0,
          flushMicros: given.flushMicros,
          networkMicros: given.networkMicros,
          lingerMicros: 0,
          users,
          keysStay,
          seed: given.seed
        })
        const isOver = outcome.left > outcome.entries * 0.1
        return [
          number(users),
          keysStay ? "one runner" : "any runner",
          `${number(outcome.lockedShare * 100)} %`,
          number(outcome.coresBusy, 1),
          isOver ? "does not keep up" : `${number(outcome.p50Ms, 1)} / ${number(outcome.p99Ms, 1)}`
        ]
      })
    )
  )

const assumptionsTable = (costs: Costs, given: Assumptions): string =>
  table(["What", "Figure", "From"], [
    [
      "CPU of PostgreSQL for a batch, and for a call in it",
      `${number(costs.postgres.batchMicros)} + ${number(costs.postgres.callMicros, 1)} µs`,
      "measured, `journal`"
    ],
    [
      "CPU of a runner for a batch, and for a call in it",
      `${number(costs.node.batchMicros)} + ${number(costs.node.callMicros)} µs`,
      "measured, `growth`"
    ],
    ["CPU of a runner for a frame of a stream", `${number(costs.frameMicros)} µs`, "measured, `streams`"],
    [
      "CPU of PostgreSQL for a call of an account that is not in memory",
      `${number(costs.coldMicros)} µs`,
      "measured, `growth`"
    ],
    ["write-ahead log of a call", `${number(costs.walBytes)} bytes`, "measured, `journal`"],
    ["calls of accounts that are not in memory", `${number(given.coldShare * 100)} %`, "assumed"],
    ["a flush of the log", `${number(given.flushMicros)} µs`, "assumed"],
    ["from a runner to PostgreSQL and back", `${number(given.networkMicros)} µs`, "assumed"],
    [
      "cores that may be busy, of runners and of PostgreSQL",
      `${number(given.nodeBusyShare * 100)} %, ${number(given.postgresBusyShare * 100)} %`,
      "assumed"
    ],
    [
      "the largest PostgreSQL",
      `${given.postgresCoresMax} cores, ${given.walMegabytesPerSecondMax} MB/s of log`,
      "assumed"
    ],
    ["a hold may take, p99", `${given.holdP99MsMax} ms`, "assumed"],
    ["seed", String(given.seed), ""]
  ])

/** Every table, by its name in the document. */
export const tablesOf = (
  costs: Costs & { readonly journal: ReadonlyArray<Measured> },
  given: Assumptions
): Readonly<Record<string, string>> => ({
  assumptions: assumptionsTable(costs, given),
  batches: batchesTable(costs),
  plans: plansTable(costs, given),
  ends: endsTable(costs, given),
  levers: leversTable(costs, given),
  layouts: layoutsTable(costs, given),
  locks: locksTable(costs, given)
})

const marked = /(<!-- scaling: (\w+) -->)\n[\s\S]*?(<!-- end -->)/g

/** The document with each table between its marks, `<!-- scaling: NAME -->` and `<!-- end -->`. */
export const printed = (document: string, tables: Readonly<Record<string, string>>): string =>
  document.replaceAll(marked, (_, begin: string, name: string, end: string) => {
    const found = tables[name]
    if (found === undefined) throw new Error(`there is no table ${name}`)
    return `${begin}\n\n${found}\n\n${end}`
  })
