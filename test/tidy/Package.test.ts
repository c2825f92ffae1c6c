/**
 * What the project's folder and its package files promise: nothing unknown at the top, exact versions, a lock file that
 * works behind any mirror, and an answer for every dependency that wants to run a script when it is installed.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readText, topLevelNames } from "./SourceFiles.ts"

const Versions = Schema.Record(Schema.String, Schema.String)
const Manifest = Schema.fromJsonString(Schema.Struct({
  dependencies: Versions,
  devDependencies: Versions,
  allowScripts: Schema.Record(Schema.String, Schema.Boolean)
}))
const Lock = Schema.fromJsonString(Schema.Struct({
  packages: Schema.Record(Schema.String, Schema.Struct({ hasInstallScript: Schema.optionalKey(Schema.Boolean) }))
}))

const manifest = Schema.decodeUnknownSync(Manifest)(readText("package.json"))
const lockText = readText("package-lock.json")
const lock = Schema.decodeUnknownSync(Lock)(lockText)

const allowedAtTop = new Set([
  "package.json",
  "package-lock.json",
  "config.yaml",
  "src",
  "migrations",
  "test",
  "bench",
  "docs",
  "docker-compose.yml",
  "Dockerfile",
  "LICENSE",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  ".ci",
  ".npmrc",
  ".gitignore",
  ".dockerignore",
  ".oxlintrc.json",
  "dprint.json",
  "vitest.config.ts"
])
const mayBeAtTop = (name: string): boolean => allowedAtTop.has(name) || /^(?:tsconfig.*\.json|README.*)$/.test(name)

describe("package", () => {
  it("has only known entries at the top", () => {
    assert.isFalse(mayBeAtTop("notes.txt"))
    assert.deepStrictEqual(topLevelNames().filter((name) => !mayBeAtTop(name)), [])
  })

  it("pins exact versions", () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies }
    assert.deepStrictEqual(
      Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)),
      []
    )
  })

  it("names no registry in the lock file", () => {
    assert.notMatch(lockText, /"resolved"/)
    assert.notMatch(lockText, /registry\.|npmmirror|\/-\/[^"]+\.tgz/)
  })

  it("has an answer for every install script", () => {
    const wanting = Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript === true)
      .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))
    assert.isAbove(wanting.length, 0)
    assert.deepStrictEqual([...new Set(wanting)].toSorted(), Object.keys(manifest.allowScripts).toSorted())
  })
})
