/**
 * Where the files of a backup are put: beside what is there, which they never replace, on any disk. A disk without hard links is tried
 * with two file systems, between which there are none either.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { moveOut } from "../../src/postgres/RestoredCluster.ts"

const MEMORY = "/dev/shm"

const areTwo = existsSync(MEMORY) && statSync(MEMORY).dev !== statSync(tmpdir()).dev

const folderIn = (place: string) =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(place, "realms-restored-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

const cases = [
  ["the same file system", tmpdir(), true],
  [areTwo ? "another file system" : "another file system (left out: the machine has no /dev/shm)", MEMORY, areTwo]
] as const

describe("files of a backup", () => {
  for (const [name, place, isThere] of cases) {
    it.effect.skipIf(!isThere)(`move to ${name}, whole and for nobody else to read`, () =>
      Effect.gen(function*() {
        const [from, to] = [yield* folderIn(tmpdir()), yield* folderIn(place)]
        writeFileSync(join(from, "key"), "the key", { mode: 0o600 })
        yield* moveOut(to, [{ from: join(from, "key"), name: "master.key" }])
        assert.strictEqual(readFileSync(join(to, "master.key"), "utf8"), "the key")
        assert.strictEqual(statSync(join(to, "master.key")).mode & 0o777, 0o600)
        assert.isFalse(existsSync(join(from, "key")))
      }))

    it.effect.skipIf(!isThere)(`replace nothing on ${name}, and are not lost`, () =>
      Effect.gen(function*() {
        const [from, to] = [yield* folderIn(tmpdir()), yield* folderIn(place)]
        writeFileSync(join(from, "key"), "the key", { mode: 0o600 })
        writeFileSync(join(to, "master.key"), "another one")
        const refused = yield* Effect.flip(moveOut(to, [{ from: join(from, "key"), name: "master.key" }]))
        assert.include(refused.message, "master.key")
        assert.strictEqual(readFileSync(join(to, "master.key"), "utf8"), "another one")
        assert.strictEqual(readFileSync(join(from, "key"), "utf8"), "the key")
      }))
  }
})
