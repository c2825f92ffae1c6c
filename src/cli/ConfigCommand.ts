/**
 * `realms config check`: says whether the configuration that a start in this folder would use is right, and how many channels,
 * models and plans it has. It reads the file and the environment only: no database, no network.
 */
import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { channelKeysOf, load, publicUrlFor, type RealmsConfig } from "../config/Config.ts"
import { counted, print } from "./Output.ts"

const withoutKey = (config: RealmsConfig): ReadonlyArray<string> =>
  config.channels.filter((channel) => channelKeysOf(channel).length === 0).map((channel) => channel.name)

/** What a right configuration amounts to, for people. No secret is in it. */
export const describeConfig = (config: RealmsConfig): string => {
  const database = Option.isSome(config.database.url)
    ? "external PostgreSQL"
    : `embedded PostgreSQL in ${config.dataDir}`
  const { channels, models, plans } = config
  return [
    "the configuration is valid",
    `  server: ${publicUrlFor(config.server)}`,
    `  database: ${database}`,
    `  config-managed: ${counted(channels.length, "channel")}, ${counted(models.length, "model")}, ${
      counted(plans.length, "plan")
    }`,
    ...withoutKey(config).map((name) => `  note: channel "${name}" has no api_key and stays disabled`)
  ].join("\n")
}

const check = Command.make("check", {}, () =>
  Effect.gen(function*() {
    const config = yield* load({ cwd: process.cwd(), env: process.env })
    yield* print({
      valid: true,
      public_url: publicUrlFor(config.server),
      embedded_database: Option.isNone(config.database.url),
      channels: config.channels.length,
      channels_without_key: withoutKey(config),
      models: config.models.length,
      plans: config.plans.length
    }, describeConfig(config))
  })).pipe(Command.withDescription("Check config.yaml and the environment without starting anything"))

export const configCommand = Command.make("config").pipe(
  Command.withDescription("Check the configuration"),
  Command.withSubcommands([check])
)
