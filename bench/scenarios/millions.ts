/**
 * What fifty million calls cost: the pages that show them, a call itself, the ledger check, and the work in the background, each beside
 * the same over a million calls in the same run. It takes half an hour and 40 GB of disk, so it runs only by name.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, References } from "effect"
import { SqlClient } from "effect/sql"
import { statfs } from "node:fs/promises"
import { CliServices } from "../../src/CommandApp.ts"
import { AppConfig, load } from "../../src/config/Config.ts"
import { StatementDays } from "../../src/finance/StatementDays.ts"
import { inDatabase } from "../database.ts"
import { keysOfUsers } from "../growth/users.ts"
import { measurePoint } from "../growth/point.ts"
import { writeMillions } from "../millions.ts"
import { measurePage, signIn } from "../pageClient.ts"
import type { Bench, Scenario } from "../scenario.ts"
import { endProcesses, folder, root, startRealms, startScript } from "../servers.ts"
import { rounded } from "../statistics.ts"

const CALLS = 50_000_000
const CALLS_BESIDE = 1_000_000
const USERS = 10_000
const CONNECTIONS = 64
/** What a call takes on disk while all is written: its row, its entries of indexes, and PostgreSQL's log. */
const BYTES_PER_CALL = 800
const PASSWORD = "correct horse battery"
const ROOT_EMAIL = "root@example.com"
/** The first of the users has some five in a hundred of all calls. */
const HEAVY_EMAIL = "growth1@example.com"

const heavyPaths = [
  "/",
  "/usage",
  "/usage?range=90d",
  "/usage?range=90d&model=o4-mini",
  "/usage?state=voided",
  "/usage?model=none",
  "/usage/days.svg?range=90d",
  "/ledger",
  "/keys"
]
const rootPaths = [
  "/admin",
  "/admin/usage",
  "/admin/usage?range=90d",
  "/admin/usage/days.svg?range=90d",
  "/admin/usage/calls",
  "/admin/usage/calls?range=90d&state=voided",
  "/admin/usage/calls?range=90d&model=none",
  "/admin/users",
  "/admin/statements"
]

/** Closes the days of the year that are over, as the server would have done, each at its end; how many ms a day took. */
const closeDays = (config: string): Promise<number> =>
  Effect.runPromise(
    Effect.gen(function*() {
      const services = CliServices.pipe(
        Layer.provide(AppConfig.layerOf(yield* load({ cwd: root, env: { REALMS_CONFIG: config } })))
      )
      return yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const days = yield* StatementDays
        yield* sql`INSERT INTO app_settings (key, value) VALUES ('finance.time_zone', '"UTC"') ON CONFLICT DO NOTHING`
        const startedMs = performance.now()
        let closed = 0
        for (let step = -1; step !== 0; closed += step) step = (yield* days.closeDue).length
        return (performance.now() - startedMs) / Math.max(1, closed)
      }).pipe(Effect.provide(services))
    }).pipe(Effect.provide(NodeServices.layer), Effect.provideService(References.MinimumLogLevel, "Error"))
  )

/** Milliseconds of what a size takes, by what it is. */
type Times = ReadonlyMap<string, number>

const background: Readonly<Record<string, string>> = {
  "whose usage is to be folded, all users": "SELECT count(*) FROM realms_usage_due_v1(0, 100000, 180000)"
}

const measureSize = async (calls: number, { isQuick, say }: Bench): Promise<Times> => {
  const times = new Map<string, number>()
  const upstream = await startScript("upstream.ts")
  const realms = await startRealms(upstream.origin)
  realms.commandGiven(PASSWORD, "user", "create", "--email", ROOT_EMAIL, "--role", "root", "--password-stdin")
  const startedMs = performance.now()
  await inDatabase(realms.dataDir, (sql) =>
    Effect.gen(function*() {
      const user = yield* writeMillions(sql, { calls, users: USERS, say })
      yield* sql`UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE email = ${ROOT_EMAIL})
        WHERE id = ${user}`
    }))
  say(`${calls} calls were written in ${Math.round((performance.now() - startedMs) / 1_000)} s`)
  say("closing the days of the books ...")
  times.set("a day of the books is closed", await closeDays(realms.config))
  const rounds = isQuick ? 5 : 15
  for (const [email, paths] of [[HEAVY_EMAIL, heavyPaths], [ROOT_EMAIL, rootPaths]] as const) {
    const cookie = await signIn(realms.origin, { email, password: PASSWORD })
    for (const path of paths) {
      const { p50, status } = await measurePage(`${realms.origin}${path}`, { cookie, rounds, warmUps: 3 })
      if (status !== 200) say(`${path} is answered ${status}`)
      times.set(path, status === 200 ? p50 : Infinity)
      say(`${path}: ${rounded(p50)} ms`)
    }
  }
  say("calls ...")
  const point = await measurePoint({
    realms,
    load: { keys: keysOfUsers(1_000), connections: CONNECTIONS },
    size: calls,
    isQuick
  })
  times.set("a call, 64 connections", 1_000 / point.callsPerSecond)
  times.set("a call's CPU of PostgreSQL", point.databaseMicros / 1_000)
  say(`${point.callsPerSecond} calls/s`)
  await inDatabase(realms.dataDir, (sql) =>
    Effect.gen(function*() {
      yield* sql.unsafe("SET statement_timeout = 0")
      for (const [what, statement] of Object.entries(background)) {
        yield* sql.unsafe(statement)
        const fromMs = performance.now()
        yield* sql.unsafe(statement)
        times.set(what, performance.now() - fromMs)
      }
      const [size] = yield* sql<{ bytes: bigint }>`SELECT pg_database_size(current_database()) AS bytes`
      say(`the database has ${Number(size?.bytes ?? 0n) / 2 ** 30} GiB`)
    }))
  say("the ledger check ...")
  const auditMs = performance.now()
  say(realms.command("audit"))
  times.set("the ledger check", performance.now() - auditMs)
  await endProcesses()
  return times
}

/** What takes longer where there is more of it, by its nature; everything else has to stay as quick as it was. */
const growing: ReadonlySet<string> = new Set(["the ledger check", "a day of the books is closed"])

/** Pages are there within so many ms, at the median. */
const PAGE_MS_MAX = 100

export const millions: Scenario = {
  name: "millions",
  about: "Pages, calls, the ledger check and background work over fifty million calls, beside a million",
  isLong: true,
  run: async (bench) => {
    const { figure, isQuick, rowsMax } = bench
    const calls = rowsMax ?? (isQuick ? 300_000 : CALLS)
    const beside = Math.min(CALLS_BESIDE, Math.ceil(calls / 10))
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    if (free < calls * BYTES_PER_CALL) {
      throw new Error(`${folder} has ${free} bytes free; ${calls} calls need some ${calls * BYTES_PER_CALL}`)
    }
    const few = await measureSize(beside, bench)
    const many = await measureSize(calls, bench)
    for (const [what, ms] of many) {
      const before = few.get(what) ?? 0
      figure({
        what,
        value: rounded(ms, 2),
        unit: "ms",
        note: `${rounded(before, 2)} ms at ${beside} calls, ${rounded(ms / before, 2)} times that at ${calls}`,
        ...(growing.has(what)
          ? {}
          : { target: { atMost: what.startsWith("/") ? PAGE_MS_MAX : rounded(before * 1.25, 2) } })
      })
    }
  }
}
