/**
 * What can be wrong with channels and with changes of them. No error has a key, or what an upstream said, in it.
 */
import { Effect, Schema } from "effect"
import { channelSettings } from "../domain/ChannelTerms.ts"
import { ChannelId, ChannelKeyId } from "../domain/Ids.ts"

/** The channel has no such key. */
export class ChannelKeyNotFound extends Schema.TaggedError<ChannelKeyNotFound>()("ChannelKeyNotFound", {
  keyId: ChannelKeyId
}) {}

/** It is the only key that the channel has, and a channel without one cannot be called. */
export class ChannelKeyNeeded extends Schema.TaggedError<ChannelKeyNeeded>()("ChannelKeyNeeded", {
  keyId: ChannelKeyId
}) {}

/** The address is another one, and the stored keys, which nothing shows, would be sent there without a proof. */
export class ChannelKeysStay extends Schema.TaggedError<ChannelKeysStay>()("ChannelKeysStay", {
  channelId: ChannelId
}) {}

export class ChannelNotFound extends Schema.TaggedError<ChannelNotFound>()("ChannelNotFound", {
  channelId: ChannelId
}) {}

/** It comes from the configuration file and is changed there. */
export class ChannelConfigManaged extends Schema.TaggedError<ChannelConfigManaged>()("ChannelConfigManaged", {
  channelId: ChannelId
}) {}

/** There is no key to call it with: none is set, or the one that is does not open. */
export class ChannelKeyMissing extends Schema.TaggedError<ChannelKeyMissing>()("ChannelKeyMissing", {
  channelId: ChannelId,
  reason: Schema.Literals(["none", "unreadable"])
}) {}

/** The channel does not serve that model. */
export class ChannelModelUnknown extends Schema.TaggedError<ChannelModelUnknown>()("ChannelModelUnknown", {
  channelId: ChannelId,
  model: Schema.String
}) {}

/** What is wrong with one field of a channel that was to be written. `models` are those that are meant. */
export const ChannelProblem = Schema.Union([
  Schema.Struct({ field: Schema.Literal("name"), reason: Schema.Literals(["length", "taken"]) }),
  Schema.Struct({
    field: Schema.Literal("base_url"),
    reason: Schema.Literals(["url", "credentials", "secret", "fragment", "forbidden"])
  }),
  Schema.Struct({ field: Schema.Literal("api_key"), reason: Schema.Literals(["missing", "characters", "many"]) }),
  Schema.Struct({ field: Schema.Literals(channelSettings.names), reason: Schema.Literal("range") }),
  Schema.Struct({
    field: Schema.Literal("models"),
    reason: Schema.Literals(["unknown", "upstream", "many"]),
    models: Schema.Array(Schema.String)
  }),
  Schema.Struct({ field: Schema.Literal("form"), reason: Schema.Literal("many") })
])
export type ChannelProblem = typeof ChannelProblem.Type

/** A channel cannot be as it was to be written. Nothing has changed. */
export class ChannelRefused extends Schema.TaggedError<ChannelRefused>()("ChannelRefused", {
  problems: Schema.Array(ChannelProblem)
}) {}

export const refuseAny = (problems: ReadonlyArray<ChannelProblem>): Effect.Effect<void, ChannelRefused> =>
  problems.length === 0 ? Effect.void : Effect.fail(new ChannelRefused({ problems }))
