/**
 * Asks an upstream which models it has, and keeps what it said the last time.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { ChannelKeyAdmin } from "../channels/ChannelKeyAdmin.ts"
import type { ChannelId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { upstreamModelsIn } from "./ModelMapping.ts"
import { askUpstream } from "./upstream/UpstreamAsk.ts"
import { UpstreamClient } from "./upstream/UpstreamClient.ts"
import { UpstreamUnanswered } from "./upstream/UpstreamUnanswered.ts"

/** Of an upstream's list of models, with all that it says of each. */
const MODELS_BYTES_MAX = 8_388_608

const FetchedRow = Row({ fetchedAt: Schema.Date, models: Schema.Array(Schema.String) })

export const makeFetchModels = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const keys = yield* ChannelKeyAdmin
  const client = yield* UpstreamClient

  return Effect.fn("UpstreamModels.fetch")(function*(id: ChannelId) {
    const [{ apiKey, baseUrl }] = yield* keys.access(id)
    const json = yield* askUpstream(client, { baseUrl, path: "/models", apiKey, bytesMax: MODELS_BYTES_MAX })
    const models = upstreamModelsIn(json)
    if (models === undefined) return yield* new UpstreamUnanswered({ reason: "not_json", status: 200 })
    yield* orUnavailable(sql`INSERT INTO channel_upstream_models (channel_id, models)
      SELECT ${id}, coalesce(array_agg(m.id ORDER BY m.at), '{}')
        FROM jsonb_array_elements_text(${JSON.stringify(models)}::jsonb) WITH ORDINALITY AS m (id, at)
      ON CONFLICT (channel_id) DO UPDATE SET models = excluded.models, fetched_at = now()`)
    return models.length
  })
})

/** Undefined: it was not asked. */
export const lastFetched = (sql: SqlClient.SqlClient, id: ChannelId) =>
  orUnavailable(rowOf(FetchedRow, sql`SELECT fetched_at, models FROM channel_upstream_models WHERE channel_id = ${id}`))
