/**
 * The layer graph: one layer for each folder, floor on floor, as the imports point. Its lower floors are in `CommandApp`. No logic.
 */
import { Context, Effect, Layer } from "effect"
import { AccountsWorkLayer } from "./accounts/AccountsWorkLayer.ts"
import { CatalogLayer } from "./catalog/CatalogLayer.ts"
import { ChannelsLayer, ChannelToolsLayer } from "./channels/ChannelsLayer.ts"
import { runDemo } from "./cli/DemoCommand.ts"
import { announceServer } from "./cli/ServerBanner.ts"
import { AppConfig } from "./config/Config.ts"
import type { RealmsConfig } from "./config/RealmsConfig.ts"
import { ConfirmationsLayer } from "./confirmations/ConfirmationsLayer.ts"
import { ReconcilerLayer } from "./events/Reconciliation.ts"
import { DayCloserLayer } from "./finance/StatementDays.ts"
import { ChannelTest } from "./gateway/ChannelTest.ts"
import { GatewayLayer } from "./gateway/GatewayLayer.ts"
import { HttpLayer } from "./http/HttpLayer.ts"
import { HttpServer } from "./http/HttpServer.ts"
import { IdentityCleanerLayer } from "./identity/IdentityCleaner.ts"
import { StripeSdkLayer } from "./payments/StripeSdk.ts"
import { Telemetry } from "./platform/Telemetry.ts"
import { SubscriptionsLayer } from "./subscriptions/SubscriptionsLayer.ts"
import { UsageLayer } from "./usage/UsageLayer.ts"
import { UsageFolderLayer } from "./usage/UsageFolds.ts"
import { CliServices } from "./CommandApp.ts"

/** What a server does in the background. All of it has ended before the accounts drain. */
const BackgroundLayer = Layer.mergeAll(ReconcilerLayer, IdentityCleanerLayer, UsageFolderLayer, DayCloserLayer).pipe(
  Layer.provideMerge(AccountsWorkLayer)
)

/** The whole server; needs `AppConfig`. */
export const ServerServices = Layer.merge(HttpLayer, StripeSdkLayer).pipe(
  Layer.provideMerge(BackgroundLayer),
  Layer.provideMerge(ConfirmationsLayer),
  Layer.provideMerge(Layer.mergeAll(GatewayLayer, UsageLayer)),
  Layer.provideMerge(Layer.mergeAll(ChannelsLayer, SubscriptionsLayer).pipe(Layer.provideMerge(CatalogLayer))),
  Layer.provideMerge(CliServices)
)

/** What commands about channels stand on; needs `CliServices`. */
export const ChannelServices = ChannelTest.layer.pipe(Layer.provideMerge(ChannelToolsLayer))

/** Runs the server until it is interrupted. */
export const serve = Effect.flatMap(HttpServer, ({ host, port }) => announceServer(`http://${host}:${port}`)).pipe(
  Effect.andThen(Effect.never),
  Effect.onInterrupt(() => Effect.logInfo("stopping")),
  Effect.provide(ServerServices),
  Effect.onInterrupt(() => Effect.logInfo("stopped")),
  Effect.provide(Telemetry.layer.pipe(Layer.provideMerge(AppConfig.layerOfServer)))
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
