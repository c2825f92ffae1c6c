/**
 * Accounts as another process would run them - their own pool, journal and listener over a URL, their own data folder -
 * and what tests of faults wait for and look at.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { CallOutcome, Commit, Void } from "../../src/accounts/AccountState.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { makeProxy } from "./JournalProxy.ts"
import { scratchFolder } from "./ScratchFolder.ts"
import { PolicyLayer, used } from "./TestAccounts.ts"
import { eventually } from "./Until.ts"

type NotificationsLayer = Layer.Layer<Notifications, never, Database | SqlClient.SqlClient>

const processAt = (url: string, dataDir: string, policy: typeof PolicyLayer, notifications: NotificationsLayer) =>
  Layer.build(Layer.fresh(Accounts.layer.pipe(
    Layer.provideMerge(notifications),
    Layer.provide(policy),
    Layer.provide(AppConfig.layerOf({ ...testConfig(), dataDir })),
    Layer.provide(NodeServices.layer),
    Layer.provide(SqlLayer),
    Layer.provide(Database.layerOf(Redacted.make(url)))
  )))

/** Accounts over the database at `url`, as long as the scope. */
export const accountsAt = (
  url: string,
  dataDir: string,
  policy = PolicyLayer,
  notifications: NotificationsLayer = Notifications.layer
) => Effect.map(processAt(url, dataDir, policy, notifications), (context) => Context.get(context, Accounts))

/** The accounts of such a process, once it hears of changes: until then it trusts nothing that it has read. */
const hearingAt = Effect.fnUntraced(function*(url: string, dataDir: string, policy = PolicyLayer) {
  const context = yield* processAt(url, dataDir, policy, Notifications.layer)
  const notifications = Context.get(context, Notifications)
  yield* eventually("the process hears of changes", Effect.sync(() => notifications.isUp()), (isUp) => isUp)
  return Context.get(context, Accounts)
})

/** Accounts of another process over the same database. */
export const anotherProcess = (policy = PolicyLayer) =>
  Effect.gen(function*() {
    return yield* hearingAt(yield* databaseUrl, yield* scratchFolder, policy)
  })

/** The URL of the test's database. */
export const databaseUrl = Effect.map(Database, ({ url }) => Redacted.value(url))

/**
 * Accounts behind a proxy, with a data folder of their own. Messages about users who were made before are never heard here: a test that
 * counts on what these accounts have read makes its users first.
 */
export const proxied = Effect.gen(function*() {
  const proxy = yield* makeProxy(yield* databaseUrl)
  const dataDir = yield* scratchFolder
  return { proxy, dataDir, accounts: yield* hearingAt(proxy.url, dataDir) }
})

export interface UsageRow {
  readonly state: string
  readonly funding: string
  readonly reserved_micros: bigint
  readonly charged_micros: bigint | null
  readonly cost_micros: bigint | null
  readonly late: boolean
  readonly reason: string | null
  readonly lease_ms: number
  /** Rows that one transaction wrote last have this in common. */
  readonly written_by: string
}

/** The stored row of a call. */
export const usageOf = Effect.fn("usageOf")(function*(id: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<
    UsageRow
  >`SELECT state, funding, reserved_micros, charged_micros + late_charged_micros AS charged_micros, cost_micros, late, reason,
    (extract(epoch FROM lease_expires_at) * 1000)::float8 AS lease_ms, coalesce(
      (SELECT e.xmin FROM usage_events e WHERE e.id = ${id}), (SELECT h.xmin FROM open_holds h WHERE h.id = ${id})
    )::text AS written_by
    FROM calls WHERE id = ${id}`
  return row
})

/** Waits for a call to be in a state. */
export const untilState = (id: string, state: string) =>
  eventually(`${id} is ${state}`, usageOf(id), (row) => row?.state === state)

export const commitOf = (id: string, tokens: number, atMs = 2_000): Commit => ({
  _tag: "Commit",
  id,
  outcome: used(tokens),
  atMs
})

export const voidOf = (id: string, outcome: CallOutcome = used(0)): Void => ({ _tag: "Void", id, outcome })

/** Waits until accounts whose database was away are back. */
export const untilAvailable = (accounts: typeof Accounts.Service) =>
  eventually("the accounts are back", Effect.sync(() => accounts.isAvailable()), (is) => is)
