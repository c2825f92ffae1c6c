/**
 * `realms key create` and `realms key revoke`. A key is shown once, when it is made: alone on standard output, so that a
 * script can take it as it is.
 */
import { Effect, type Layer, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { ApiKeys } from "../identity/ApiKeys.ts"
import type { Users } from "../identity/Users.ts"
import { cliActor } from "../platform/AuditLog.ts"
import { print } from "./Output.ts"
import { findUser, keyIdArgument, userFlag } from "./Parameters.ts"

const name = Flag.String("name").pipe(
  Flag.withDefault(""),
  Flag.withDescription("What the key is for")
)

const create = Command.make("create", { user: userFlag, name }, (flags) =>
  Effect.gen(function*() {
    const user = yield* findUser(flags.user)
    const { hint, id, key } = yield* (yield* ApiKeys).create({ userId: user.id, name: flags.name }, cliActor)
    const text = Redacted.value(key)
    yield* print({ id, key: text, hint, user_id: user.id, name: flags.name }, text)
  })).pipe(Command.withDescription("Create an API key and print it; it cannot be shown again"))

const revoke = Command.make("revoke", { id: keyIdArgument }, ({ id }) =>
  Effect.gen(function*() {
    yield* (yield* ApiKeys).revoke(id, cliActor)
    yield* print({ id, revoked: true }, `revoked key ${id}`)
  })).pipe(Command.withDescription("Revoke an API key for good, on every server at once"))

/** `services` are built for a command that runs, not for help about it. */
export const keyCommand = <E, R>(services: Layer.Layer<Users | ApiKeys, E, R>) =>
  Command.make("key").pipe(
    Command.withDescription("Create and revoke API keys"),
    Command.withSubcommands([create.pipe(Command.provide(services)), revoke.pipe(Command.provide(services))])
  )
