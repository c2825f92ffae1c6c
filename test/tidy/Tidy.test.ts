/**
 * The rules of the house that no other tool checks: sizes, headers, names, what the code must not contain, and what may
 * lie in the project's top folder. Each rule is also shown something that it must refuse.
 */
import { assert, describe, it } from "@effect/vitest"
import { headerOf, sourceFiles, withoutComments } from "./SourceFiles.ts"

const LINES_MAX = 400
const HEADER_WORDS_MIN = 8

/** Files that may be longer than LINES_MAX, each with the reason why splitting it would make it harder to read. */
const longFiles: ReadonlyMap<string, string> = new Map<string, string>([])

/** Names that are fixed by a tool or by the layout, and so do not follow the main export. */
const fixedNames = /^(?:main\.ts|index\.ts|realms\.mjs|.*\.d\.ts)$/

const source = sourceFiles(["src", "simulators"], /\.(?:ts|tsx|mjs)$/)
const modules = source.filter((file) => !file.path.endsWith(".mjs"))
const code = sourceFiles(["src", "simulators", "test", "bench"], /\.(?:ts|tsx|mjs)$/)
const everything = sourceFiles(
  ["."],
  /\.(?:ts|tsx|mjs|js|json|md|sql|ya?ml|css|sh)$|(?:^|\/)(?:Dockerfile|\.npmrc|run)$/
)

/** In code, comments left out. */
const bannedInCode: ReadonlyArray<readonly [what: string, pattern: RegExp, example: string]> = [
  ["console", /\bconsole\s*\.\s*\w+/, "console.log(1)"],
  ["Date.now", /\bDate\s*\.\s*now\b/, "const t = Date.now()"],
  ["new Date()", /\bnew\s+Date\s*\(\s*\)/, "const t = new Date()"],
  ["Math.random", /\bMath\s*\.\s*random\b/, "Math.random()"],
  ["any", /\bas\s+any\b|:\s*any\b|<\s*any\b/, "value as any"],
  [
    "a row's schema made at each call",
    /\b(?:rowsOf|rowOf|oneRowOf)\(\s*Row(?:With)?\(/,
    "rowOf(Row({ id }), statement)"
  ],
  ["a double assertion", /\bas\s+unknown\s+as\b/, "value as unknown as Micros"]
]

/** Anywhere in a source file. */
const bannedInText: ReadonlyArray<readonly [what: string, pattern: RegExp, example: string]> = [
  ["an open end", /\b(?:TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/, `// ${"TO"}${"DO"}: later`],
  ["a silenced compiler", /@ts-(?:ignore|nocheck|expect-error)\b/, `// @ts-${"ignore"}`],
  // They leave out who or what is meant, and are read twice.
  [
    "a vague word",
    /\b(?:who[e]ver|an[e]w|what is t[o]ld|(?:that|what) is n[o]ne)\b/i,
    `// ${"Who"}ever asks is answered`
  ]
]

/** Of no meaning on any other machine. */
const machinePath = /(?<![\w.$}])\/(?:work|Users|root|home\/(?!node\b)\w+)\/\w/

/** The tables whose rows are money. Only the accounts write them, each row once. */
const writesMoney =
  /\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE)\s+(?:ONLY\s+)?(?:user_balances|ledger_entries|usage_events)\b/i

/** Rows that each have one writer: it says what they may become. */
const soleWriters: Readonly<Record<string, string>> = {
  payment_attempts: "src/orders/AttemptStore.ts",
  payments: "src/orders/Payments.ts",
  payment_refunds: "src/orders/RefundStore.ts",
  payment_disputes: "src/orders/DisputeStore.ts",
  confirmations: "src/confirmations/ConfirmationStore.ts"
}

/** What gives money or plans, or takes them. */
const movesMoney = /\b(?:postInTransaction|activate|settleWithin)\(/

/** Where somebody moves money by hand and no second person is asked, each with its reason. */
const alone: ReadonlyMap<string, string> = new Map([
  ["src/events/Corrections.ts", "takes back what the books prove was given twice"]
])

const writesTable = (table: string): RegExp =>
  new RegExp(`\\b(?:INSERT\\s+INTO|UPDATE|DELETE\\s+FROM|MERGE\\s+INTO|TRUNCATE)\\s+(?:ONLY\\s+)?${table}\\b`, "i")

const fails = (what: string, files: ReadonlyArray<string>): void =>
  assert.deepStrictEqual(files, [], `${what}:\n${files.join("\n")}`)

describe("tidy", () => {
  it("finds the source", () => {
    assert.isAbove(modules.length, 0)
    assert.isTrue(everything.some((file) => file.path === ".ci/run"))
  })

  it("keeps files short", () => {
    const long = code.map((file) => ({ ...file, lines: file.text.split("\n").length - 1 }))
      .filter((file) => file.lines > LINES_MAX)
    fails(
      `over ${LINES_MAX} lines`,
      long.filter((file) => !longFiles.has(file.path)).map((file) => `${file.path}: ${file.lines}`)
    )
    fails(
      "no longer long, take it off the list",
      [...longFiles.keys()].filter((path) => !long.some((file) => file.path === path))
    )
  })

  it("opens every module with what it is for", () => {
    const headless = source.filter((file) => (headerOf(file.text)?.match(/\w+/g)?.length ?? 0) < HEADER_WORDS_MIN)
    fails("no header comment", headless.map((file) => file.path))
    assert.isUndefined(headerOf(`import { Effect } from "effect"\n/** Later. */`))
  })

  for (const [what, pattern, example] of bannedInCode) {
    it(`has no ${what} in the source`, () => {
      assert.match(withoutComments(example), pattern)
      fails(what, source.filter((file) => pattern.test(withoutComments(file.text))).map((file) => file.path))
    })
  }

  for (const [what, pattern, example] of bannedInText) {
    it(`has no ${what}`, () => {
      assert.match(example, pattern)
      fails(what, code.filter((file) => pattern.test(file.text)).map((file) => file.path))
    })
  }

  it("tells code from comments", () => {
    assert.strictEqual(withoutComments(`a("http://x") // b\n/* c */d`).trim(), `a("http://x") \nd`)
  })

  it("reads rows by schemas, and casts none", () => {
    const cast = /\bsql(?:\.unsafe)?<(?!SqlClient)/
    assert.match("sql.unsafe<Row>(text)", cast)
    // Decided for every call: what it reads is decoded by hand, with the version that it was decided on.
    const hot = ["src/accounts/AccountStore.ts"]
    const casts = source.filter((file) => cast.test(withoutComments(file.text))).map(({ path }) => path)
    assert.deepStrictEqual(casts.filter((path) => path.startsWith("src/")), hot)
  })

  it("names no folder of one machine", () => {
    assert.match(`see ${"/"}root${"/"}notes`, machinePath)
    fails("absolute path", everything.filter((file) => machinePath.test(file.text)).map((file) => file.path))
  })

  it("names files after what they export", () => {
    const wrong = modules.filter((file) => {
      const name = file.path.slice(file.path.lastIndexOf("/") + 1)
      if (fixedNames.test(name)) return false
      const stem = name.replace(/\.tsx?$/, "")
      if (!/^[A-Z][A-Za-z0-9]*$/.test(stem)) return true
      const classes = [...file.text.matchAll(/^export (?:abstract )?class (\w+)/gm)].map((match) => match[1])
      return classes.length === 1 && classes[0] !== stem && !new RegExp(`^export .*\\b${stem}\\b`, "m").test(file.text)
    })
    fails("not in PascalCase or not named after its class", wrong.map((file) => file.path))
  })

  it("numbers migrations without gaps", () => {
    const names = sourceFiles(["migrations"], /./).map((file) => file.path.replace("migrations/", ""))
    assert.isAbove(names.length, 0)
    fails("not NNNN_name.sql", names.filter((name) => !/^\d{4}_[a-z0-9_]+\.sql$/.test(name)))
    assert.deepStrictEqual(names.map((name) => Number(name.slice(0, 4))), names.map((_, index) => index + 1))
  })

  it("lets only the accounts write money", () => {
    assert.match("insert into ledger_entries (id)", writesMoney)
    assert.match("UPDATE user_balances SET", writesMoney)
    const writers = source.filter((file) => writesMoney.test(withoutComments(file.text)))
    fails("writes balances", writers.map((file) => file.path).filter((path) => !path.startsWith("src/accounts/")))
  })

  it("asks for a second person wherever somebody moves money by hand", () => {
    const byHand = source.filter(({ text }) => movesMoney.test(text) && /\brecordChange\(/.test(text))
    assert.isAtLeast(byHand.length, 6)
    fails(
      "does not ask",
      byHand.filter(({ path, text }) => !/\bsecondPerson\.check\(/.test(text) && !alone.has(path)).map(({ path }) =>
        path
      )
    )
  })

  it.each(Object.entries(soleWriters))("lets only one file write %s", (table, writer) => {
    const writes = writesTable(table)
    assert.match(`update ${table} set`, writes)
    const writers = source.filter((file) => writes.test(withoutComments(file.text))).map((file) => file.path)
    assert.deepStrictEqual(writers, [writer])
  })
})
