/**
 * `realms channel list` and `realms channel test`: how the channels do, and a real call to one of them or to all. A test is billed by the
 * upstream, and what comes of it is kept as in the console.
 */
import { Console, Effect, type Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type AdminChannel, ChannelAdmin } from "../channels/ChannelAdmin.ts"
import { conditionOf, outKeysOf } from "../channels/ChannelCondition.ts"
import { ChannelTest, type ChannelTestOutcome, TESTS_AT_ONCE_MAX } from "../gateway/ChannelTest.ts"
import { failed, misused } from "./CliFailure.ts"
import { providing } from "./CommandServices.ts"
import { print, type Printable, table } from "./Output.ts"
import { switchFlag } from "./Parameters.ts"

const momentOf = (at: Date | null): string => at === null ? "never" : at.toISOString()

const stateOf = ({ disabledAt, hasKey }: AdminChannel): string =>
  disabledAt !== null ? "disabled" : hasKey ? "enabled" : "no key"

const fieldsOf = (channel: AdminChannel): Printable => ({
  id: channel.id,
  name: channel.name,
  base_url: channel.baseUrl,
  state: stateOf(channel),
  condition: conditionOf(channel),
  keys: channel.keys.length,
  keys_out: outKeysOf(channel).length,
  success_at: channel.successAt,
  failure: channel.failure === null
    ? null
    : { at: channel.failure.at, reason: channel.failure.reason, status: channel.failure.status },
  models: channel.models
})

const rowOf = (channel: AdminChannel): ReadonlyArray<string> => {
  const { failure, keys, models, successAt } = channel
  const out = outKeysOf(channel).length
  return [
    channel.id.toString(),
    channel.name,
    stateOf(channel),
    conditionOf(channel),
    out === 0 ? keys.length.toString() : `${keys.length} (${out} out)`,
    momentOf(successAt),
    failure === null ? "never" : `${failure.at.toISOString()} ${failure.reason}`,
    Object.keys(models).length.toString()
  ]
}

const headings = ["ID", "NAME", "STATE", "CONDITION", "KEYS", "LAST ANSWERED", "LAST FAILED", "MODELS"]

const list = Command.make("list", {}, () =>
  Effect.gen(function*() {
    const channels = yield* (yield* ChannelAdmin).list
    yield* print(channels.map(fieldsOf), table(headings, channels.map(rowOf)))
  })).pipe(Command.withDescription("List the channels, and how each of them does"))

const channelArgument = Argument.String("channel").pipe(
  Argument.withDescription("Name or id of the channel"),
  Argument.optional
)

const modelFlag = Flag.String("model").pipe(
  Flag.withMetavar("id"),
  Flag.withDescription("Test with this model; else the first of the channel's"),
  Flag.optional
)

const allFlag = switchFlag("all", "Test every enabled channel, by one model of each")

interface Tested extends ChannelTestOutcome {
  readonly channel: AdminChannel
}

const testOne = Effect.fnUntraced(function*(channel: AdminChannel, model: Option.Option<string>) {
  const asked = Option.getOrUndefined(model) ?? Object.keys(channel.models).toSorted()[0]
  if (asked === undefined) return yield* failed(`channel "${channel.name}" serves no model`)
  const outcome = yield* (yield* ChannelTest).run(channel.id, asked).pipe(
    Effect.catchTag(
      "ChannelModelUnknown",
      () => Effect.fail(failed(`channel "${channel.name}" does not serve ${asked}`))
    )
  )
  return { ...outcome, channel } satisfies Tested
})

const lineOf = ({ channel, latencyMs, model, reason, status }: Tested): string => {
  const why = status === null ? reason : `${reason}, status ${status}`
  return `${channel.name}: ${model} ${reason === null ? "works" : `failed (${why})`}, ${Math.round(latencyMs)} ms`
}

const test = Command.make(
  "test",
  { channel: channelArgument, model: modelFlag, all: allFlag },
  (flags) =>
    Effect.gen(function*() {
      if (flags.all === Option.isSome(flags.channel)) {
        return yield* misused("name a channel, or give --all")
      }
      const channels = yield* (yield* ChannelAdmin).list
      const name = Option.getOrElse(flags.channel, () => "")
      // A name may be the number of another channel.
      const named = channels.find((channel) => channel.name === name) ??
        channels.find(({ id }) => id.toString() === name)
      const chosen = flags.all
        ? channels.filter(({ disabledAt, models }) => disabledAt === null && Object.keys(models).length > 0)
        : named === undefined
        ? []
        : [named]
      if (chosen.length === 0) {
        return yield* failed(flags.all ? "there is no enabled channel with a model" : `there is no channel "${name}"`)
      }
      const tested = yield* Effect.forEach(
        chosen,
        (channel) => Effect.tap(testOne(channel, flags.model), (one) => Console.error(lineOf(one))),
        { concurrency: TESTS_AT_ONCE_MAX }
      )
      const works = tested.filter(({ reason }) => reason === null).length
      yield* print(
        tested.map(({ channel, latencyMs, model, reason, status }) => ({
          id: channel.id,
          name: channel.name,
          model,
          ok: reason === null,
          reason,
          status,
          latency_ms: Math.round(latencyMs)
        })),
        `${works} of ${tested.length} work`
      )
      if (works < tested.length) return yield* failed("not every channel works")
    })
).pipe(Command.withDescription("Send one tiny real call, which the upstream bills, and say what came of it"))

export const channelCommand = <E, R>(services: Layer.Layer<ChannelAdmin | ChannelTest, E, R>) => {
  const provided = providing(services)
  return Command.make("channel").pipe(
    Command.withDescription("List and test channels"),
    Command.withSubcommands([provided(list), provided(test)])
  )
}
