/**
 * Touches many accounts, lets them be idle until they are forgotten, and prints what memory that took: `accountsProbe.ts COUNT`, in
 * a process of its own over an embedded PostgreSQL of its own.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { AccountIdleMs } from "../src/accounts/AccountResidents.ts"
import { Accounts } from "../src/accounts/Accounts.ts"
import { AppConfig, testConfig } from "../src/config/Config.ts"
import type { UserId } from "../src/domain/Ids.ts"
import { Notifications } from "../src/platform/Notifications.ts"
import { Database, SqlLayer } from "../src/postgres/Database.ts"
import { EmbeddedPostgres } from "../src/postgres/EmbeddedPostgres.ts"
import { runMigrations } from "../src/postgres/Migrations.ts"
import { voidOf } from "../test/support/AccountsProcess.ts"
import { ignoreLoss, PolicyLayer, reserveOf } from "../test/support/TestAccounts.ts"
import { eventually } from "../test/support/Until.ts"
import { residentBytes } from "./processes.ts"

const COUNT = Number(process.argv[2] ?? "10000")
const AT_ONCE = 256
const IDLE_MS = 20_000

const folder = mkdtempSync(join(tmpdir(), "realms-accounts-"))
// As root, PostgreSQL runs as somebody else, who has to get there.
chmodSync(folder, 0o755)

setFlagsFromString("--expose-gc")
const collect: unknown = runInNewContext("gc")

const probe = Effect.gen(function*() {
  yield* runMigrations
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO users (email) SELECT 'u' || i || '@example.com' FROM generate_series(1, ${COUNT}::int) i`
  yield* sql`INSERT INTO user_balances (user_id, usd_micros) SELECT id, 1000000 FROM users`
  const rows = yield* sql<{ id: UserId }>`SELECT id FROM users ORDER BY id`
  const ids = rows.map((row) => row.id)
  const accounts = yield* Accounts
  if (typeof collect === "function") collect()
  const startBytes = residentBytes(process.pid)
  yield* Effect.forEach(ids, (id) =>
    Effect.gen(function*() {
      const command = reserveOf(100n)
      yield* accounts.reserve(id, command, ignoreLoss)
      yield* accounts.void(id, voidOf(command.id))
    }), { concurrency: AT_ONCE, discard: true })
  const residents = () => ids.filter((id) => accounts.isResident(id)).length
  yield* eventually("the idle accounts are forgotten", Effect.sync(residents), (count) => count === 0)
  if (typeof collect === "function") collect()
  const idleBytes = residentBytes(process.pid)
  const peakBytes = residentBytes(process.pid, true)
  process.stdout.write(
    `${JSON.stringify({ accounts: COUNT, startBytes, peakBytes, idleBytes, residents: residents() })}\n`
  )
})

const Services = Layer.unwrap(
  Effect.map(EmbeddedPostgres.acquire(join(folder, "data")), ({ url }) =>
    Accounts.layer.pipe(
      Layer.provide(Notifications.layer),
      Layer.provide(PolicyLayer),
      Layer.provide(AppConfig.layerOf({ ...testConfig(), dataDir: folder })),
      Layer.provideMerge(SqlLayer),
      Layer.provideMerge(Database.layerOf(url, true))
    ))
).pipe(Layer.provideMerge(NodeServices.layer))

await Effect.runPromise(
  probe.pipe(Effect.provide(Services), Effect.provideService(AccountIdleMs, IDLE_MS))
).finally(() => rmSync(folder, { recursive: true, force: true }))
