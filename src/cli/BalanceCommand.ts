/**
 * `realms balance show` and `realms balance adjust`. An adjustment is a ledger entry with a note that says why, and
 * recorded; it takes the balance down to zero and no further.
 */
import { Effect, type Layer } from "effect"
import { Command } from "effect/cli"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { AccountUnavailable, DebitRefused } from "../accounts/AccountError.ts"
import { Adjustments } from "../accounts/Adjustments.ts"
import type { UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import type { Users } from "../identity/Users.ts"
import type { ConfirmationRefused } from "../platform/SecondPerson.ts"
import { rowOf } from "../postgres/Rows.ts"
import { failed } from "./CliFailure.ts"
import { providing } from "./CommandServices.ts"
import { dollars, print, printPending } from "./Output.ts"
import { actorAs, asFlag, findUser, noteFlag, usdFlag, userFlag } from "./Parameters.ts"

const CommittedBalance = Row({ usdMicros: Micros, owedMicros: Micros, reservedMicros: Micros })

/** What a user can spend as committed, what is owed, and what open calls hold from the balance. */
const readBalance = Effect.fn("Cli.readBalance")(function*(userId: UserId) {
  const sql = yield* SqlClient.SqlClient
  const found = yield* rowOf(
    CommittedBalance,
    sql`SELECT b.usd_micros, b.owed_micros, (
      SELECT coalesce(sum(h.reserved_micros), 0)::bigint FROM open_holds h
      WHERE h.user_id = b.user_id AND h.funding = 'balance'
    ) AS reserved_micros
    FROM user_balances b WHERE b.user_id = ${userId}`
  )
  return found ?? { usdMicros: 0n, owedMicros: 0n, reservedMicros: 0n }
})

/** A balance for people; what is zero besides it is left out. */
export const describeBalance = (
  { owedMicros, reservedMicros = 0n, usdMicros }: {
    readonly usdMicros: bigint
    readonly owedMicros: bigint
    readonly reservedMicros?: bigint
  }
): string =>
  [
    dollars(usdMicros),
    ...(reservedMicros === 0n ? [] : [`held by open calls: ${dollars(reservedMicros)}`]),
    ...(owedMicros === 0n ? [] : [`owed: ${dollars(owedMicros)}`])
  ].join(", ")

const show = Command.make("show", { user: userFlag }, (flags) =>
  Effect.gen(function*() {
    const user = yield* findUser(flags.user)
    const { owedMicros, reservedMicros, usdMicros } = yield* readBalance(user.id)
    yield* print(
      { user_id: user.id, usd_micros: usdMicros, owed_micros: owedMicros, reserved_micros: reservedMicros },
      describeBalance({ usdMicros, owedMicros, reservedMicros })
    )
  })).pipe(Command.withDescription("Show what a user can spend"))

const refused = (error: DebitRefused) =>
  failed(
    `cannot take ${dollars(error.neededMicros)}: the balance is ${dollars(error.availableMicros)}, and it is never ` +
      "taken below zero"
  )

/** The entry may have been written all the same: saying "try again" would invite a second one. */
const unavailable = (error: AccountUnavailable) =>
  failed(
    `the account did not answer (${error.reason}): check \`realms balance show\` before trying again, the adjustment ` +
      "may have been made"
  )

const unconfirmed = ({ message, reason }: ConfirmationRefused) =>
  failed(
    reason === "nobody"
      ? "this is above finance.confirm_above_usd: a second person has to confirm it. Say who asks for it: --as EMAIL"
      : message
  )

const adjust = Command.make(
  "adjust",
  { user: userFlag, usd: usdFlag, note: noteFlag, as: asFlag },
  (flags) =>
    Effect.gen(function*() {
      const user = yield* findUser(flags.user)
      // Two runs are two adjustments.
      const adjustment = { userId: user.id, amountMicros: flags.usd, note: flags.note, key: randomUUID() }
      const actor = yield* actorAs(flags.as, "balance.adjust")
      const posted = yield* (yield* Adjustments).adjust(actor, adjustment).pipe(
        Effect.catchTags({
          ConfirmationRefused: (error) => Effect.fail(unconfirmed(error)),
          DebitRefused: (error) => Effect.fail(refused(error)),
          AccountUnavailable: (error) => Effect.fail(unavailable(error)),
          UnknownAccount: () => Effect.fail(failed(`user ${user.email} has no account; \`realms audit\` tells more`)),
          ConfirmationPending: (pending) => Effect.as(printPending(pending), undefined)
        })
      )
      if (posted === undefined) return
      const balance = describeBalance(posted)
      yield* print(
        { user_id: user.id, amount_micros: flags.usd, usd_micros: posted.usdMicros, owed_micros: posted.owedMicros },
        `adjusted by ${dollars(flags.usd)}; the balance of ${user.email} is now ${balance}`
      )
    })
).pipe(
  Command.withDescription("Add to a user's balance, or take from it down to zero"),
  Command.withExamples([
    { command: 'realms balance adjust --user ada@example.com --usd 5.00 --note "welcome"' },
    { command: 'realms balance adjust --user ada@example.com --usd 5000 --note "prepaid" --as root@example.com' }
  ])
)

export const balanceCommand = <E, R>(services: Layer.Layer<Users | Adjustments | SqlClient.SqlClient, E, R>) => {
  const provided = providing(services)
  return Command.make("balance").pipe(
    Command.withDescription("Show and adjust balances"),
    Command.withSubcommands([provided(show), provided(adjust)])
  )
}
