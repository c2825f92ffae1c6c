/**
 * The layer graph: one layer for each folder, floor on floor, as the imports point. Its lower floors are in `CommandApp`. No logic.
 */
import { Context, Effect, Layer, Option } from "effect"
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
import { NoticesWorkLayer } from "./notices/NoticesLayer.ts"
import { StripeSdkLayer } from "./payments/StripeSdk.ts"
import { GivenConnections } from "./platform/GivenConnections.ts"
import { PlatformLayer } from "./platform/PlatformLayer.ts"
import { PublicAddress } from "./platform/PublicAddress.ts"
import { Telemetry } from "./platform/Telemetry.ts"
import { warnOfFewConnections } from "./postgres/ConnectionsMax.ts"
import { PostgresLayer } from "./postgres/PostgresLayer.ts"
import { hearHangUps } from "./runners/HangUps.ts"
import { asRunner, givenTo, placeOfRunner } from "./runners/Runner.ts"
import { supervise } from "./runners/Supervisor.ts"
import { Settings } from "./settings/Settings.ts"
import { SubscriptionsLayer } from "./subscriptions/SubscriptionsLayer.ts"
import { UsageLayer } from "./usage/UsageLayer.ts"
import { RetentionLayer } from "./usage/Retention.ts"
import { UsageFolderLayer } from "./usage/UsageFolds.ts"
import { CliServices } from "./CommandApp.ts"

/** What a server does in the background. All of it has ended before the accounts drain. */
const BackgroundLayer = Layer.mergeAll(
  ReconcilerLayer,
  IdentityCleanerLayer,
  UsageFolderLayer,
  RetentionLayer,
  DayCloserLayer,
  NoticesWorkLayer
).pipe(
  Layer.provideMerge(AccountsWorkLayer)
)

/**
 * The other servers of this one: the runners of its supervisor, or those that the configuration makes it one of. A server that serves
 * alone has none, and does not load what they need.
 */
const PeersLayer = Layer.unwrap(Effect.gen(function*() {
  const { cluster, database } = yield* AppConfig
  // Of a database elsewhere there may be servers on other machines, which do not reach the loopback address of this one.
  const isAlone = (yield* GivenConnections) === undefined || Option.isSome(database.url)
  if (cluster.host === "" && isAlone) return Layer.empty
  // The settings have seen that the stored secrets open: else the keys of peers would make a first master key beside them.
  yield* Settings
  const { AccountPeersLayer } = yield* Effect.promise(() => import("./accounts/AccountEntity.ts"))
  const { ClusterLayer } = yield* Effect.promise(() => import("./cluster/ClusterLayer.ts"))
  return AccountPeersLayer.pipe(Layer.provideMerge(ClusterLayer))
})).pipe(Layer.provide(Settings.layer.pipe(Layer.provideMerge(PlatformLayer), Layer.provideMerge(PostgresLayer))))

/** The whole server; needs `AppConfig`. */
export const ServerServices = Layer.merge(HttpLayer, StripeSdkLayer).pipe(
  Layer.provideMerge(BackgroundLayer),
  Layer.provideMerge(ConfirmationsLayer),
  Layer.provideMerge(Layer.mergeAll(GatewayLayer, UsageLayer)),
  Layer.provideMerge(Layer.mergeAll(ChannelsLayer, SubscriptionsLayer).pipe(Layer.provideMerge(CatalogLayer))),
  Layer.provideMerge(CliServices),
  Layer.provide(PeersLayer)
)

/** What commands about channels stand on; needs `CliServices`. */
export const ChannelServices = ChannelTest.layer.pipe(Layer.provideMerge(ChannelToolsLayer))

/** One process that serves, until it is interrupted. */
const serveOne = (announce: (listens: string) => ReturnType<typeof announceServer>) =>
  Effect.flatMap(HttpServer, ({ host, port }) => announce(`http://${host}:${port}`)).pipe(
    Effect.andThen(Effect.never),
    Effect.onInterrupt(() => Effect.logInfo("stopping")),
    Effect.provide(ServerServices),
    Effect.onInterrupt(() => Effect.logInfo("stopped"))
  )

/** The supervisor announces the server; a runner only says that it is there. */
const announceRunner = (listens: string) => Effect.logInfo(`this runner serves at ${listens}`)

/** What a stop takes beyond the grace of open calls: their last bytes, their settlements, the database. */
const STOP_SLACK_MS = 45_000

/** Several processes that serve, until it is interrupted. The database is there as long as the last of them. */
const serveTogether = Effect.fnUntraced(function*(runners: number, nextHangUp: Effect.Effect<unknown>) {
  const { server } = yield* AppConfig
  yield* warnOfFewConnections(runners)
  const { host, port, shutdownGraceSeconds } = server
  const announce = (bound: number) =>
    Effect.gen(function*() {
      const address = yield* PublicAddress
      address.listensOn(bound)
      yield* announceServer(`http://${host}:${bound}`)
    }).pipe(Effect.provide(CliServices))
  const stopMs = shutdownGraceSeconds * 1_000 + STOP_SLACK_MS
  return yield* supervise({ runners, host, port, stopMs, nextHangUp, onReady: announce }).pipe(
    Effect.onInterrupt(() => Effect.logInfo("stopping")),
    Effect.scoped,
    Effect.onInterrupt(() => Effect.logInfo("stopped"))
  )
}, Effect.provide(PostgresLayer))

/** The configuration of a server, with the number of runners that the command names. A runner does not repeat its warnings. */
const serverConfig = (runners: Option.Option<number>) =>
  Layer.effect(
    AppConfig,
    Effect.map(AppConfig, (config) => ({
      ...config,
      server: { ...config.server, runners: Option.getOrElse(runners, () => config.server.runners) }
    }))
  ).pipe(Layer.provide(placeOfRunner() === undefined ? AppConfig.layerOfServer : AppConfig.layer))

/** Runs the server until it is interrupted, with so many runners; none: as many as the configuration says. */
export const serve = (runners: Option.Option<number>) =>
  Effect.gen(function*() {
    const { server } = yield* AppConfig
    const place = placeOfRunner()
    if (place !== undefined) {
      return yield* asRunner(Effect.provideService(serveOne(announceRunner), GivenConnections, givenTo(place)), place)
    }
    const nextHangUp = yield* hearHangUps
    if (server.runners > 1 && process.platform === "win32") {
      yield* Effect.logWarning("on Windows one process serves: a runner there could not be asked to stop")
    } else if (server.runners > 1) return yield* serveTogether(server.runners, nextHangUp)
    const ignore = Effect.logWarning("SIGHUP is for several runners (`server.runners`); one process goes on as it is")
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(nextHangUp, ignore)))
    return yield* serveOne(announceServer)
  }).pipe(
    Effect.scoped,
    Effect.provide(Telemetry.layer.pipe(Layer.provideMerge(serverConfig(runners))))
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
