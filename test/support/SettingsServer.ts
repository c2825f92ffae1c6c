/**
 * The settings of a server without the rest of it, for tests of what several servers of a database see.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Redacted } from "effect"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { PublicAddress } from "../../src/platform/PublicAddress.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { Settings } from "../../src/settings/Settings.ts"
import { SettingsAdmin } from "../../src/settings/SettingsAdmin.ts"
import { onePerson } from "./OnePerson.ts"

/** One server's settings over a database. */
export const settingsServer = ({ dataDir, document = {}, env = {}, url }: {
  readonly url: string
  readonly dataDir: string
  readonly document?: object
  readonly env?: Readonly<Record<string, string>>
}) =>
  Layer.build(
    SettingsAdmin.layer.pipe(
      Layer.provide(onePerson),
      Layer.provideMerge(Settings.layer),
      Layer.provideMerge(Layer.mergeAll(Notifications.layer, PublicAddress.layer, SecretBox.layer)),
      Layer.provideMerge(SqlLayer),
      Layer.provideMerge(Database.layerOf(Redacted.make(url))),
      Layer.provideMerge(
        Layer.mergeAll(NodeServices.layer, AppConfig.layerOf(testConfig({ ...document, data_dir: dataDir }, env)))
      )
    )
  ).pipe(Effect.provideService(Layer.CurrentMemoMap, Layer.makeMemoMapUnsafe()))
