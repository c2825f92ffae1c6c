/**
 * `realms key create` and `realms key revoke`.
 */
import { Effect, Redacted } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ApiKeys } from "../identity/ApiKeys.ts"
import { findUser, userFlag } from "./FindUser.ts"
import { CommandFailed, failWith, jsonFlag, print } from "./Output.ts"

const create = Command.make(
  "create",
  { user: userFlag, name: Flag.String("name").pipe(Flag.withDefault("")), json: jsonFlag },
  Effect.fn(function*({ json, name, user }) {
    const owner = yield* findUser(user)
    const keys = yield* ApiKeys
    const made = yield* keys.create({ userId: owner.id, name }).pipe(Effect.mapError(failWith("the key could not be made")))
    const key = Redacted.value(made.key)
    yield* print(json, { id: made.id, key, hint: made.hint }, key)
  })
).pipe(Command.withDescription("Make an API key and print it, this once"))

const revoke = Command.make(
  "revoke",
  { id: Argument.String("id"), json: jsonFlag },
  Effect.fn(function*({ id, json }) {
    if (!/^\d{1,18}$/.test(id)) return yield* new CommandFailed({ message: `not a key id: ${id}` })
    const keys = yield* ApiKeys
    yield* keys.revoke(BigInt(id)).pipe(Effect.catchTags({
      ApiKeyNotFound: () => new CommandFailed({ message: `there is no key ${id} that is not revoked` }),
      IdentityUnavailable: (error) => Effect.fail(failWith("the key could not be revoked")(error))
    }))
    yield* print(json, { id, revoked: true }, `key ${id} is revoked`)
  })
).pipe(Command.withDescription("Revoke an API key"))

export const KeyCommand = Command.make("key").pipe(
  Command.withDescription("API keys"),
  Command.withSubcommands([create, revoke])
)
