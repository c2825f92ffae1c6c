/**
 * The layer graph: which service stands on which. No logic.
 */
import { NodeServices } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { AccountOverview } from "./accounts/AccountOverview.ts"
import { AccountPolicy } from "./accounts/AccountPolicy.ts"
import { Accounts } from "./accounts/Accounts.ts"
import { Adjustments } from "./accounts/Adjustments.ts"
import { DebtWaivers } from "./accounts/DebtWaivers.ts"
import { LedgerDrift } from "./accounts/LedgerDrift.ts"
import { LedgerList } from "./accounts/LedgerList.ts"
import { ResponseReferences } from "./accounts/ResponseReferences.ts"
import { sweeper } from "./accounts/Sweeper.ts"
import { Catalog } from "./catalog/Catalog.ts"
import { declareModels } from "./catalog/Declared.ts"
import { ModelAdmin } from "./catalog/ModelAdmin.ts"
import { PriceImports } from "./catalog/PriceImports.ts"
import { ChannelAdmin } from "./channels/ChannelAdmin.ts"
import { ChannelHealth } from "./channels/ChannelHealth.ts"
import { Channels, declareChannels } from "./channels/Channels.ts"
import { ChannelShares } from "./channels/ChannelShares.ts"
import { runDemo } from "./cli/DemoCommand.ts"
import { Confirmations } from "./confirmations/Confirmations.ts"
import { secondPersonLayer } from "./confirmations/SecondPersonRule.ts"
import { Callbacks } from "./events/Callbacks.ts"
import { Corrections } from "./events/Corrections.ts"
import { EventResolutions } from "./events/EventResolutions.ts"
import { ManualPayments } from "./events/ManualPayments.ts"
import { OrderHistory } from "./events/OrderHistory.ts"
import { PaymentEvents } from "./events/PaymentEvents.ts"
import { reconciler, Reconciliation } from "./events/Reconciliation.ts"
import { settlementLayer } from "./events/Settlement.ts"
import { BillCheck } from "./finance/BillCheck.ts"
import { Exports } from "./finance/Exports.ts"
import { dayCloser, StatementDays } from "./finance/StatementDays.ts"
import { Statements } from "./finance/Statements.ts"
import { ChannelTest } from "./gateway/ChannelTest.ts"
import { Gateway } from "./gateway/Gateway.ts"
import { Charts } from "./http/console/charts/Charts.ts"
import { PageTurns } from "./http/console/PageTurns.ts"
import { HttpServer } from "./http/HttpServer.ts"
import { AdminKeys } from "./identity/AdminKeys.ts"
import { ApiKeys } from "./identity/ApiKeys.ts"
import { identityCleaner } from "./identity/IdentityCleaner.ts"
import { KeySpend } from "./identity/KeySpend.ts"
import { Login } from "./identity/Login.ts"
import { LoginSessions } from "./identity/LoginSessions.ts"
import { PasswordLinks } from "./identity/PasswordLinks.ts"
import { announceSetup, SetupLinks } from "./identity/SetupLinks.ts"
import { UserAdmin } from "./identity/UserAdmin.ts"
import { Users } from "./identity/Users.ts"
import { Checkout } from "./orders/Checkout.ts"
import { Connections } from "./orders/Connections.ts"
import { Orders } from "./orders/Orders.ts"
import { OrderSearch } from "./orders/OrderSearch.ts"
import { Refunds } from "./orders/Refunds.ts"
import { Sessions } from "./orders/Sessions.ts"
import { EpayClient } from "./payments/EpayClient.ts"
import { StripeClient } from "./payments/StripeClient.ts"
import { AuditTrail } from "./platform/AuditTrail.ts"
import { AppConfig } from "./platform/Config.ts"
import { Database, SqlLayer } from "./platform/Database.ts"
import { runMigrations } from "./platform/Migrations.ts"
import { Notifications } from "./platform/Notifications.ts"
import { PublicAddress } from "./platform/PublicAddress.ts"
import type { RealmsConfig } from "./platform/RealmsConfig.ts"
import { SecretBox } from "./platform/SecretBox.ts"
import { Telemetry } from "./platform/Telemetry.ts"
import { RedemptionAdmin } from "./redemption/RedemptionAdmin.ts"
import { Redemptions } from "./redemption/Redemptions.ts"
import { FirstSteps } from "./settings/FirstSteps.ts"
import { Settings } from "./settings/Settings.ts"
import { SettingsAdmin } from "./settings/SettingsAdmin.ts"
import { Grants } from "./subscriptions/Grants.ts"
import { PlanAdmin } from "./subscriptions/PlanAdmin.ts"
import { declarePlans } from "./subscriptions/Plans.ts"
import { PlansForSale } from "./subscriptions/PlansForSale.ts"
import { SubscriptionList } from "./subscriptions/SubscriptionList.ts"
import { AllCalls } from "./usage/AllCalls.ts"
import { AllUsage } from "./usage/AllUsage.ts"
import { CallList } from "./usage/CallList.ts"
import { ChannelReports } from "./usage/ChannelReports.ts"
import { ClampedCalls } from "./usage/ClampedCalls.ts"
import { Receipts } from "./usage/Receipts.ts"
import { RefusedCalls } from "./usage/RefusedCalls.ts"
import { ServiceOverview } from "./usage/ServiceOverview.ts"
import { usageFolder, UsageFolds } from "./usage/UsageFolds.ts"
import { UsageReports } from "./usage/UsageReports.ts"

/** The database, migrated. */
export const DatabaseServices = Layer.effectDiscard(runMigrations).pipe(
  Layer.provideMerge(SqlLayer),
  Layer.provideMerge(Database.layer),
  Layer.provideMerge(NodeServices.layer)
)

const PolicyLayer = Layer.effect(
  AccountPolicy,
  Effect.map(
    Settings,
    (settings) => AccountPolicy.of({ expiredReservation: () => settings.current().billing.expiredReservation })
  )
)

/** Orders, codes, and their settlement. */
const PaymentServices = Layer.mergeAll(
  Checkout.layer,
  Callbacks.layer,
  Connections.layer,
  Reconciliation.layer,
  EventResolutions.layer,
  Corrections.layer,
  OrderSearch.layer,
  ManualPayments.layer,
  PaymentEvents.layer,
  Redemptions.layer,
  RedemptionAdmin.layer
).pipe(
  Layer.provideMerge(Refunds.layer),
  Layer.provideMerge(Layer.mergeAll(Orders.layer, settlementLayer)),
  Layer.provideMerge(Sessions.layer),
  Layer.provideMerge(Layer.mergeAll(EpayClient.layer, StripeClient.layer))
)

/** The books. */
const FinanceServices = Layer.mergeAll(StatementDays.layer, Statements.layer, Exports.layer, BillCheck.layer)

/** Users, and how they and their programs come in. */
const IdentityServices = Layer.mergeAll(
  Users.layer,
  UserAdmin.layer,
  AdminKeys.layer,
  LoginSessions.layer,
  Login.layer,
  PasswordLinks.layer
).pipe(
  Layer.provideMerge(Layer.mergeAll(ApiKeys.layer, SetupLinks.layer))
)

/** What the command line stands on; needs `AppConfig`. */
export const CliServices = Layer.mergeAll(
  IdentityServices,
  Accounts.layer,
  Adjustments.layer,
  AccountOverview.layer,
  PaymentServices,
  FinanceServices
)
  .pipe(
    Layer.provideMerge(PolicyLayer),
    Layer.provideMerge(SettingsAdmin.layer),
    Layer.provideMerge(secondPersonLayer),
    Layer.provideMerge(Settings.layer),
    Layer.provideMerge(Layer.mergeAll(Notifications.layer, PublicAddress.layer, SecretBox.layer)),
    Layer.provideMerge(DatabaseServices)
  )

const Declared = Layer.effectDiscard(Effect.gen(function*() {
  yield* declareModels
  yield* declarePlans
  yield* declareChannels
}))

/** After the last call has ended, settlements have so long to land before they are spilled. */
const DRAIN_MS_MAX = 10_000

/** Replays what an earlier stop left, then sweeps; on the way down, drains before the database goes. */
const Background = Layer.effectDiscard(Effect.gen(function*() {
  const accounts = yield* Accounts
  yield* Effect.addFinalizer(() => accounts.drain(DRAIN_MS_MAX))
  // Not waited for: one account that is stuck does not keep the server from starting.
  yield* Effect.forkScoped(accounts.replay)
  yield* Effect.forkScoped(sweeper)
  yield* Effect.forkScoped(reconciler)
  yield* Effect.forkScoped(identityCleaner)
  yield* Effect.forkScoped(usageFolder)
  yield* Effect.forkScoped(dayCloser)
}))

/** What users are shown of their calls, and root of everybody's. */
const UsageServices = Layer.mergeAll(
  UsageFolds.layer,
  UsageReports.layer,
  CallList.layer,
  Receipts.layer,
  AllUsage.layer,
  AllCalls.layer,
  ChannelReports.layer,
  ClampedCalls.layer,
  RefusedCalls.layer,
  ServiceOverview.layer,
  FirstSteps.layer
)

/** What administrators see and do besides. */
const AdminServices = Layer.mergeAll(
  LedgerList.layer,
  ModelAdmin.layer,
  OrderHistory.layer,
  PlanAdmin.layer,
  PriceImports.layer,
  SubscriptionList.layer
).pipe(
  Layer.provideMerge(Confirmations.layer),
  Layer.provideMerge(Layer.mergeAll(DebtWaivers.layer, Grants.layer, AuditTrail.layer))
)

/** What calls go over, and what they cost. */
const CallServices = Layer.mergeAll(
  Catalog.layer,
  Channels.layer,
  ChannelHealth.layer,
  ChannelShares.layer,
  ChannelAdmin.layer,
  KeySpend.layer,
  PlansForSale.layer
)

/** The whole server; needs `AppConfig`. */
export const ServerServices = HttpServer.layer.pipe(
  Layer.provideMerge(Background),
  Layer.provideMerge(
    Layer.mergeAll(
      Gateway.layer,
      ChannelTest.layer,
      UsageServices,
      AdminServices,
      Charts.layer,
      PageTurns.layer
    )
  ),
  Layer.provideMerge(Layer.mergeAll(CallServices, LedgerDrift.layer, ResponseReferences.layer)),
  Layer.provideMerge(Declared),
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
  Effect.provide(
    SqlLayer.pipe(
      Layer.provideMerge(Database.layer),
      Layer.provideMerge(NodeServices.layer),
      Layer.provide(AppConfig.layer)
    )
  )
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
