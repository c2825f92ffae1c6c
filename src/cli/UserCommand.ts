/**
 * `realms user create`, `list`, `disable`, `enable`, `set-password`, `reset-second-factor` and `role`. A password comes from standard input
 * only, never from the command line, where other processes and the shell's history would see it.
 */
import { Effect, type Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import { roles } from "../identity/Roles.ts"
import { SecondFactors } from "../identity/SecondFactors.ts"
import { UserAdmin } from "../identity/UserAdmin.ts"
import { type User, Users } from "../identity/Users.ts"
import { cliActor } from "../platform/AuditLog.ts"
import { providing } from "./CommandServices.ts"
import { print, type Printable, table } from "./Output.ts"
import { findUser, readSecretLine, switchFlag, userFlag } from "./Parameters.ts"

const email = Flag.String("email").pipe(
  Flag.withDescription("E-mail address of the user"),
  Flag.filterMap((text) => Option.fromUndefinedOr(normalizeEmail(text)), () => "an e-mail address")
)

const role = Flag.Literals("role", roles).pipe(
  Flag.withDefault("user"),
  Flag.withDescription(
    "root may do everything, finance manages payments and the books, support only reads; the default is user"
  )
)

const passwordStdin = switchFlag(
  "password-stdin",
  "Read the password from standard input; without it the user cannot log in"
)

export const readPassword = readSecretLine("password")

const userFields = (user: User): Printable => ({
  id: user.id,
  email: user.email,
  role: user.role,
  created_at: user.createdAt,
  disabled_at: user.disabledAt
})

const create = Command.make("create", { email, role, passwordStdin }, (flags) =>
  Effect.gen(function*() {
    const users = yield* UserAdmin
    const password = flags.passwordStdin ? { password: yield* readPassword } : {}
    const user = yield* users.create(cliActor, { email: flags.email, role: flags.role, ...password })
    yield* print(
      userFields(user),
      `created ${user.role === "user" ? "" : `${user.role} `}user ${user.email} with id ${user.id}`
    )
  })).pipe(
    Command.withDescription("Create a user with an empty balance"),
    Command.withExamples([{ command: "realms user create --email ada@example.com" }])
  )

const describeUsers = (users: ReadonlyArray<User>): string =>
  users.length === 0
    ? "there are no users yet; `realms user create` makes one"
    : table(
      ["ID", "EMAIL", "ROLE", "CREATED", "STATE"],
      users.map((user) => [
        user.id.toString(),
        user.email,
        user.role,
        user.createdAt.toISOString().slice(0, 10),
        user.disabledAt === null ? "active" : "disabled"
      ])
    )

const list = Command.make("list", {}, () =>
  Effect.gen(function*() {
    const users = yield* (yield* Users).list
    yield* print(users.map(userFields), describeUsers(users))
  })).pipe(Command.withDescription("List all users"))

/** The command that disables users, or the one that enables them. */
const switching = (
  name: "disable" | "enable",
  { description, said }: { readonly description: string; readonly said: (email: string) => string }
) =>
  Command.make(name, { user: userFlag }, (flags) =>
    Effect.gen(function*() {
      const { email, id } = yield* findUser(flags.user)
      yield* (yield* UserAdmin)[name](cliActor, id)
      yield* print({ id, email, disabled: name === "disable" }, said(email))
    })).pipe(
      Command.withDescription(description),
      Command.withExamples([{ command: `realms user ${name} --user ada@example.com` }])
    )

const disable = switching("disable", {
  description: "Disable a user at once, on every server; calls in progress end as usual",
  said: (email) => `disabled ${email}: sessions have ended, and keys are refused`
})

const enable = switching("enable", {
  description: "Enable a disabled user; keys work again",
  said: (email) => `enabled ${email}`
})

const keepNetworks = switchFlag(
  "keep-networks",
  "Only where nobody else had the old password: networks that the user has signed in from stay known"
)

const setPassword = Command.make("set-password", { user: userFlag, keepNetworks }, (flags) =>
  Effect.gen(function*() {
    const { email, id } = yield* findUser(flags.user)
    yield* (yield* UserAdmin).setPassword(cliActor, id, yield* readPassword, { keepNetworks: flags.keepNetworks })
    yield* print({ id, email, password_set: true }, `set the password of ${email}; all sessions have ended`)
  })).pipe(
    Command.withDescription("Set a user's password from standard input, and end all sessions of the user"),
    Command.withExamples([
      { command: "realms user set-password --user ada@example.com < password.txt" },
      {
        command: "realms user set-password --user ada@example.com --keep-networks < password.txt",
        description: "Ada has forgotten it"
      }
    ])
  )

const resetSecondFactor = Command.make("reset-second-factor", { user: userFlag }, (flags) =>
  Effect.gen(function*() {
    const { email, id } = yield* findUser(flags.user)
    yield* (yield* SecondFactors).reset(cliActor, id)
    yield* print(
      { id, email, second_factor: false },
      `${email} has no second factor any more and signs in with the password alone; all sessions have ended`
    )
  })).pipe(
    Command.withDescription("Remove the second factor of a user who has lost it, and end all sessions of the user"),
    Command.withExamples([{ command: "realms user reset-second-factor --user ada@example.com" }])
  )

const newRole = Flag.Literals("role", roles).pipe(
  Flag.withDescription("root may do everything, finance manages payments and the books, support only reads")
)

const changeRole = Command.make("role", { user: userFlag, role: newRole }, (flags) =>
  Effect.gen(function*() {
    const { email, id } = yield* findUser(flags.user)
    yield* (yield* UserAdmin).setRole(cliActor, id, flags.role)
    yield* print({ id, email, role: flags.role }, `the role of ${email} is ${flags.role}`)
  })).pipe(
    Command.withDescription("Change what a user may do, at once"),
    Command.withExamples([{ command: "realms user role --user ada@example.com --role support" }])
  )

export const userCommand = <E, R>(services: Layer.Layer<Users | UserAdmin | SecondFactors, E, R>) => {
  const provided = providing(services)
  return Command.make("user").pipe(
    Command.withDescription("Create, list and change users"),
    Command.withSubcommands([
      provided(create),
      provided(list),
      provided(disable),
      provided(enable),
      provided(setPassword),
      provided(resetSecondFactor),
      provided(changeRole)
    ])
  )
}
