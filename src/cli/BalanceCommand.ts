/**
 * `realms balance show` and `realms balance adjust`.
 */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { Accounts } from "../accounts/Accounts.ts"
import { formatUsd, MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import { findUser, userFlag } from "./FindUser.ts"
import { CommandFailed, failWith, jsonFlag, print } from "./Output.ts"

const show = Command.make(
  "show",
  { user: userFlag, json: jsonFlag },
  Effect.fn(function*({ json, user }) {
    const owner = yield* findUser(user)
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ usd_micros: bigint; owed_micros: bigint; held: bigint }>`
      SELECT usd_micros, owed_micros, (
        SELECT coalesce(sum(reserved_micros), 0)::bigint FROM usage_events
        WHERE user_id = ${owner.id} AND state = 'reserved' AND funding = 'balance'
      ) AS held FROM user_balances WHERE user_id = ${owner.id}`.pipe(Effect.mapError(failWith("the balance could not be read")))
    const { held, owed_micros, usd_micros } = rows[0] ?? { usd_micros: 0n, owed_micros: 0n, held: 0n }
    const details = [
      ...(held > 0n ? [`held by open calls: $${formatUsd(held)}`] : []),
      ...(owed_micros > 0n ? [`owed: $${formatUsd(owed_micros)}`] : [])
    ]
    yield* print(
      json,
      { user_id: owner.id, usd_micros, owed_micros, reserved_micros: held },
      [`$${formatUsd(usd_micros)}`, ...details].join("\n")
    )
  })
).pipe(Command.withDescription("Show what a user can spend"))

const adjust = Command.make(
  "adjust",
  {
    user: userFlag,
    usd: Flag.String("usd").pipe(Flag.withDescription("Amount in USD, such as 5.00; --usd=-5.00 takes, down to zero")),
    note: Flag.String("note").pipe(Flag.withDescription("Why; kept in the ledger")),
    json: jsonFlag
  },
  Effect.fn(function*({ json, note, usd, user }) {
    const amountMicros = parseDecimal(usd, MICROS_SCALE)
    if (amountMicros === undefined || amountMicros === 0n) {
      return yield* new CommandFailed({ message: `not an amount in USD with at most six decimals: ${usd}` })
    }
    if (note.trim() === "") return yield* new CommandFailed({ message: "an adjustment needs a note: --note \"why\"" })
    const owner = yield* findUser(user)
    const accounts = yield* Accounts
    const posted = yield* accounts.post(owner.id, {
      _tag: "Post",
      kind: "adjustment",
      amountMicros,
      refType: "adjustment",
      refId: randomUUID(),
      actor: "cli",
      note,
      mode: "strict"
    }).pipe(Effect.catchTags({
      DebitRefused: (error) =>
        new CommandFailed({
          message: `the balance is $${formatUsd(error.availableMicros)}; $${formatUsd(error.neededMicros)} cannot be taken from it`
        }),
      AccountUnavailable: (error) =>
        new CommandFailed({ message: `the account cannot be written now (${error.reason}); try again` }),
      UnknownAccount: () => new CommandFailed({ message: `user ${user} has no account` })
    }))
    yield* print(
      json,
      { user_id: owner.id, usd_micros: posted.usdMicros, owed_micros: posted.owedMicros },
      `$${formatUsd(posted.usdMicros)}${posted.owedMicros > 0n ? `, owed $${formatUsd(posted.owedMicros)}` : ""}`
    )
  })
).pipe(Command.withDescription("Credit or debit a user, with a note"))

export const BalanceCommand = Command.make("balance").pipe(
  Command.withDescription("Balances"),
  Command.withSubcommands([show, adjust])
)
