/**
 * The flags and arguments that several commands share, parsed to exact values: what comes out of here needs no further
 * check, and what is wrong is a usage error that says what was expected.
 */
import { Effect, Option, Redacted, Stdio, Stream } from "effect"
import { Argument, Flag } from "effect/cli"
import { mayDo } from "../confirmations/ActionRoles.ts"
import { ApiKeyId, idIn, type IdOf, UserId } from "../domain/Ids.ts"
import { MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import { type User, Users } from "../identity/Users.ts"
import { type Actor, cliActor } from "../platform/AuditLog.ts"
import type { ConfirmedAction } from "../platform/SecondPerson.ts"
import { failed } from "./CliFailure.ts"

/** A numeric id of one kind; none when the text is something else. */
export const parseId = <Id extends bigint>(id: IdOf<Id>) => (text: string): Option.Option<Id> =>
  Option.map(Option.fromUndefinedOr(idIn(text)), (number) => id.make(number))

/** A signed amount of USD in micros, not zero, at most six decimals, `$` allowed in front. */
export const parseUsd = (text: string): Option.Option<bigint> => {
  const micros = parseDecimal(text.trim().replace(/^([+-]?)\$/, "$1"), MICROS_SCALE)
  return micros === undefined || micros === 0n ? Option.none() : Option.some(micros)
}

/** A flag that is given or not. */
export const switchFlag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDefault(false), Flag.withDescription(description))

/** `--user`: an e-mail address or an id. */
export const userFlag = Flag.String("user").pipe(
  Flag.withMetavar("email|id"),
  Flag.withDescription("E-mail address or id of the user")
)

/** `--usd`: a signed amount, in micros. */
export const usdFlag = Flag.String("usd").pipe(
  Flag.withMetavar("amount"),
  Flag.withDescription("Amount in USD, such as 5.00; a negative one takes from the balance"),
  Flag.filterMap(parseUsd, () => "an amount in USD other than 0, such as 5.00 or -1.25, with at most six decimals")
)

/** `--note`: why, in words. */
export const noteFlag = Flag.String("note").pipe(
  Flag.withMetavar("text"),
  Flag.withDescription("The reason, kept with the ledger entry"),
  Flag.filterMap(
    (text) => text.trim() === "" ? Option.none() : Option.some(text.trim()),
    () => "a note that says why"
  )
)

/** The id of a key, as `key create --json` printed it. */
export const keyIdArgument = Argument.String("id").pipe(
  Argument.withDescription("Id of the key"),
  Argument.filterMap(parseId(ApiKeyId), () => "the id of a key, a whole number (not the key itself)")
)

/** The user that `--user` names. */
export const findUser = Effect.fn("Cli.findUser")(function*(text: string) {
  const users = yield* Users
  const id = parseId(UserId)(text.trim())
  const found: Option.Option<User> = Option.isSome(id)
    ? yield* users.findById(id.value)
    : yield* users.findByEmail(text)
  return yield* Effect.fromOption(
    found,
    () => failed(`there is no user "${text}"; \`realms user list\` shows who there is`)
  )
})

/** `--as`: who asks, where one person is not enough. */
export const asFlag = Flag.String("as").pipe(
  Flag.withMetavar("email"),
  Flag.withDescription("E-mail address of the administrator who asks; needed above finance.confirm_above_usd"),
  Flag.optional
)

/** The command line, in the name of the administrator that `--as` names: one who may do alone what is below the limit. */
export const actorAs = Effect.fn("Cli.actorAs")(function*(as: Option.Option<string>, action: ConfirmedAction) {
  if (Option.isNone(as)) return cliActor
  const user = yield* findUser(as.value)
  if (user.disabledAt !== null || !mayDo(user.role, action)) {
    return yield* failed(`${user.email} may not ask for this: the role is ${user.role}, or the account is disabled`)
  }
  return { ...cliActor, userId: user.id } satisfies Actor
})

/** The longest secret that is read from standard input, in characters. */
const SECRET_LENGTH_MAX = 1_024

/** The first and only line of standard input, which is a secret. */
export const readSecretLine = (what: string) =>
  Effect.gen(function*() {
    const { stdin } = yield* Stdio.Stdio
    const text = yield* stdin.pipe(
      Stream.decodeText(),
      Stream.runFoldEffect(() => "", (text, chunk) =>
        text.length + chunk.length > SECRET_LENGTH_MAX
          ? Effect.fail(failed(`the ${what} is longer than ${SECRET_LENGTH_MAX} characters`))
          : Effect.succeed(text + chunk))
    )
    const secret = text.replace(/\r?\n$/, "")
    if (secret === "") return yield* failed(`there is no ${what} on standard input: pipe it in, followed by its end`)
    if (/[\r\n]/.test(secret)) return yield* failed(`the ${what} on standard input has more than one line`)
    return Redacted.make(secret)
  })
