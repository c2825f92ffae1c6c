/**
 * The layer graph: one layer for each folder, floor on floor, as the imports point. No logic.
 */
import { Context, Effect, Layer } from "effect"
import { AccountPolicy } from "./accounts/AccountPolicy.ts"
import { AccountsLayer } from "./accounts/AccountsLayer.ts"
import { AccountsWorkLayer } from "./accounts/AccountsWorkLayer.ts"
import { CatalogLayer } from "./catalog/CatalogLayer.ts"
import { ChannelsLayer } from "./channels/ChannelsLayer.ts"
import { runDemo } from "./cli/DemoCommand.ts"
import { AppConfig } from "./config/Config.ts"
import type { RealmsConfig } from "./config/RealmsConfig.ts"
import { ConfirmationsLayer } from "./confirmations/ConfirmationsLayer.ts"
import { SecondPersonLayer } from "./confirmations/SecondPersonRule.ts"
import { EventsLayer } from "./events/EventsLayer.ts"
import { ReconcilerLayer } from "./events/Reconciliation.ts"
import { SettlementLayer } from "./events/Settlement.ts"
import { FinanceLayer } from "./finance/FinanceLayer.ts"
import { DayCloserLayer } from "./finance/StatementDays.ts"
import { GatewayLayer } from "./gateway/GatewayLayer.ts"
import { HttpLayer } from "./http/HttpLayer.ts"
import { HttpServer } from "./http/HttpServer.ts"
import { IdentityCleanerLayer } from "./identity/IdentityCleaner.ts"
import { IdentityLayer } from "./identity/IdentityLayer.ts"
import { announceSetup } from "./identity/SetupLinks.ts"
import { OrdersLayer } from "./orders/OrdersLayer.ts"
import { CheckoutSessions } from "./orders/CheckoutSessions.ts"
import { PaymentsLayer } from "./payments/PaymentsLayer.ts"
import { PlatformLayer } from "./platform/PlatformLayer.ts"
import { Telemetry } from "./platform/Telemetry.ts"
import { runMigrations } from "./postgres/Migrations.ts"
import { PostgresLayer, UnmigratedLayer } from "./postgres/PostgresLayer.ts"
import { RedemptionLayer } from "./redemption/RedemptionLayer.ts"
import { Settings } from "./settings/Settings.ts"
import { SettingsLayer } from "./settings/SettingsLayer.ts"
import { SubscriptionsLayer } from "./subscriptions/SubscriptionsLayer.ts"
import { UsageLayer } from "./usage/UsageLayer.ts"
import { UsageFolderLayer } from "./usage/UsageFolds.ts"

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
export const CliServices = MoneyLayer.pipe(
  Layer.provideMerge(Layer.mergeAll(IdentityLayer, PaymentsLayer)),
  Layer.provideMerge(Layer.mergeAll(AccountsLayer, SettingsLayer)),
  Layer.provideMerge(PortsLayer),
  Layer.provideMerge(PlatformLayer),
  Layer.provideMerge(PostgresLayer)
)

/** What a server does in the background. All of it has ended before the accounts drain. */
const BackgroundLayer = Layer.mergeAll(ReconcilerLayer, IdentityCleanerLayer, UsageFolderLayer, DayCloserLayer).pipe(
  Layer.provideMerge(AccountsWorkLayer)
)

/** The whole server; needs `AppConfig`. */
export const ServerServices = HttpLayer.pipe(
  Layer.provideMerge(BackgroundLayer),
  Layer.provideMerge(ConfirmationsLayer),
  Layer.provideMerge(Layer.mergeAll(GatewayLayer, UsageLayer)),
  Layer.provideMerge(Layer.mergeAll(ChannelsLayer, SubscriptionsLayer).pipe(Layer.provideMerge(CatalogLayer))),
  Layer.provideMerge(CliServices)
)

/** The log line that says where to connect. */
const announce = Effect.gen(function*() {
  const server = yield* HttpServer
  yield* Effect.logInfo(`listening on http://${server.host}:${server.port}`)
})

/** Runs the server until it is interrupted. */
export const serve = announce.pipe(
  Effect.andThen(announceSetup),
  Effect.andThen(Effect.never),
  Effect.provide(ServerServices.pipe(Layer.provideMerge(Telemetry.layer), Layer.provide(AppConfig.layerOfServer)))
)

/** Applies pending migrations. */
export const migrate = Effect.map(runMigrations, (report) => report.applied).pipe(
  Effect.provide(UnmigratedLayer.pipe(Layer.provide(AppConfig.layer)))
)

/** The server of a given configuration, as long as the scope. */
export const serveWith = (config: RealmsConfig) =>
  Layer.build(
    ServerServices.pipe(Layer.provideMerge(Telemetry.layerOf(config.log)), Layer.provide(AppConfig.layerOf(config)))
  )

const baseUrlOf = (context: Context.Context<HttpServer>) => {
  const { host, port } = Context.get(context, HttpServer)
  return { baseUrl: `http://${host}:${port}` }
}

/** The demo: everything offline, in a scratch folder. */
export const demo = runDemo({ services: CliServices, serveWith: (config) => Effect.map(serveWith(config), baseUrlOf) })
