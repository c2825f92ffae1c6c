/**
 * The users of this installation. A user is made together with an empty account, in one transaction, and is never
 * deleted. E-mail addresses are kept in lower case, and one belongs to one user.
 */
import { Context, Effect, Layer, Option, type Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import type { UserId } from "../domain/Ids.ts"
import { type DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { type EmailTaken, InvalidEmail, type PasswordRefused, type TooBusy, UserNotFound } from "./IdentityError.ts"
import { PasswordQueue } from "./PasswordQueue.ts"
import { checkNewPassword } from "./Passwords.ts"
import { deleteSessions } from "./SessionStore.ts"
import { User } from "./User.ts"
import { insertUser, writePasswordHash } from "./UserStore.ts"

export type { User } from "./User.ts"

export interface NewUser {
  readonly email: string
  readonly role: User["role"]
  /** Without one the user cannot log in. */
  readonly password?: Redacted.Redacted<string>
}

export class Users extends Context.Service<Users, {
  create(user: NewUser): Effect.Effect<User, InvalidEmail | EmailTaken | TooBusy | DatabaseUnavailable>
  /** Sets a password without asking for the current one, and ends all sessions of the user. */
  setPassword(
    userId: UserId,
    password: Redacted.Redacted<string>
  ): Effect.Effect<void, UserNotFound | PasswordRefused | TooBusy | DatabaseUnavailable>
  /** In the order in which they were made, disabled ones too. */
  readonly list: Effect.Effect<ReadonlyArray<User>, DatabaseUnavailable>
  /** Upper and lower case are the same. */
  findByEmail(email: string): Effect.Effect<Option.Option<User>, DatabaseUnavailable>
  findById(id: UserId): Effect.Effect<Option.Option<User>, DatabaseUnavailable>
}>()("realms/identity/Users") {
  static readonly layer = Layer.effect(Users)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const passwords = yield* PasswordQueue
    const columns = sql.literal("id, email, role, created_at, disabled_at")

    const create = Effect.fn("Users.create")(function*(user: NewUser) {
      const email = normalizeEmail(user.email)
      if (email === undefined) return yield* new InvalidEmail({ email: user.email })
      const passwordHash = user.password === undefined ? null : yield* passwords.hash(user.password)
      return yield* inTransaction(sql, insertUser(sql, { email, role: user.role, passwordHash })).pipe(orUnavailable)
    })

    const setPassword = Effect.fn("Users.setPassword")(
      function*(userId: UserId, password: Redacted.Redacted<string>) {
        yield* checkNewPassword(password)
        const passwordHash = yield* passwords.hash(password)
        yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const written = yield* writePasswordHash(sql, userId, passwordHash)
            if (!written) return yield* new UserNotFound({ userId })
            yield* deleteSessions(sql, userId)
          })
        ).pipe(orUnavailable)
      }
    )

    const list = rowsOf(User, sql`SELECT ${columns} FROM users ORDER BY id`).pipe(
      Effect.mapError(databaseUnavailable)
    )

    const findByEmail = Effect.fn("Users.findByEmail")(function*(text: string) {
      const email = normalizeEmail(text)
      if (email === undefined) return Option.none<User>()
      return Option.fromUndefinedOr(yield* rowOf(User, sql`SELECT ${columns} FROM users WHERE email = ${email}`))
    }, Effect.mapError(databaseUnavailable))

    const findById = Effect.fn("Users.findById")(function*(id: UserId) {
      return Option.fromUndefinedOr(yield* rowOf(User, sql`SELECT ${columns} FROM users WHERE id = ${id}`))
    }, Effect.mapError(databaseUnavailable))

    return Users.of({ create, setPassword, list, findByEmail, findById })
  })).pipe(Layer.provide(PasswordQueue.layer))
}
