/**
 * What administrators do with users: find, create, disable and enable them, and change their roles. A disabled user is out at
 * once, on every server: sessions end, keys of both kinds are refused. At least one administrator is never disabled, however many
 * changes come at the same time. Every change is in the audit log.
 */
import { Context, Effect, Layer, Option, type Redacted, Schema, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { announceAccount } from "../accounts/Ledger.ts"
import { mayName } from "../accounts/UserGroups.ts"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import { rateKinds, rateLimitFields, type RateLimits, rateNames } from "../domain/CallLimits.ts"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, type AuditFacts, changesBetween, recordChange } from "../platform/AuditLog.ts"
import { publish } from "../platform/Notifications.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { noteAccountChange } from "./AccountNotices.ts"
import { revokeAdminKeys } from "./AdminKeys.ts"
import { ApiKeys } from "./ApiKeys.ts"
import {
  type EmailTaken,
  GroupNotOffered,
  InvalidEmail,
  LastRoot,
  OwnUser,
  type PasswordRefused,
  type TooBusy,
  UserDisabled,
  UserNotFound
} from "./IdentityError.ts"
import { PasswordQueue } from "./PasswordQueue.ts"
import { checkNewPassword } from "./Passwords.ts"
import { isStaff } from "./Roles.ts"
import { deleteSessions } from "./SessionStore.ts"
import { User } from "./User.ts"
import type { NewUser } from "./Users.ts"
import {
  findKeys,
  findUsers,
  type FoundKey,
  type UserDetails,
  userDetails,
  type UserSearch,
  type UserSummary
} from "./UserSearch.ts"
import { insertUser, lockRoots, writePasswordHash } from "./UserStore.ts"

export {
  cursorAfter,
  cursorIn,
  FoundKey,
  type UserDetails,
  type UserSearch,
  UserSession,
  userSorts,
  UserSummary
} from "./UserSearch.ts"

/** Users of one stream, at most, and of one of its pages. */
const USERS_STREAM_MAX = 100_000
const STREAM_PAGE_USERS = 1_000

const GroupedUser = Row({ groupCode: Schema.NullOr(Schema.String) })

const UserLimits = Row(rateLimitFields)

const limitFacts = (limits: RateLimits): AuditFacts =>
  Object.fromEntries(rateKinds.map((kind) => [rateNames[kind], limits[kind]]))

type ChangeError = UserNotFound | OwnUser | LastRoot | DatabaseUnavailable

export class UserAdmin extends Context.Service<UserAdmin, {
  /** Newest first. */
  search(search: UserSearch): Effect.Effect<ReadonlyArray<UserSummary>, DatabaseUnavailable>
  /** The same, one after the other, 100,000 at most; the sort is left out. */
  rows(search: Omit<UserSearch, "limit">): Stream.Stream<UserSummary, DatabaseUnavailable>
  /** Keys of users by a part of their hint, of 3 characters or more. */
  keys(hint: string, limit: number): Effect.Effect<ReadonlyArray<FoundKey>, DatabaseUnavailable>
  view(userId: UserId): Effect.Effect<Option.Option<UserDetails>, DatabaseUnavailable>
  create(
    actor: Actor,
    user: NewUser
  ): Effect.Effect<User, InvalidEmail | EmailTaken | PasswordRefused | TooBusy | DatabaseUnavailable>
  /**
   * Sets a password without asking for the current one, ends all sessions of the user and revokes their admin keys. The networks that
   * the user signs in from are known no longer, unless they are kept: because nobody else had the old password.
   */
  setPassword(
    actor: Actor,
    userId: UserId,
    password: Redacted.Redacted<string>,
    options?: { readonly keepNetworks: boolean }
  ): Effect.Effect<void, UserNotFound | PasswordRefused | TooBusy | DatabaseUnavailable>
  /** Disabling a disabled user changes nothing. */
  disable(actor: Actor, userId: UserId): Effect.Effect<void, ChangeError>
  /** Keys work again; sessions and links for a new password do not come back. */
  enable(actor: Actor, userId: UserId): Effect.Effect<void, UserNotFound | DatabaseUnavailable>
  /** Only a user who is not disabled becomes root. The role `user` revokes admin keys. */
  setRole(actor: Actor, userId: UserId, role: User["role"]): Effect.Effect<void, ChangeError | UserDisabled>
  /** Sets the user's own group; null: it is that of the plan or the code. Open calls keep their prices. */
  setGroup(
    actor: Actor,
    userId: UserId,
    code: string | null
  ): Effect.Effect<void, UserNotFound | GroupNotOffered | DatabaseUnavailable>
  /** Sets the user's own limits of calls, which come before those of plans and settings. Open calls stay. */
  setLimits(actor: Actor, userId: UserId, limits: RateLimits): Effect.Effect<void, UserNotFound | DatabaseUnavailable>
}>()("realms/identity/UserAdmin") {
  static readonly layer = Layer.effect(UserAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const passwords = yield* PasswordQueue
    const keys = yield* ApiKeys

    /** One change of who is an administrator at a time; the user's row is locked. */
    const locked = Effect.fnUntraced(function*(userId: UserId) {
      yield* lockRoots(sql)
      const user = yield* rowOf(
        User,
        sql`SELECT id, email, role, created_at, disabled_at FROM users
      WHERE id = ${userId} FOR NO KEY UPDATE`
      )
      return user ?? (yield* new UserNotFound({ userId }))
    })

    /** That this user may cease to be an administrator who can come in. */
    const checkExpendable = Effect.fnUntraced(function*(actor: Actor, user: User) {
      if (user.id === actor.userId) return yield* new OwnUser({ userId: user.id })
      if (user.role !== "root" || user.disabledAt !== null) return
      const others = yield* sql`SELECT FROM users
      WHERE role = 'root' AND disabled_at IS NULL AND id <> ${user.id} LIMIT 1`
      if (others.length === 0) return yield* new LastRoot({ userId: user.id })
    })

    /** Its keys are told, too: that a key is wrong is remembered as well. */
    const switched = Effect.fnUntraced(function*(actor: Actor, userId: UserId, to: "disabled" | "enabled") {
      const disabled = to === "disabled"
      yield* publish(sql, "keys", `user-${userId}`)
      yield* recordChange(sql, actor, {
        action: `user.${to}`,
        target: `user:${userId}`,
        before: { disabled: !disabled },
        after: { disabled }
      })
    })

    const disableNow = Effect.fnUntraced(function*(actor: Actor, userId: UserId) {
      const user = yield* locked(userId)
      if (user.disabledAt !== null) return
      yield* checkExpendable(actor, user)
      yield* sql`UPDATE users SET disabled_at = now() WHERE id = ${userId}`
      yield* deleteSessions(sql, userId)
      yield* sql`DELETE FROM password_links WHERE user_id = ${userId}`
      yield* switched(actor, userId, "disabled")
    })

    const enableNow = Effect.fnUntraced(function*(actor: Actor, userId: UserId) {
      const user = yield* locked(userId)
      if (user.disabledAt === null) return
      yield* sql`UPDATE users SET disabled_at = NULL WHERE id = ${userId}`
      yield* switched(actor, userId, "enabled")
    })

    const setRoleNow = Effect.fnUntraced(function*(actor: Actor, userId: UserId, role: User["role"]) {
      const user = yield* locked(userId)
      if (user.role === role) return
      if (role === "root" && user.disabledAt !== null) return yield* new UserDisabled({ userId })
      if (role !== "root") yield* checkExpendable(actor, user)
      yield* sql`UPDATE users SET role = ${role} WHERE id = ${userId}`
      if (role === "root") yield* sql`DELETE FROM setup_links`
      yield* recordChange(sql, actor, {
        action: "user.role_changed",
        target: `user:${userId}`,
        before: { role: user.role },
        after: { role }
      })
      // Otherwise they would work again when the user gets another role.
      if (!isStaff(role)) yield* revokeAdminKeys(sql, actor, userId)
    })

    const setPasswordNow = Effect.fnUntraced(function*(
      actor: Actor,
      { keepNetworks, passwordHash, userId }: {
        readonly userId: UserId
        readonly passwordHash: string
        readonly keepNetworks: boolean
      }
    ) {
      const kept = keepNetworks ? { keepNetworks: "all" as const } : {}
      if (!(yield* writePasswordHash(sql, userId, passwordHash, kept))) return yield* new UserNotFound({ userId })
      yield* deleteSessions(sql, userId)
      yield* noteAccountChange(sql, { userId, change: "password", address: null })
      yield* revokeAdminKeys(sql, actor, userId)
      yield* recordChange(sql, actor, {
        action: "user.password_set",
        target: `user:${userId}`,
        before: null,
        after: { password: "set", ...keepNetworks ? { keep_networks: true } : {} }
      })
    })

    const setGroupNow = Effect.fnUntraced(function*(actor: Actor, userId: UserId, code: string | null) {
      const user = yield* rowOf(
        GroupedUser,
        sql`SELECT group_code FROM users WHERE id = ${userId} FOR NO KEY UPDATE`
      )
      if (user === undefined) return yield* new UserNotFound({ userId })
      if (user.groupCode === code) return
      if (!(yield* mayName(sql, code))) return yield* new GroupNotOffered({ code: code ?? "" })
      yield* sql`UPDATE users SET group_code = ${code}::text WHERE id = ${userId}`
      yield* announceAccount(sql, userId)
      yield* recordChange(sql, actor, {
        action: "user.group_changed",
        target: `user:${userId}`,
        before: { group_code: user.groupCode },
        after: { group_code: code }
      })
    })

    const setLimitsNow = Effect.fnUntraced(function*(actor: Actor, userId: UserId, limits: RateLimits) {
      const before = yield* rowOf(
        UserLimits,
        sql`SELECT requests_per_minute, tokens_per_minute, concurrent_calls FROM users
          WHERE id = ${userId} FOR NO KEY UPDATE`
      )
      if (before === undefined) return yield* new UserNotFound({ userId })
      const facts = changesBetween(limitFacts(before), limitFacts(limits))
      if (Object.keys(facts.after).length === 0) return
      yield* sql`UPDATE users SET requests_per_minute = ${limits.requestsPerMinute}::integer,
          tokens_per_minute = ${limits.tokensPerMinute}::integer, concurrent_calls = ${limits.concurrentCalls}::integer
        WHERE id = ${userId}`
      yield* announceAccount(sql, userId)
      yield* recordChange(sql, actor, { action: "user.limits_changed", target: `user:${userId}`, ...facts })
    })

    const createNow = Effect.fnUntraced(function*(actor: Actor, user: Parameters<typeof insertUser>[1]) {
      const made = yield* insertUser(sql, user)
      yield* recordChange(sql, actor, {
        action: "user.created",
        target: `user:${made.id}`,
        before: null,
        after: { email: made.email, role: made.role }
      })
      return made
    })

    /** What is done here is seen here at once; the message to the other servers arrives a moment later. */
    const forget = Effect.sync(() => keys.forget())

    return UserAdmin.of({
      rows: ({ role, state, text }) =>
        Stream.paginate<bigint | undefined, UserSummary, DatabaseUnavailable>(undefined, (before) =>
          Effect.map(
            orUnavailable(findUsers(sql, { role, state, text, before, limit: STREAM_PAGE_USERS })),
            (users) =>
              [
                users,
                users.length < STREAM_PAGE_USERS ? Option.none() : Option.fromUndefinedOr(users.at(-1)?.id)
              ] as const
          )).pipe(Stream.take(USERS_STREAM_MAX)),
      keys: (hint, limit) => orUnavailable(findKeys(sql, hint, limit)),
      search: (search) => orUnavailable(findUsers(sql, search)).pipe(Effect.withSpan("UserAdmin.search")),
      view: (userId) =>
        orUnavailable(userDetails(sql, userId)).pipe(
          Effect.map(Option.fromUndefinedOr),
          Effect.withSpan("UserAdmin.view")
        ),
      create: Effect.fn("UserAdmin.create")(function*(actor, user) {
        const email = normalizeEmail(user.email)
        if (email === undefined) return yield* new InvalidEmail({ email: user.email })
        if (user.password !== undefined) yield* checkNewPassword(user.password)
        const passwordHash = user.password === undefined ? null : yield* passwords.hash(user.password)
        return yield* inTransaction(sql, createNow(actor, { email, role: user.role, passwordHash })).pipe(
          orUnavailable
        )
      }),
      setPassword: Effect.fn("UserAdmin.setPassword")(function*(actor, userId, password, options) {
        yield* checkNewPassword(password)
        const passwordHash = yield* passwords.hash(password)
        const keepNetworks = options?.keepNetworks === true
        yield* inTransaction(sql, setPasswordNow(actor, { userId, passwordHash, keepNetworks })).pipe(orUnavailable)
      }),
      disable: Effect.fn("UserAdmin.disable")(function*(actor, userId) {
        yield* inTransaction(sql, disableNow(actor, userId)).pipe(orUnavailable, Effect.andThen(forget))
      }),
      enable: Effect.fn("UserAdmin.enable")(function*(actor, userId) {
        yield* inTransaction(sql, enableNow(actor, userId)).pipe(orUnavailable, Effect.andThen(forget))
      }),
      setRole: Effect.fn("UserAdmin.setRole")(function*(actor, userId, role) {
        yield* inTransaction(sql, setRoleNow(actor, userId, role)).pipe(orUnavailable)
      }),
      setGroup: Effect.fn("UserAdmin.setGroup")(function*(actor, userId, code) {
        yield* inTransaction(sql, setGroupNow(actor, userId, code)).pipe(orUnavailable)
      }),
      setLimits: Effect.fn("UserAdmin.setLimits")(function*(actor, userId, limits) {
        yield* inTransaction(sql, setLimitsNow(actor, userId, limits)).pipe(orUnavailable)
      })
    })
  })).pipe(Layer.provide(PasswordQueue.layer))
}
