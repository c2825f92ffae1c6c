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
  devDependencies: Schema.optionalKey(Versions),
  allowScripts: Schema.optionalKey(Schema.Record(Schema.String, Schema.Boolean))
}))
const Lock = Schema.fromJsonString(Schema.Struct({
  packages: Schema.Record(Schema.String, Schema.Struct({ hasInstallScript: Schema.optionalKey(Schema.Boolean) }))
}))

/** The project, and the clients that its tests run. */
const packages = ["", "test/clients/"].map((folder) => {
  const lockText = readText(`${folder}package-lock.json`)
  return {
    name: `${folder}package.json`,
    manifest: Schema.decodeUnknownSync(Manifest)(readText(`${folder}package.json`)),
    lockText,
    lock: Schema.decodeUnknownSync(Lock)(lockText)
  }
})

const wantingScripts = (lock: typeof Lock.Type): ReadonlyArray<string> =>
  Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))

const allowedAtTop = new Set([
  "package.json",
  "package-lock.json",
  "config.yaml",
  "simulators",
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
  "rolldown.config.js",
  "vitest.config.ts"
])
const mayBeAtTop = (name: string): boolean => allowedAtTop.has(name) || /^(?:tsconfig.*\.json|README.*)$/.test(name)

describe("package", () => {
  it("has only known entries at the top", () => {
    assert.isFalse(mayBeAtTop("notes.txt"))
    assert.deepStrictEqual(topLevelNames().filter((name) => !mayBeAtTop(name)), [])
  })

  for (const { name, manifest, lockText, lock } of packages) {
    it(`pins exact versions in ${name}`, () => {
      const versions = { ...manifest.dependencies, ...manifest.devDependencies }
      assert.deepStrictEqual(
        Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)),
        []
      )
    })

    it(`names no registry in the lock file beside ${name}`, () => {
      assert.notMatch(lockText, /"resolved"/)
      assert.notMatch(lockText, /registry\.|npmmirror|\/-\/[^"]+\.tgz/)
    })

    it(`has an answer for every install script in ${name}`, () => {
      assert.deepStrictEqual(
        [...new Set(wantingScripts(lock))].toSorted(),
        Object.keys(manifest.allowScripts ?? {}).toSorted()
      )
    })
  }

  it("sees an install script", () => {
    assert.isTrue(packages.some(({ lock }) => wantingScripts(lock).length > 0))
  })
})
