/**
 * The users of an installation. A user is made together with an empty account, and is disabled, never deleted.
 */
import { Context, Effect, Layer, type Redacted, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { openAccount } from "../accounts/AccountStore.ts"
import { hashPassword } from "./Passwords.ts"

export interface User {
  readonly id: bigint
  readonly email: string
  readonly role: "user" | "root"
  readonly createdAt: Date
  readonly disabledAt: Date | null
}

/** There is a user with this e-mail address already. */
export class EmailTaken extends Schema.TaggedError<EmailTaken>()("EmailTaken", { email: Schema.String }) {}

/** Not an e-mail address. */
export class InvalidEmail extends Schema.TaggedError<InvalidEmail>()("InvalidEmail", { email: Schema.String }) {}

export interface NewUser {
  readonly email: string
  readonly role: "user" | "root"
  readonly password?: Redacted.Redacted<string>
}

export class Users extends Context.Service<Users, {
  create(user: NewUser): Effect.Effect<User, EmailTaken | InvalidEmail | SqlError.SqlError>
  readonly list: Effect.Effect<ReadonlyArray<User>, SqlError.SqlError>
  /** By e-mail address, in any case. */
  findByEmail(email: string): Effect.Effect<User | undefined, SqlError.SqlError>
  findById(id: bigint): Effect.Effect<User | undefined, SqlError.SqlError>
}>()("realms/identity/Users") {
  static readonly layer = Layer.effect(Users, Effect.suspend(() => make))
}

interface UserRow {
  readonly id: bigint
  readonly email: string
  readonly role: "user" | "root"
  readonly created_at: Date
  readonly disabled_at: Date | null
}

const EMAIL_CHARS_MAX = 254

const emailPattern = /^[^\s@]+@[^\s@]+$/

const toUser = (row: UserRow): User => ({
  id: row.id,
  email: row.email,
  role: row.role,
  createdAt: row.created_at,
  disabledAt: row.disabled_at
})

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  const insert = (email: string, user: NewUser, hash: string | null) =>
    Effect.gen(function*() {
      const rows = yield* sql<UserRow>`INSERT INTO users (email, role, password_hash) VALUES (${email}, ${user.role}, ${hash})
        ON CONFLICT (email) DO NOTHING RETURNING id, email, role, created_at, disabled_at`
      const [row] = rows
      if (row === undefined) return yield* new EmailTaken({ email })
      yield* openAccount(sql, row.id)
      return toUser(row)
    }).pipe(sql.withTransaction)

  const create = Effect.fn("Users.create")(function*(user: NewUser) {
    const email = user.email.trim().toLowerCase()
    if (email.length > EMAIL_CHARS_MAX || !emailPattern.test(email)) return yield* new InvalidEmail({ email })
    const hash = user.password === undefined ? null : yield* hashPassword(user.password)
    return yield* insert(email, user, hash)
  })

  const list = Effect.map(
    sql<UserRow>`SELECT id, email, role, created_at, disabled_at FROM users ORDER BY id LIMIT 10000`,
    (rows) => rows.map(toUser)
  )

  const findByEmail = Effect.fn("Users.findByEmail")(function*(email: string) {
    const [row] = yield* sql<UserRow>`SELECT id, email, role, created_at, disabled_at FROM users
      WHERE email = ${email.trim().toLowerCase()}`
    return row === undefined ? undefined : toUser(row)
  })

  const findById = Effect.fn("Users.findById")(function*(id: bigint) {
    const [row] = yield* sql<UserRow>`SELECT id, email, role, created_at, disabled_at FROM users WHERE id = ${id}`
    return row === undefined ? undefined : toUser(row)
  })

  return Users.of({ create, list, findByEmail, findById })
})
