import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmod, lstat, mkdir, mkdtemp, readlink, rm, unlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { completeInPlace, copyOf } from "../../src/postgres/PostgresBinaries.ts"

/** A package as npm leaves it when it skips install scripts: no links, no executable bits. */
const makePackage = async (root: string): Promise<string> => {
  const nativeDir = join(root, "package", "native")
  await mkdir(join(nativeDir, "bin"), { recursive: true, mode: 0o700 })
  await mkdir(join(nativeDir, "lib"), { mode: 0o700 })
  const programs = ["initdb", "postgres", "pg_ctl"]
  await Promise.all(programs.map((name) => writeFile(join(nativeDir, "bin", name), "#!/bin/sh\n", { mode: 0o600 })))
  await writeFile(join(nativeDir, "lib", "libpq.so.5.18"), "library", { mode: 0o600 })
  const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }]
  await writeFile(join(nativeDir, "pg-symlinks.json"), JSON.stringify(links))
  return nativeDir
}

const fixture = Effect.acquireRelease(
  Effect.promise(async () => {
    const root = await mkdtemp(join(tmpdir(), "realms-binaries-"))
    return { root, installed: { nativeDir: await makePackage(root), version: "18.0.0" } }
  }),
  ({ root }) => Effect.promise(() => rm(root, { recursive: true, force: true }))
)

const modeOf = async (path: string): Promise<number> => (await lstat(path)).mode & 0o777

describe("PostgresBinaries", () => {
  it.effect("adds the links and executable bits that a skipped install script left out", () =>
    Effect.gen(function*() {
      const { installed: { nativeDir } } = yield* fixture
      for (let round = 0; round < 2; round++) {
        assert.isTrue(yield* Effect.promise(() => completeInPlace(nativeDir)))
        assert.strictEqual(yield* Effect.promise(() => readlink(join(nativeDir, "lib", "libpq.so.5"))), "libpq.so.5.18")
        assert.strictEqual(yield* Effect.promise(() => modeOf(join(nativeDir, "bin", "initdb"))), 0o755)
      }
    }))

  it.effect("copies to a folder that everyone may read and only this user may write", () =>
    Effect.gen(function*() {
      const { installed, root } = yield* fixture
      const copyDir = yield* copyOf(root, installed, root)
      assert.strictEqual(copyDir, join(root, `realms-postgres-18.0.0-${process.getuid?.()}`))
      const paths = ["", "bin", "lib", "bin/postgres"]
      for (const path of paths) {
        assert.strictEqual(yield* Effect.promise(() => modeOf(join(copyDir, path))), 0o755, path)
      }
      assert.strictEqual(yield* Effect.promise(() => modeOf(join(copyDir, "lib/libpq.so.5.18"))), 0o644)
      assert.strictEqual(yield* Effect.promise(() => readlink(join(copyDir, "lib/libpq.so.5"))), "libpq.so.5.18")
    }))

  it.effect("reuses a whole copy and replaces one that was partly cleaned away", () =>
    Effect.gen(function*() {
      const { installed, root } = yield* fixture
      const copyDir = yield* copyOf(root, installed, root)
      const first = yield* Effect.promise(() => lstat(copyDir))
      yield* copyOf(root, installed, root)
      assert.strictEqual((yield* Effect.promise(() => lstat(copyDir))).ino, first.ino)
      yield* Effect.promise(() => unlink(join(copyDir, "bin", "pg_ctl")))
      yield* copyOf(root, installed, root)
      assert.strictEqual(yield* Effect.promise(() => modeOf(join(copyDir, "bin", "pg_ctl"))), 0o755)
    }))

  it.effect("runs nothing from a folder that others may write to", () =>
    Effect.gen(function*() {
      const { installed, root } = yield* fixture
      const copyDir = yield* copyOf(root, installed, root)
      yield* Effect.promise(() => chmod(copyDir, 0o777))
      const error = yield* Effect.flip(copyOf(root, installed, root))
      assert.include(error.message, "is not a folder of this user that only this user may write to")
    }))

  it.effect("of several copies at once all end with the same whole one", () =>
    Effect.gen(function*() {
      const { installed, root } = yield* fixture
      const copies = yield* Effect.all(Array.from({ length: 4 }, () => copyOf(root, installed, root)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(copies).size, 1)
      assert.strictEqual(yield* Effect.promise(() => modeOf(join(copies[0] ?? "", "bin", "postgres"))), 0o755)
    }))
})
