import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MigrationsFolder, runMigrations } from "../../src/postgres/Migrations.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

type Files = Readonly<Record<string, string>>

/** Runs the migrations of a folder that has these files. */
const migrate = (files: Files) =>
  Effect.acquireUseRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "realms-migrations-"))),
    (folder) =>
      Effect.promise(() =>
        Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)))
      )
        .pipe(Effect.andThen(runMigrations), Effect.provideService(MigrationsFolder, folder)),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )

const failure = (files: Files) => Effect.map(Effect.flip(migrate(files)), (error) => error.message)

const first: Files = {
  "0001_first.sql": `CREATE TABLE a (n integer);
    CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN n * 2; END; $$;
    INSERT INTO a VALUES (twice(21)); -- done;`
}
const second: Files = { ...first, "0002_second.sql": "ALTER TABLE a ADD m text; CREATE INDEX ON a (m);" }

describe("Migrations", () => {
  it.effect("applies what is pending, once, in order", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(yield* migrate(first), { applied: ["0001_first"] })
      assert.deepStrictEqual(yield* migrate(first), { applied: [] })
      assert.deepStrictEqual(yield* migrate(second), { applied: ["0002_second"] })
      assert.deepStrictEqual(yield* sql`SELECT n FROM a`, [{ n: 42 }])
      const rows = yield* sql<{ id: number; name: string }>`SELECT id, name FROM realms_migrations ORDER BY id`
      assert.deepStrictEqual(rows, [{ id: 1, name: "first" }, { id: 2, name: "second" }])
    }).pipe(Effect.provide(TestDatabase.layerEmpty)))

  it.effect("line ends do not make a file another one, its content does", () =>
    Effect.gen(function*() {
      yield* migrate(first)
      const text = first["0001_first.sql"] ?? ""
      assert.deepStrictEqual(yield* migrate({ "0001_first.sql": text.replaceAll("\n", "\r\n") }), { applied: [] })
      const message = yield* failure({ "0001_first.sql": `${text} ` })
      assert.include(message, "0001_first was changed after it was applied")
      assert.include(message, "restore it")
      assert.include(message, "new data_dir")
    }).pipe(Effect.provide(TestDatabase.layerEmpty)))

  it.effect("refuses a database of a newer version and a late file", () =>
    Effect.gen(function*() {
      yield* migrate(second)
      assert.include(yield* failure(first), "written by a newer Realms (migration 0002_second")
      yield* migrate({ ...second, "0004_fourth.sql": "SELECT 1" })
      const late = { ...second, "0003_third.sql": "SELECT 1", "0004_fourth.sql": "SELECT 1" }
      assert.include(yield* failure(late), "0003_third comes before 4")
    }).pipe(Effect.provide(TestDatabase.layerEmpty)))

  it.effect("refuses a database of an unreleased version and says what to do", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* migrate(second)
      const { "0001_first.sql": one = "", "0002_second.sql": two = "" } = second
      const cases: ReadonlyArray<readonly [Files, string]> = [
        [{ "0001_start.sql": one, "0002_second.sql": two }, "0001_first, here it is 0001_start."],
        [{ "0001_start.sql": "SELECT 1" }, "0001_first, here it is 0001_start."],
        [{ "0001_first.sql": one, "0002_other.sql": two }, "0002_second, here it is 0002_other."],
        [{ "0002_second.sql": two }, "0001_first, which is unknown here."]
      ]
      for (const [files, difference] of cases) {
        const message = yield* failure(files)
        assert.include(message, "made by an unreleased version of Realms")
        assert.include(message, difference)
        assert.include(message, "start with a new data_dir, or set DATABASE_URL to a new database")
      }
      assert.deepStrictEqual(yield* sql`SELECT id FROM realms_migrations ORDER BY id`, [{ id: 1 }, { id: 2 }])
    }).pipe(Effect.provide(TestDatabase.layerEmpty)))

  it.effect("a failure leaves nothing behind and says where it was", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const broken = { ...first, "0002_second.sql": "CREATE TABLE b (); SELECT nonsense();" }
      const message = yield* failure(broken)
      assert.include(message, "0002_second failed at statement 2 of 2 (SELECT nonsense()")
      assert.include(message, "nonsense() does not exist")
      assert.deepStrictEqual(yield* sql`SELECT to_regclass('a') AS a, to_regclass('realms_migrations') AS m`, [{
        a: null,
        m: null
      }])
      assert.include(yield* failure({ "first.sql": "" }), "is not named NNNN_name.sql")
      assert.include(yield* failure({ "0001_a.sql": "", "0001_b.sql": "" }), "Two migrations have the number 1")
    }).pipe(Effect.provide(TestDatabase.layerEmpty)))

  it.effect("several that start at once apply each migration once", () =>
    Effect.gen(function*() {
      const runs = yield* Effect.all(Array.from({ length: 4 }, () => migrate(second)), { concurrency: "unbounded" })
      assert.deepStrictEqual(runs.flatMap((run) => run.applied), ["0001_first", "0002_second"])
    }).pipe(Effect.provide(TestDatabase.layerEmpty)))

  it.effect("the schema of this version is applied to test databases, and again changes nothing", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(yield* runMigrations, { applied: [] })
      const rows = yield* sql`SELECT name FROM realms_migrations WHERE id = 1`
      assert.deepStrictEqual(rows, [{ name: "identity" }])
    }).pipe(Effect.provide(TestDatabase.layer)))
})
