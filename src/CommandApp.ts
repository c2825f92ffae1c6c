/**
 * The lower floors of the layer graph, on which every command stands. A command that is over in a moment loads no more than these. No
 * logic.
 */
import { Effect, Layer } from "effect"
import { AccountPolicy } from "./accounts/AccountPolicy.ts"
import { AccountsLayer } from "./accounts/AccountsLayer.ts"
import { ModelAdmin } from "./catalog/ModelAdmin.ts"
import { AppConfig } from "./config/Config.ts"
import { SecondPersonLayer } from "./confirmations/SecondPersonRule.ts"
import { EventsLayer } from "./events/EventsLayer.ts"
import { SettlementLayer } from "./events/Settlement.ts"
import { FinanceLayer } from "./finance/FinanceLayer.ts"
import { IdentityLayer } from "./identity/IdentityLayer.ts"
import { NoticesLayer } from "./notices/NoticesLayer.ts"
import { OrdersLayer } from "./orders/OrdersLayer.ts"
import { CheckoutSessions } from "./orders/CheckoutSessions.ts"
import { PaymentsLayer } from "./payments/PaymentsLayer.ts"
import { PlatformLayer } from "./platform/PlatformLayer.ts"
import { runMigrations } from "./postgres/Migrations.ts"
import { PostgresLayer, UnmigratedLayer } from "./postgres/PostgresLayer.ts"
import { RedemptionLayer } from "./redemption/RedemptionLayer.ts"
import { Settings } from "./settings/Settings.ts"
import { SettingsLayer } from "./settings/SettingsLayer.ts"
import { PlanAdmin } from "./subscriptions/PlanAdmin.ts"

/** What accounts follow is a setting. */
const AccountPolicyLayer = Layer.effect(
  AccountPolicy,
  Effect.map(
    Settings,
    (settings) => AccountPolicy.of({ expiredReservation: () => settings.current().billing.expiredReservation })
  )
)

/** The ports of lower folders that the floor of accounts and settings needs. */
const PortsLayer = Layer.mergeAll(AccountPolicyLayer, SecondPersonLayer).pipe(Layer.provideMerge(Settings.layer))

/** Money in and its books: what the command line and the server have in common. */
const MoneyLayer = Layer.mergeAll(EventsLayer, FinanceLayer, RedemptionLayer).pipe(
  Layer.provideMerge(OrdersLayer),
  Layer.provideMerge(SettlementLayer.pipe(Layer.provideMerge(CheckoutSessions.layer)))
)

/** What the command line stands on; needs `AppConfig`. */
export const CliServices = Layer.mergeAll(MoneyLayer, ModelAdmin.layer, PlanAdmin.layer).pipe(
  Layer.provideMerge(Layer.mergeAll(IdentityLayer, PaymentsLayer)),
  Layer.provideMerge(NoticesLayer),
  Layer.provideMerge(Layer.mergeAll(AccountsLayer, SettingsLayer)),
  Layer.provideMerge(PortsLayer),
  Layer.provideMerge(PlatformLayer),
  Layer.provideMerge(PostgresLayer)
)

/** Applies pending migrations, and those of the tables of a cluster. */
export const migrate = Effect.gen(function*() {
  const { applied } = yield* runMigrations
  const { makeClusterTables } = yield* Effect.promise(() => import("./cluster/ClusterTables.ts"))
  yield* makeClusterTables
  return applied
}).pipe(
  Effect.provide(UnmigratedLayer.pipe(Layer.provide(AppConfig.layer)))
)
