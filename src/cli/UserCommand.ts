/**
 * `realms user create` and `realms user list`.
 */
import { Effect, Option, Redacted, Stdio, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { Users } from "../identity/Users.ts"
import { CommandFailed, failWith, jsonFlag, print } from "./Output.ts"

const readPassword = Effect.gen(function*() {
  const stdio = yield* Stdio.Stdio
  const text = yield* stdio.stdin.pipe(Stream.decodeText(), Stream.mkString, Effect.mapError(failWith("standard input")))
  const password = text.replace(/\r?\n$/, "")
  if (password === "") return yield* new CommandFailed({ message: "the password on standard input is empty" })
  return Redacted.make(password)
})

const create = Command.make(
  "create",
  {
    email: Flag.String("email").pipe(Flag.withDescription("E-mail address")),
    role: Flag.Literals("role", ["root", "user"]).pipe(Flag.withDefault("user")),
    passwordStdin: Flag.Boolean("password-stdin").pipe(
      Flag.withDescription("Read the password from standard input"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  Effect.fn(function*({ email, json, passwordStdin, role }) {
    const users = yield* Users
    const password = passwordStdin ? Option.some(yield* readPassword) : Option.none()
    const user = yield* users.create({
      email,
      role,
      ...(Option.isSome(password) ? { password: password.value } : {})
    }).pipe(
      Effect.catchTags({
        EmailTaken: (error) => new CommandFailed({ message: `there is a user ${error.email} already` }),
        InvalidEmail: (error) => new CommandFailed({ message: `not an e-mail address: ${error.email}` }),
        IdentityUnavailable: (error) => Effect.fail(failWith("the user could not be made")(error))
      })
    )
    yield* print(json, { id: user.id, email: user.email, role: user.role }, `${user.id}  ${user.email}  ${user.role}`)
  })
).pipe(Command.withDescription("Make a user with an empty account"))

const list = Command.make(
  "list",
  { json: jsonFlag },
  Effect.fn(function*({ json }) {
    const users = yield* Effect.flatMap(Users, (service) => service.list).pipe(
      Effect.mapError(failWith("the users could not be read"))
    )
    yield* print(
      json,
      users.map((user) => ({
        id: user.id,
        email: user.email,
        role: user.role,
        created_at: user.createdAt.toISOString(),
        disabled_at: user.disabledAt === null ? null : user.disabledAt.toISOString()
      })),
      users.map((user) => `${user.id}  ${user.email}  ${user.role}${user.disabledAt === null ? "" : "  disabled"}`).join("\n")
    )
  })
).pipe(Command.withDescription("List the users"))

export const UserCommand = Command.make("user").pipe(
  Command.withDescription("Users"),
  Command.withSubcommands([create, list])
)
