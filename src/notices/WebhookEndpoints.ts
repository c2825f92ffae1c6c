/**
 * Where programs hear of notices: one address for each user, and one for the installation, which root sets. The secret that deliveries
 * are signed with is told once, when it is made; after a rotation the old one signs beside it for a day, so that a receiver can change
 * over without missing any.
 */
import { Context, Effect, Layer, type Redacted, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { UserId } from "../domain/Ids.ts"
import type { Language } from "../domain/Language.ts"
import { Count, Row } from "../domain/Row.ts"
import { type Actor, changesBetween, recordChange } from "../platform/AuditLog.ts"
import { type MasterKeyInvalid, SecretBox, type SecretUnreadable } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { type NoticeKind, TEST_KIND } from "./NoticeKinds.ts"
import { WebhookClient, type WebhookOwner } from "./WebhookClient.ts"
import { makeWebhookSecret } from "./WebhookSignature.ts"

/** An endpoint as its owner sees it. */
export const WebhookEndpoint = Row({
  id: Schema.BigInt,
  url: Schema.String,
  muted: Schema.Array(Schema.String),
  /** When it answered that it is gone: nothing is sent until it is saved again. */
  disabledAt: Schema.NullOr(Schema.Date),
  /** When the newest secret was made. */
  secretAt: Schema.Date
})
export interface WebhookEndpoint extends Schema.Schema.Type<typeof WebhookEndpoint> {}

/** The address cannot be used. */
export class WebhookRefused extends Schema.TaggedError<WebhookRefused>()("WebhookRefused", {
  problem: Schema.Literals(["url", "credentials", "secret", "fragment", "forbidden"])
}) {
  override readonly message = `the address of a webhook is refused: ${this.problem}`
}

export class WebhookMissing extends Schema.TaggedError<WebhookMissing>()("WebhookMissing", {}) {
  override readonly message = "there is no webhook"
}

/** A test was sent a moment ago, or still waits. */
export class WebhookTestedJustNow extends Schema.TaggedError<WebhookTestedJustNow>()("WebhookTestedJustNow", {}) {
  override readonly message = "a test was sent a moment ago, or is still on its way"
}

/** Tests of an owner's webhook within a day, at most. */
export const TESTS_A_DAY_MAX = 50

/** So many tests were sent within a day. */
export class WebhookTestedOften extends Schema.TaggedError<WebhookTestedOften>()("WebhookTestedOften", {}) {
  override readonly message = `${TESTS_A_DAY_MAX} tests were sent within a day`
}

export interface EndpointChange {
  readonly url: string
  readonly language: Language
  /** Kinds that it does not get. */
  readonly muted: ReadonlyArray<NoticeKind>
}

/** Whose it is. Null: the installation's. */
type Owner = UserId | null

export class WebhookEndpoints extends Context.Service<WebhookEndpoints, {
  of(owner: Owner): Effect.Effect<WebhookEndpoint | undefined, DatabaseUnavailable>
  /** Sets the address. Answers the secret where there was none, and never again. */
  save(
    actor: Actor,
    owner: Owner,
    change: EndpointChange
  ): Effect.Effect<Redacted.Redacted<string> | undefined, WebhookRefused | DatabaseUnavailable>
  /** A new secret, told this once. */
  rotate(actor: Actor, owner: Owner): Effect.Effect<Redacted.Redacted<string>, WebhookMissing | DatabaseUnavailable>
  /** What was on its way to it is dropped. */
  remove(actor: Actor, owner: Owner): Effect.Effect<void, DatabaseUnavailable>
  /** Queues a test for it, which is tried once. One a minute at most, none while another one waits, and some a day. */
  test(
    owner: Owner
  ): Effect.Effect<void, WebhookMissing | WebhookTestedJustNow | WebhookTestedOften | DatabaseUnavailable>
  /** What signs for an endpoint, the newest first. */
  secretsOf(
    endpointId: bigint
  ): Effect.Effect<
    ReadonlyArray<Redacted.Redacted<string>>,
    SqlError.SqlError | SecretUnreadable | MasterKeyInvalid
  >
}>()("realms/notices/WebhookEndpoints") {
  static readonly layer = Layer.effect(WebhookEndpoints)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const box = yield* SecretBox
    const client = yield* WebhookClient

    const find = (owner: Owner) =>
      rowOf(
        WebhookEndpoint,
        sql`SELECT e.id, e.url, e.muted, e.disabled_at,
            (SELECT max(s.created_at) FROM webhook_secrets s WHERE s.endpoint_id = e.id) AS secret_at
          FROM webhook_endpoints e WHERE coalesce(e.user_id, 0) = ${owner ?? 0n}::bigint`
      )

    /** Makes a secret the newest of an endpoint: the one before it signs for some time yet. */
    const addSecret = Effect.fnUntraced(function*(endpointId: bigint) {
      const secret = makeWebhookSecret()
      const { id } = yield* oneRowOf(
        NextSecret,
        sql`SELECT nextval(pg_get_serial_sequence('webhook_secrets', 'id')) AS id`
      )
      const sealed = yield* Effect.mapError(box.seal(secret, placeOf(id)), databaseUnavailable)
      // Of several rotations in a row only the last two secrets sign.
      yield* sql`DELETE FROM webhook_secrets WHERE endpoint_id = ${endpointId} AND expires_at IS NOT NULL`
      yield* sql`UPDATE webhook_secrets SET expires_at = now() + make_interval(hours => ${OLD_SECRET_HOURS}::integer)
        WHERE endpoint_id = ${endpointId}`
      yield* sql`INSERT INTO webhook_secrets (id, endpoint_id, secret_sealed, key_id) OVERRIDING SYSTEM VALUE
        VALUES (${id}, ${endpointId}, ${Buffer.from(sealed.bytes)}, ${sealed.keyId})`
      return secret
    })

    /** What root does is in the audit log; what users do with their own is theirs. */
    const record = (actor: Actor, owner: Owner, done: string, before: Facts | null, after: Facts | null) => {
      if (owner !== null) return Effect.void
      const facts = before !== null && after !== null ? changesBetween(before, after) : { before, after }
      return recordChange(sql, actor, { action: `webhook.${done}`, target: "webhook", ...facts })
    }

    const lock = (owner: Owner) => sql`SELECT pg_advisory_xact_lock(${SAVE_LOCK}, ${Number((owner ?? 0n) % LOCK_KEYS)})`

    const save = Effect.fn("WebhookEndpoints.save")(
      function*(actor: Actor, owner: Owner, { language, muted, url: typed }: EndpointChange) {
        const url = typed.trim()
        const problem = client.problemOf(ownerKind(owner), url)
        if (problem !== undefined) return yield* new WebhookRefused({ problem })
        return yield* inTransaction(
          sql,
          Effect.gen(function*() {
            yield* lock(owner)
            const before = yield* find(owner)
            const written = yield* oneRowOf(
              WrittenEndpoint,
              before === undefined
                ? sql`INSERT INTO webhook_endpoints (user_id, url, language, muted)
                  VALUES (${owner}, ${url}, ${language}, ${muted}::text[]) RETURNING id`
                : sql`UPDATE webhook_endpoints SET url = ${url}, language = ${language}, muted = ${muted}::text[],
                    disabled_at = NULL, updated_at = now() WHERE id = ${before.id} RETURNING id`
            )
            yield* record(actor, owner, "saved", before === undefined ? null : factsOf(before), factsOf({ url, muted }))
            return before === undefined ? yield* addSecret(written.id) : undefined
          })
        ).pipe(orUnavailable)
      }
    )

    const rotate = Effect.fn("WebhookEndpoints.rotate")(function*(actor: Actor, owner: Owner) {
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          yield* lock(owner)
          const found = yield* find(owner)
          if (found === undefined) return yield* new WebhookMissing()
          yield* record(actor, owner, "rotated", null, factsOf(found))
          return yield* addSecret(found.id)
        })
      ).pipe(orUnavailable)
    })

    const remove = Effect.fn("WebhookEndpoints.remove")(function*(actor: Actor, owner: Owner) {
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          yield* lock(owner)
          const found = yield* find(owner)
          if (found === undefined) return
          // The endpoint before its deliveries, as where it is disabled.
          yield* sql`SELECT FROM webhook_endpoints WHERE id = ${found.id} FOR UPDATE`
          yield* sql`UPDATE notice_deliveries SET state = 'dropped', ended_at = now()
            WHERE endpoint_id = ${found.id} AND state = 'waiting'`
          yield* sql`DELETE FROM webhook_endpoints WHERE id = ${found.id}`
          yield* record(actor, owner, "removed", factsOf(found), null)
        })
      ).pipe(orUnavailable)
    })

    const test = Effect.fn("WebhookEndpoints.test")(function*(owner: Owner) {
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          yield* lock(owner)
          const found = yield* find(owner)
          if (found === undefined) return yield* new WebhookMissing()
          // Of the owner, not of the endpoint: a webhook that is made again may be tested no sooner.
          const { lately, today } = yield* oneRowOf(
            Tests,
            sql`SELECT count(*) AS today, count(*) FILTER (
                WHERE n.created_at > now() - make_interval(secs => ${TEST_SECONDS_MIN}::integer)
                  OR EXISTS (SELECT FROM notice_deliveries d WHERE d.notice_id = n.id AND d.state = 'waiting')
              ) AS lately
              FROM notices n WHERE n.kind = 'webhook_test' AND coalesce(n.user_id, 0) = ${owner ?? 0n}::bigint
                AND n.created_at > now() - interval '1 day'`
          )
          if (lately > 0) return yield* new WebhookTestedJustNow()
          if (today >= TESTS_A_DAY_MAX) return yield* new WebhookTestedOften()
          yield* sql`WITH notice AS (
              INSERT INTO notices (key, kind, user_id, spread_at)
                VALUES (${`test:${randomUUID()}`}, ${TEST_KIND}, ${owner}, now()) RETURNING id, user_id
            )
            INSERT INTO notice_deliveries (notice_id, channel, user_id, endpoint_id)
              SELECT id, 'webhook', user_id, ${found.id}::bigint FROM notice`
        })
      ).pipe(orUnavailable)
    })

    const secretsOf = Effect.fnUntraced(function*(endpointId: bigint) {
      const found = yield* rowsOf(
        StoredSecret,
        sql`SELECT id, secret_sealed, key_id FROM webhook_secrets
          WHERE endpoint_id = ${endpointId} AND (expires_at IS NULL OR expires_at > now()) ORDER BY id DESC`
      )
      return yield* Effect.forEach(
        found,
        ({ bytes, id, keyId }) => box.open({ bytes, keyId }, placeOf(id))
      )
    })

    return WebhookEndpoints.of({
      of: (owner) => orUnavailable(find(owner)),
      save,
      rotate,
      remove,
      test,
      secretsOf
    })
  }))
}

type Facts = Readonly<{ url: string; muted: ReadonlyArray<string> }>

/** Of an address only its origin: with many services its path is what lets somebody in. */
const factsOf = ({ muted, url }: Pick<WebhookEndpoint, "url" | "muted">): Facts => ({ url: new URL(url).origin, muted })

/** After a rotation the old secret signs so long. */
const OLD_SECRET_HOURS = 24

/** Between two tests of an owner's webhook, at least. */
const TEST_SECONDS_MIN = 60

const Tests = Row({ today: Count, lately: Count })

/** Of the advisory locks under which endpoints are written, one change of an owner's at a time. */
const SAVE_LOCK = 1_730_416
const LOCK_KEYS = 2_147_483_647n

/** Where a secret is stored, as its seal names it. */
const placeOf = (id: bigint): string => `webhook_secret:${id}`

const ownerKind = (owner: Owner): WebhookOwner => owner === null ? "root" : "user"

const NextSecret = Row({ id: Schema.BigInt })
const WrittenEndpoint = Row({ id: Schema.BigInt })
const StoredSecret = Row(
  { id: Schema.BigInt, bytes: Schema.Uint8Array, keyId: Schema.String },
  { bytes: "secret_sealed" }
)
