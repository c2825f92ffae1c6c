/**
 * The ids by which a call may refer to what an upstream stored of an earlier call. The journal writes them with the commit of
 * that call; here they are found, and their partitions are made two days ahead and dropped after 30 days.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { ChannelId, type UserId } from "../domain/Ids.ts"
import { Count, Row } from "../domain/Row.ts"
import { inRounds } from "../platform/Rounds.ts"
import { withinDatabaseWait } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { LookUpTurns } from "./LookUpTurns.ts"
import { AccountUnavailable } from "./AccountError.ts"
import { ANSWER_MS_MAX } from "./Silent.ts"
import { isReferenceId } from "./StoredReferences.ts"

/** Different ids of one query, at most. */
export const REFERENCE_IDS_MAX = 1_024

/** References are known for so many days. */
const REFERENCE_DAYS = 30

/** Partitions are made for so many days beyond today. */
const DAYS_AHEAD = 2

/** Between two rounds that make and drop partitions. A round that failed is made up for by the next. */
const ROUND_MS = 3_600_000

/** What is known of an id. */
export const FoundReference = Row({
  id: Schema.String,
  /** The channel whose upstream has it. */
  channelId: ChannelId,
  /** The response that it is, or that it is an item of. */
  responseId: Schema.String,
  isResponse: Schema.Boolean,
  /** Of the whole call, in tokens; ceilings where its usage was not exact. */
  inputTokens: Count,
  outputTokens: Count
})
export interface FoundReference extends Schema.Schema.Type<typeof FoundReference> {}

/** A call refers to more than {@link REFERENCE_IDS_MAX} different ids. */
export class TooManyReferences extends Schema.TaggedError<TooManyReferences>()("TooManyReferences", {
  ids: Schema.Number,
  idsMax: Schema.Number
}) {}

export class ResponseReferences extends Context.Service<ResponseReferences, {
  /**
   * What a user's calls of the last 30 days have left under these ids, one element for each channel and id. An id that a
   * channel has for two users is nobody's. Of an id that several calls left, the largest counts are given.
   */
  find(
    userId: UserId,
    ids: ReadonlyArray<string>
  ): Effect.Effect<ReadonlyArray<FoundReference>, TooManyReferences | AccountUnavailable>
  /** Makes and drops partitions now; the layer does so every hour. */
  readonly round: Effect.Effect<void, SqlError.SqlError>
}>()("realms/accounts/ResponseReferences") {
  static readonly layer = Layer.effect(ResponseReferences)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const turns = yield* LookUpTurns

    const round = Effect.gen(function*() {
      yield* sql`SELECT realms_make_response_refs_v1(${DAYS_AHEAD}::integer)`
      yield* sql`SELECT realms_drop_response_refs_v1(${REFERENCE_DAYS}::integer)`
    })

    const find = Effect.fn("ResponseReferences.find")(function*(userId: UserId, ids: ReadonlyArray<string>) {
      // An id that is not kept cannot be known.
      const asked = Array.from(new Set(ids)).filter(isReferenceId)
      if (asked.length > REFERENCE_IDS_MAX) {
        return yield* new TooManyReferences({ ids: asked.length, idsMax: REFERENCE_IDS_MAX })
      }
      if (asked.length === 0) return []
      const found = rowsOf(FoundReference, sql.unsafe(findSql, [asked, userId]))
      return yield* withinDatabaseWait(turns.run(userId, found), ANSWER_MS_MAX).pipe(
        Effect.mapError((error) =>
          new AccountUnavailable({
            reason: error._tag === "DatabaseUnavailable" ? "the database does not answer" : error.message
          })
        )
      )
    })

    return ResponseReferences.of({ find, round })
  })).pipe(Layer.provide(LookUpTurns.layer))
}

const findSql = `
  SELECT DISTINCT ON (f.channel_id, f.id) f.* FROM (
    SELECT i.id, r.channel_id, r.response_id, i.id = r.response_id AS is_response, r.input_tokens, r.output_tokens,
        min(r.user_id) OVER w AS first_user, max(r.user_id) OVER w AS last_user
      FROM response_refs r CROSS JOIN LATERAL unnest(r.item_ids || r.response_id) AS i (id)
      WHERE (r.item_ids || r.response_id) && $1::text[] AND i.id = ANY ($1::text[])
        AND r.created_at > now() - make_interval(days => ${REFERENCE_DAYS})
      WINDOW w AS (PARTITION BY r.channel_id, i.id)
  ) f
  WHERE f.first_user = $2 AND f.last_user = $2
  ORDER BY f.channel_id, f.id, f.input_tokens + f.output_tokens DESC`

/** Makes and drops partitions as long as the layer lives. */
export const ReferencePartitionsLayer = Layer.effectDiscard(Effect.flatMap(
  ResponseReferences,
  ({ round }) =>
    Effect.forkScoped(
      inRounds(round, { failure: "partitions of references could not be made or dropped", everyMs: ROUND_MS })
    )
))
