/**
 * The way in for the first administrator: a link that works once, for a day, while there is no administrator. Only the hash
 * of its token is stored, so that any server takes it; making an administrator, by whatever way, makes all links void.
 */
import { Context, Effect, Layer, Option, Redacted } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { SetupLinkInvalid } from "./IdentityError.ts"
import { makeToken, tokenHashOf } from "./SessionStore.ts"
import { lockRoots } from "./UserStore.ts"

/** A link is valid so long. */
const LINK_HOURS_MAX = 24

/** Links of earlier starts stay valid, so many together with the newest. */
const LINKS_MAX = 20

/** The token of a setup link. */
export type SetupToken = Redacted.Redacted<string>

export class SetupLinks extends Context.Service<SetupLinks, {
  /** A new link's token; none when there is an administrator, disabled or not. */
  readonly issue: Effect.Effect<Option.Option<SetupToken>, DatabaseUnavailable>
  /** Whether `Login.redeemSetup` would take it at this moment. */
  isValid(token: SetupToken): Effect.Effect<boolean, DatabaseUnavailable>
}>()("realms/identity/SetupLinks") {
  static readonly layer = Layer.effect(SetupLinks)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const write = Effect.gen(function*() {
      yield* lockRoots(sql)
      if (yield* rootExists(sql)) return Option.none<SetupToken>()
      const { token, tokenHash } = makeToken()
      yield* sql`DELETE FROM setup_links WHERE token_hash IN (
      SELECT token_hash FROM setup_links ORDER BY created_at DESC OFFSET ${LINKS_MAX - 1})`
      yield* sql`INSERT INTO setup_links (token_hash, expires_at)
      VALUES (${tokenHash}, now() + make_interval(hours => ${LINK_HOURS_MAX}::integer))`
      return Option.some(token)
    })

    return SetupLinks.of({
      issue: inTransaction(sql, write).pipe(orUnavailable, Effect.withSpan("SetupLinks.issue")),
      isValid: Effect.fn("SetupLinks.isValid")((token) => orUnavailable(isSetupLink(sql, token)))
    })
  }))
}

/** Whether the token is one that {@link takeSetupLink} would take at this moment. */
export const isSetupLink = (sql: SqlClient.SqlClient, token: SetupToken): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.map(
    sql`SELECT FROM setup_links WHERE token_hash = ${tokenHashOf(token) ?? null}::bytea AND expires_at > now()
      AND NOT EXISTS (SELECT FROM users WHERE role = 'root')`,
    (rows) => rows.length > 0
  )

const rootExists = (sql: SqlClient.SqlClient): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.map(sql`SELECT FROM users WHERE role = 'root' LIMIT 1`, (rows) => rows.length > 0)

/**
 * Uses a link up as part of the transaction that makes the administrator. Of two at once the second waits, and finds that
 * there is one.
 */
export const takeSetupLink = (
  sql: SqlClient.SqlClient,
  token: SetupToken
): Effect.Effect<void, SetupLinkInvalid | SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* lockRoots(sql)
    if (yield* rootExists(sql)) return yield* new SetupLinkInvalid()
    const taken = yield* sql`DELETE FROM setup_links
      WHERE token_hash = ${tokenHashOf(token) ?? null}::bytea AND expires_at > now() RETURNING token_hash`
    if (taken.length === 0) return yield* new SetupLinkInvalid()
  })

/** Where to make the first administrator, and for how many hours. The address is as good as a password. */
export interface SetupLink {
  readonly url: string
  readonly hoursMax: number
}

/** A new link; undefined: there is an administrator. */
export const openSetupLink: Effect.Effect<SetupLink | undefined, DatabaseUnavailable, SetupLinks | PublicAddress> =
  Effect
    .gen(function*() {
      const token = yield* (yield* SetupLinks).issue
      if (Option.isNone(token)) return undefined
      const url = (yield* PublicAddress).url()
      return { url: `${url}/setup/${Redacted.value(token.value)}`, hoursMax: LINK_HOURS_MAX }
    })
