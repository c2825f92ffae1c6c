/** Brings an empty database to the schema of an earlier time, for tests of what a migration makes of old rows. */
import { Effect } from "effect"
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MigrationsFolder, runMigrations } from "../../src/postgres/Migrations.ts"

const migrations = join(import.meta.dirname, "../../migrations")

/** Runs the migrations up to a number. */
export const migrateTo = (last: number) =>
  Effect.acquireUseRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "realms-migrate-"))),
    (folder) =>
      Effect.promise(async () => {
        const files = (await readdir(migrations)).filter((name) => Number(name.slice(0, 4)) <= last)
        await Promise.all(files.map((name) => copyFile(join(migrations, name), join(folder, name))))
      }).pipe(Effect.andThen(runMigrations), Effect.provideService(MigrationsFolder, folder)),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )
