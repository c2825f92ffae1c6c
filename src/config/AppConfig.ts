/**
 * The configuration as a service: what this process started with, read once. Changes made later by the administrator are
 * not here but in the settings.
 * @internal
 */
import { Context, Effect, Layer } from "effect"
import { channelKeysOf } from "./ConfigChannelKeys.ts"
import { load } from "./ConfigLoad.ts"
import { makeLogLayer } from "./LogLayer.ts"
import type { RealmsConfig } from "./RealmsConfig.ts"

/** Logged by the configuration's own rules, because this is said before anything else is set up. */
const warnOfDisabledChannels = (config: RealmsConfig) =>
  Effect.forEach(
    config.channels.filter((channel) => channelKeysOf(channel).length === 0),
    (channel) => Effect.logWarning(`channel "${channel.name}" has no api_key: it is kept disabled`),
    { discard: true }
  ).pipe(Effect.provide(makeLogLayer(config.log)))

/** The configuration this process started with. */
export class AppConfig extends Context.Service<AppConfig, RealmsConfig>()("realms/config/AppConfig") {
  /** Reads the file and the environment once. */
  static readonly layer = Layer.effect(
    AppConfig,
    Effect.flatMap(Effect.sync(() => ({ cwd: process.cwd(), env: process.env })), load)
  )

  /** The same for a server, which says which channels stay disabled because they have no key. */
  static readonly layerOfServer = Layer.effectDiscard(Effect.flatMap(AppConfig, warnOfDisabledChannels)).pipe(
    Layer.provideMerge(AppConfig.layer)
  )

  /** A given configuration, for tests and commands that made one. */
  static readonly layerOf = (config: RealmsConfig) => Layer.succeed(AppConfig, config)
}
