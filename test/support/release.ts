/**
 * `npm run release:schema -- 0.2.0`, once for each version, before it is tagged: writes down the checksums of its migrations in
 * `test/postgres/schemas/released.json`, which are never edited from then on, and rows of databases that have its schema in
 * `test/postgres/schemas`. The rows are those that the integration tests leave behind, which write them as users and providers do: of all
 * their databases, the few that together have rows in every table and whose books hold. `-- 0.2.0 test/orders test/gateway` runs some of
 * the tests only.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgConnection } from "@effect/sql-pg"
import { Effect, Layer, Redacted, References } from "effect"
import { SqlClient } from "effect/sql"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { audit } from "../../src/accounts/Audit.ts"
import { paymentAudit } from "../../src/events/PaymentAudit.ts"
import { booksAudit } from "../../src/finance/BooksAudit.ts"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { EmbeddedPostgres } from "../../src/postgres/EmbeddedPostgres.ts"
import { runMigrations } from "../../src/postgres/Migrations.ts"
import { redemptionAudit } from "../../src/redemption/RedemptionAudit.ts"
import { checksumsNow, isOfMigration, readReleased, releasedPath, schemasFolder } from "./ReleasedSchemas.ts"
import { decodeRows, type TableRows, tablesOf, writeRows } from "./SchemaRows.ts"
import { withDatabase } from "./TemplateDatabase.ts"

/** A database with more is left out: the rows are kept for ever, in the repository. */
const BYTES_MAX = 2_000_000

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const [version = "", ...tests] = process.argv.slice(2)
if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error("give the version, such as 0.2.0")
const released = readReleased()
if (released[version] !== undefined) throw new Error(`${version} is released: its migrations and rows stay as they are`)

const runTests = async (folder: string): Promise<void> => {
  say("running the integration tests, whose databases are kept; they may fail here ...")
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs"), "run", "--project", "integration", ...tests],
    { env: { ...process.env, REALMS_KEEP_ROWS: folder }, stdio: ["ignore", "ignore", "inherit"] }
  )
  await once(child, "exit")
}

interface Candidate {
  readonly name: string
  readonly rows: ReadonlyArray<TableRows>
  readonly bytes: number
}

const candidatesIn = async (folder: string): Promise<ReadonlyArray<Candidate>> => {
  const names = await readdir(folder)
  const read = await Promise.all(names.map(async (name) => {
    const { size } = await stat(join(folder, name))
    return size > BYTES_MAX ? [] : [{ name, bytes: size, rows: decodeRows(await readFile(join(folder, name), "utf8")) }]
  }))
  return read.flat()
}

/** Whether the books of a new database with these rows hold, and all that it has is in tables that there are. */
const booksHold = (server: Redacted.Redacted<string>, name: string, rows: ReadonlyArray<TableRows>) =>
  Effect.gen(function*() {
    const connection = yield* PgConnection.make({ url: server })
    yield* connection.query(`CREATE DATABASE ${name}`, [], false)
    const url = withDatabase(Redacted.value(server), name)
    const layer = Layer.fresh(SqlLayer).pipe(Layer.provideMerge(Database.layerOf(Redacted.make(url))))
    return yield* Effect.gen(function*() {
      yield* runMigrations
      const known = new Set(yield* tablesOf(url))
      if (rows.some(({ table }) => !known.has(table))) return false
      yield* writeRows(url, rows)
      const sql = yield* SqlClient.SqlClient
      const report = yield* audit({ checks: [paymentAudit, redemptionAudit, booksAudit] }).pipe(
        Effect.provideService(SqlClient.SqlClient, sql)
      )
      return report.problems.filter(({ message }) => isOfMigration(message)).length === 0
    }).pipe(Effect.provide(layer))
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer), Effect.catchCause(() => Effect.succeed(false)))

/** Chooses databases: always the one that has rows of most tables that none has yet, the smallest of those. */
const choose = Effect.fnUntraced(function*(server: Redacted.Redacted<string>, all: ReadonlyArray<Candidate>) {
  const chosen: Array<Candidate> = []
  const covered = new Set<string>()
  let left = all
  while (left.length > 0) {
    const ranked = left.map((candidate) => ({
      candidate,
      adds: candidate.rows.filter(({ table }) => !covered.has(table)).length
    })).filter(({ adds }) => adds > 0).toSorted((a, b) => b.adds - a.adds || a.candidate.bytes - b.candidate.bytes)
    const [best] = ranked
    if (best === undefined) break
    left = ranked.slice(1).map(({ candidate }) => candidate)
    const { name, rows } = best.candidate
    if (!(yield* booksHold(server, `check_${chosen.length}_${left.length}`, rows))) continue
    chosen.push(best.candidate)
    for (const { table } of rows) covered.add(table)
    say(`${name}: ${best.adds} more tables, ${best.candidate.bytes} bytes`)
  }
  return { chosen, covered }
})

const release = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const made = await mkdtemp(join(tmpdir(), "realms-release-"))
      await chmod(made, 0o711)
      return made
    }),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  const kept = join(folder, "rows")
  yield* Effect.promise(() => mkdir(kept))
  yield* Effect.promise(() => runTests(kept))
  const candidates = yield* Effect.promise(() => candidatesIn(kept))
  say(`${candidates.length} databases`)
  const { url } = yield* EmbeddedPostgres.acquire(join(folder, "data"))
  const { chosen, covered } = yield* choose(url, candidates)
  const all = yield* Effect.gen(function*() {
    yield* runMigrations
    return yield* tablesOf(Redacted.value(url))
  }).pipe(
    Effect.provide(
      Layer.fresh(SqlLayer).pipe(Layer.provideMerge(Database.layerOf(url)), Layer.provide(NodeServices.layer))
    )
  )
  const empty = all.filter((table) => !covered.has(table))
  if (empty.length > 0) {
    say(`NO ROWS: ${empty.join(", ")}. Let a test leave some, unless these tables are always empty.`)
  }
  const to = join(schemasFolder, version)
  yield* Effect.promise(async () => {
    await mkdir(to, { recursive: true })
    await Promise.all(
      chosen.map(({ name }, index) =>
        readFile(join(kept, name)).then((bytes) => writeFile(join(to, `${index + 1}.jsonl`), bytes))
      )
    )
    const list = { ...released, [version]: checksumsNow() }
    await writeFile(releasedPath, `${JSON.stringify(list, null, 2)}\n`)
  })
  say(`${to} and ${releasedPath} are written: commit them with the release`)
}).pipe(
  Effect.scoped,
  Effect.provide(NodeServices.layer),
  Effect.provideService(References.MinimumLogLevel, "Error")
)

await Effect.runPromise(release)
