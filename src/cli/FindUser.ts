/**
 * Finds the user that a command names by e-mail address or id.
 */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import { Users } from "../identity/Users.ts"
import { CommandFailed } from "./CommandFailed.ts"
import { failWith } from "./Output.ts"

export const userFlag = Flag.String("user").pipe(Flag.withDescription("E-mail address or id of the user"))

const digits = /^\d{1,18}$/

export const findUser = Effect.fn("findUser")(function*(text: string) {
  const users = yield* Users
  const found = yield* (digits.test(text) ? users.findById(BigInt(text)) : users.findByEmail(text)).pipe(
    Effect.mapError(failWith("the database could not be read"))
  )
  if (Option.isSome(found)) return found.value
  return yield* new CommandFailed({ message: `there is no user ${text}; see: realms user list` })
})
