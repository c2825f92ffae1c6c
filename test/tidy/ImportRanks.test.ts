/**
 * Imports point down only, and never sideways: a folder may import folders of a lower rank, and of those only files
 * that are not marked `@internal` in their header. So a part can be read, tested and replaced without those above it.
 */
import { assert, describe, it } from "@effect/vitest"
import { posix } from "node:path"
import { headerOf, sourceFiles, withoutComments } from "./SourceFiles.ts"

const ranks: ReadonlyArray<ReadonlyArray<string>> = [
  ["domain"],
  ["config"],
  ["postgres"],
  ["platform"],
  ["cluster"],
  ["accounts", "settings"],
  ["notices"],
  ["identity", "catalog", "channels", "payments", "subscriptions"],
  ["orders"],
  ["events", "finance", "redemption", "gateway", "usage", "backup"],
  ["confirmations"],
  ["http", "cli", "runners"],
  ["CommandApp.ts"],
  ["App.ts"],
  ["CommandLine.ts"],
  ["main.ts"]
]

/** Imports between folders of one rank that are wanted all the same, `from -> to`, each with its reason. */
const sideways: ReadonlyMap<string, string> = new Map<string, string>([])

/** The folder below src that a file belongs to, or the file itself when it lies at the top. */
const partOf = (path: string): string => path.split("/")[1] ?? path

const rankOf = (part: string): number => ranks.findIndex((parts) => parts.includes(part))

/** What is wrong with an import of one part by another, if anything is. */
const judge = (from: string, to: string, internal: boolean): string | undefined => {
  if (from === to) return undefined
  if (rankOf(from) === -1) return `${from} has no rank`
  if (rankOf(to) === -1) return `${to} has no rank`
  if (internal) return `is internal to ${to}`
  if (rankOf(to) < rankOf(from) || sideways.has(`${from} -> ${to}`)) return undefined
  return `${from} may not import ${to}`
}

const importsOf = (text: string): ReadonlyArray<string> =>
  [...withoutComments(text).matchAll(/\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].flatMap((match) =>
    match[1] ?? []
  )

describe("import ranks", () => {
  const files = sourceFiles(["src"], /\.tsx?$/)
  const internal = new Set(files.filter((file) => headerOf(file.text)?.includes("@internal")).map((file) => file.path))

  it("judges a pair", () => {
    const table: ReadonlyArray<readonly [from: string, to: string, internal: boolean, allowed: boolean]> = [
      ["accounts", "domain", false, true],
      ["accounts", "accounts", true, true],
      ["accounts", "platform", true, false],
      ["domain", "accounts", false, false],
      ["postgres", "config", false, true],
      ["config", "postgres", false, false],
      ["postgres", "platform", false, false],
      ["accounts", "settings", false, false],
      ["payments", "orders", false, false],
      ["orders", "events", false, false],
      ["events", "orders", false, true],
      ["gateway", "events", false, false],
      ["gateway", "usage", false, false],
      ["http", "gateway", false, true],
      ["App.ts", "cli", false, true],
      ["cli", "App.ts", false, false],
      ["main.ts", "App.ts", false, true],
      ["utils", "domain", false, false]
    ]
    for (const [from, to, isInternal, allowed] of table) {
      assert.strictEqual(judge(from, to, isInternal) === undefined, allowed, `${from} -> ${to}`)
    }
  })

  it("sees every form of import", () => {
    const text =
      `import "./a.ts"\nimport { b } from "../b.ts"\nexport * from "./c.ts"\nawait import("./d.ts")\n// from "./e.ts"`
    assert.deepStrictEqual(importsOf(text), ["./a.ts", "../b.ts", "./c.ts", "./d.ts"])
  })

  it("gives every part a rank", () => {
    const parts = new Set(files.map((file) => partOf(file.path)))
    assert.deepStrictEqual([...parts].filter((part) => rankOf(part) === -1), [])
  })

  it("keeps the simulators outside: they know nothing of the product, and one file of the product loads them", () => {
    const simulators = sourceFiles(["simulators"], /\.ts$/)
    assert.isAbove(simulators.length, 30)
    const leaving = simulators.flatMap((file) =>
      importsOf(file.text).map((specifier) => posix.join(posix.dirname(file.path), specifier))
        .filter((target) => !target.startsWith("simulators/"))
    )
    assert.deepStrictEqual(leaving, [])
    const naming = files.filter(({ text }) => /\bsimulators\//.test(withoutComments(text))).map(({ path }) => path)
    assert.deepStrictEqual(naming, ["src/cli/DemoSimulators.ts"])
  })

  it("points down only", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file.text).flatMap((specifier) => {
        const target = posix.join(posix.dirname(file.path), specifier)
        if (!target.startsWith("src/")) return [`${file.path}: ${specifier} leaves src`]
        const problem = judge(partOf(file.path), partOf(target), internal.has(target))
        return problem === undefined ? [] : [`${file.path}: ${specifier} ${problem}`]
      })
    )
    assert.deepStrictEqual(wrong, [], wrong.join("\n"))
  })
})
