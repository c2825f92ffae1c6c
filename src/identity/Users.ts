/**
 * The users of this installation. A user is made together with an empty account, in one transaction, and is never
 * deleted. E-mail addresses are kept in lower case, and one belongs to one user.
 */
import { Context, Effect, Layer, Option, type Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { openAccount } from "../accounts/AccountStore.ts"
import { EmailTaken, type IdentityUnavailable, identityUnavailable, InvalidEmail } from "./IdentityError.ts"
import { hashPassword } from "./Passwords.ts"

export interface User {
  readonly id: bigint
  readonly email: string
  readonly role: "user" | "root"
  readonly createdAt: Date
  readonly disabledAt: Date | null
}

export interface NewUser {
  readonly email: string
  readonly role: User["role"]
  /** Without one the user cannot log in. */
  readonly password?: Redacted.Redacted<string>
}

export class Users extends Context.Service<Users, {
  create(user: NewUser): Effect.Effect<User, InvalidEmail | EmailTaken | IdentityUnavailable>
  /** In the order in which they were made, disabled ones too. */
  readonly list: Effect.Effect<ReadonlyArray<User>, IdentityUnavailable>
  /** Upper and lower case are the same. */
  findByEmail(email: string): Effect.Effect<Option.Option<User>, IdentityUnavailable>
  findById(id: bigint): Effect.Effect<Option.Option<User>, IdentityUnavailable>
}>()("realms/identity/Users") {
  static readonly layer = Layer.effect(Users, Effect.suspend(() => make))
}

const EMAIL_LENGTH_MAX = 254

/** https://html.spec.whatwg.org/#valid-e-mail-address */
const emailPattern =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/

/** An address as it is stored and compared; undefined when it is none. */
export const normalizeEmail = (text: string): string | undefined => {
  const email = text.trim().toLowerCase()
  return email.length <= EMAIL_LENGTH_MAX && emailPattern.test(email) ? email : undefined
}

interface UserRow {
  readonly id: bigint
  readonly email: string
  readonly role: User["role"]
  readonly created_at: Date
  readonly disabled_at: Date | null
}

const toUser = (row: UserRow): User => ({
  id: row.id,
  email: row.email,
  role: row.role,
  createdAt: row.created_at,
  disabledAt: row.disabled_at
})

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const columns = sql.literal("id, email, role, created_at, disabled_at")

  const insert = (email: string, role: User["role"], passwordHash: string | null) =>
    sql.withTransaction(Effect.gen(function*() {
      const [row] = yield* sql<UserRow>`INSERT INTO users (email, role, password_hash)
        VALUES (${email}, ${role}, ${passwordHash}) ON CONFLICT (email) DO NOTHING RETURNING ${columns}`
      if (row === undefined) return yield* new EmailTaken({ email })
      yield* openAccount(sql, row.id)
      return toUser(row)
    })).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(identityUnavailable(error))))

  const create = Effect.fn("Users.create")(function*(user: NewUser) {
    const email = normalizeEmail(user.email)
    if (email === undefined) return yield* new InvalidEmail({ email: user.email })
    const hash = user.password === undefined ? null : yield* hashPassword(user.password)
    return yield* insert(email, user.role, hash)
  })

  const list = sql<UserRow>`SELECT ${columns} FROM users ORDER BY id`.pipe(
    Effect.map((rows) => rows.map(toUser)),
    Effect.mapError(identityUnavailable)
  )

  const first = (rows: ReadonlyArray<UserRow>): Option.Option<User> =>
    Option.map(Option.fromUndefinedOr(rows[0]), toUser)

  const findByEmail = Effect.fn("Users.findByEmail")(function*(text: string) {
    const email = normalizeEmail(text)
    if (email === undefined) return Option.none<User>()
    return first(yield* sql<UserRow>`SELECT ${columns} FROM users WHERE email = ${email}`)
  }, Effect.mapError(identityUnavailable))

  const findById = Effect.fn("Users.findById")(function*(id: bigint) {
    return first(yield* sql<UserRow>`SELECT ${columns} FROM users WHERE id = ${id}`)
  }, Effect.mapError(identityUnavailable))

  return Users.of({ create, list, findByEmail, findById })
})
