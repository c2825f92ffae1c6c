/**
 * Files of prices on their way into the catalog: read once, kept as they were read, compared with the models as they are now,
 * and applied by choice in one transaction. A choice names the revision of the model that its comparison was shown with, so what
 * is applied is what was looked at, or nothing is.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Count, Row } from "../domain/Row.ts"
import type { Actor } from "../platform/AuditLog.ts"
import { ChangedMeanwhile } from "../platform/ChangedMeanwhile.ts"
import { publish } from "../platform/Notifications.ts"
import { oneRowOf, recordsetOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { ImportNotFound, ImportRefused, PriceFileRefused } from "./ModelError.ts"
import { insertModel, lockModels, updateModel } from "./ModelRows.ts"
import { wrongFieldsOf } from "./ModelTerms.ts"
import {
  comparedColumns,
  type ComparedOffer,
  OfferBesideModel,
  offerRecord,
  offersBesideModels,
  OfferState,
  offerState,
  toCompared
} from "./OfferRows.ts"
import { readPriceFile } from "./PriceImport.ts"

export { type ComparedOffer, comparedProblems, type OfferState, offerStates } from "./OfferRows.ts"

const MadeImport = Row({ id: Schema.BigInt })

const OfferProvider = Row({ provider: Schema.String })

const OfferedModel = Row({ modelId: Schema.String })

/** Where an offer is. */
const OfferOfImport = Row({ importId: Schema.BigInt, position: Schema.Number })

/** What a file offers, and which file. */
export interface OfferedModel extends ComparedOffer {
  readonly importId: bigint
}

const StoredImport = Row({ createdAt: Schema.Date, skipped: Schema.BigInt })

const CountedState = Row({ state: OfferState, count: Count })

/** Models applied at once, at most. */
export const CHOICES_MAX = 500

/** Files kept, at most: the newest. */
const IMPORTS_KEPT_MAX = 10

/** Providers listed, at most. */
const PROVIDERS_MAX = 1_000

/** A file that was read. */
export interface PriceImport {
  readonly id: bigint
  readonly createdAt: Date
  readonly skipped: number
  readonly counts: Readonly<Record<OfferState, number>>
  readonly providers: ReadonlyArray<string>
}

export interface OfferFilter {
  readonly state?: OfferState | undefined
  readonly provider?: string | undefined
  /** Part of the id, in any case. */
  readonly text?: string | undefined
  /** Only positions after this one. */
  readonly after?: number | undefined
  readonly limit: number
}

/** An offer to apply, and the revision of the model that it was compared with. */
export interface OfferChoice {
  readonly position: number
  readonly revision: bigint
}

export class PriceImports extends Context.Service<PriceImports, {
  /** Reads a file's text; answers the id under which it is kept. Only the newest files are. */
  read(actor: Actor, text: string): Effect.Effect<bigint, PriceFileRefused | SqlError.SqlError>
  get(id: bigint): Effect.Effect<PriceImport, ImportNotFound | SqlError.SqlError>
  /** In the order of the file. */
  compare(id: bigint, filter: OfferFilter): Effect.Effect<ReadonlyArray<ComparedOffer>, SqlError.SqlError>
  /** What the newest file that names them says of models that there are not; of each what the file says first. */
  offersFor(ids: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<OfferedModel>, SqlError.SqlError>
  /** All of them or none. */
  apply(
    actor: Actor,
    id: bigint,
    choices: ReadonlyArray<OfferChoice>
  ): Effect.Effect<
    { readonly created: number; readonly changed: number },
    ImportRefused | ChangedMeanwhile | SqlError.SqlError
  >
}>()("realms/catalog/PriceImports") {
  static readonly layer = Layer.effect(PriceImports)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const offers = offersBesideModels(sql)
    const columns = comparedColumns(sql)
    const state = offerState(sql)

    const read = Effect.fn("PriceImports.read")(function*(actor: Actor, text: string) {
      const file = readPriceFile(text)
      if (typeof file === "string") return yield* new PriceFileRefused({ why: file })
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const { id } = yield* oneRowOf(
            MadeImport,
            sql`INSERT INTO price_imports (actor, skipped)
          VALUES (${actor.name}, ${BigInt(file.skipped)}) RETURNING id`
          )
          yield* sql`INSERT INTO price_offers (import_id, position, provider, model_id, terms, rounded, unread, problem)
          SELECT ${id}::bigint, d.position, d.provider, d.model, d.terms::jsonb, d.rounded, d.unread, d.problem
            FROM jsonb_to_recordset(${recordsetOf(file.offers.map(offerRecord))}::jsonb) AS d (position integer,
              provider text, model text, terms text, rounded boolean, unread text[], problem text)`
          yield* sql`DELETE FROM price_imports
          WHERE id NOT IN (SELECT id FROM price_imports ORDER BY id DESC LIMIT ${IMPORTS_KEPT_MAX})`
          return id
        })
      )
    })

    const get = Effect.fn("PriceImports.get")(function*(id: bigint) {
      const found = yield* rowOf(
        StoredImport,
        sql`
      SELECT created_at, skipped FROM price_imports WHERE id = ${id}`
      )
      if (found === undefined) return yield* new ImportNotFound({ id })
      const counted = yield* rowsOf(
        CountedState,
        sql`SELECT ${state} AS state, count(*)
      FROM ${offers} WHERE o.import_id = ${id} GROUP BY 1`
      )
      const providers = yield* rowsOf(
        OfferProvider,
        sql`SELECT DISTINCT provider FROM price_offers
      WHERE import_id = ${id} ORDER BY provider LIMIT ${PROVIDERS_MAX}`
      )
      const countOf = (wanted: OfferState) => counted.find((row) => row.state === wanted)?.count ?? 0
      return {
        id,
        createdAt: found.createdAt,
        skipped: Number(found.skipped),
        counts: {
          changed: countOf("changed"),
          new: countOf("new"),
          same: countOf("same"),
          declared: countOf("declared"),
          refused: countOf("refused")
        },
        providers: providers.map(({ provider }) => provider)
      }
    })

    const compare = Effect.fn("PriceImports.compare")(function*(id: bigint, filter: OfferFilter) {
      const rows = yield* rowsOf(
        OfferBesideModel,
        sql`
      SELECT * FROM (
        SELECT ${columns} FROM ${offers}
          WHERE o.import_id = ${id} AND o.position > ${filter.after ?? -1}::integer
            AND (${filter.provider ?? null}::text IS NULL OR o.provider = ${filter.provider ?? null}::text)
            AND strpos(lower(o.model_id), lower(${filter.text ?? ""}::text)) > 0
      ) compared
      WHERE ${filter.state ?? null}::text IS NULL OR state = ${filter.state ?? null}::text
      ORDER BY position LIMIT ${filter.limit}`
      )
      return rows.map(toCompared)
    })

    const offersFor = Effect.fn("PriceImports.offersFor")(function*(ids: ReadonlyArray<string>) {
      if (ids.length === 0) return []
      const rows = yield* rowsOf(
        OfferOfImport,
        sql`SELECT DISTINCT ON (o.model_id) o.import_id, o.position FROM price_offers o
          WHERE o.model_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb)) AND o.problem IS NULL
            AND NOT EXISTS (SELECT FROM models m WHERE m.id = o.model_id)
          ORDER BY o.model_id, o.import_id DESC, o.position`
      )
      const byImport = Map.groupBy(rows, ({ importId }) => importId)
      const found = yield* Effect.forEach(byImport, ([importId, places]) =>
        Effect.map(
          rowsOf(
            OfferBesideModel,
            sql`SELECT ${columns} FROM ${offers} WHERE o.import_id = ${importId} AND o.position IN (
              SELECT jsonb_array_elements_text(${
              JSON.stringify(places.map(({ position }) => position))
            }::jsonb)::integer)`
          ),
          (offered) => offered.map((row) => Object.assign(toCompared(row), { importId }))
        ))
      return found.flat()
    })

    /** The chosen offers beside their models, which are locked. */
    const lockChosen = Effect.fnUntraced(function*(id: bigint, choices: ReadonlyArray<OfferChoice>) {
      const positions = JSON.stringify(choices.map(({ position }) => position))
      const isChosen = sql`o.import_id = ${id}
      AND o.position IN (SELECT jsonb_array_elements_text(${positions}::jsonb)::integer)`
      if (new Set(choices.map(({ position }) => position)).size < choices.length) {
        return yield* new ImportRefused({ why: "twice", model: "" })
      }
      const named = yield* rowsOf(
        OfferedModel,
        sql`SELECT o.model_id FROM price_offers o WHERE ${isChosen}`
      )
      const ids = named.map(({ modelId }) => modelId)
      const twice = ids.find((modelId, at) => ids.indexOf(modelId) !== at)
      if (twice !== undefined) return yield* new ImportRefused({ why: "twice", model: twice })
      const models = yield* lockModels(sql, ids)
      const rows = yield* rowsOf(
        OfferBesideModel,
        sql`SELECT ${columns} FROM ${offers}
      WHERE ${isChosen} ORDER BY o.position`
      )
      return { models, chosen: new Map(rows.map((row) => [row.position, toCompared(row)])) }
    })

    const apply = Effect.fn("PriceImports.apply")(
      function*(actor: Actor, id: bigint, choices: ReadonlyArray<OfferChoice>) {
        if (choices.length === 0) return yield* new ImportRefused({ why: "none", model: "" })
        if (choices.length > CHOICES_MAX) return yield* new ImportRefused({ why: "many", model: "" })
        return yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const { chosen, models } = yield* lockChosen(id, choices)
            const source = { price_import: id }
            let created = 0
            let changed = 0
            for (const { position, revision } of choices) {
              const offer = chosen.get(position)
              if (offer === undefined) return yield* new ImportRefused({ why: "choice", model: "" })
              const { after, modelId } = offer
              const target = `model:${modelId}`
              if (offer.revision !== revision) return yield* new ChangedMeanwhile({ target })
              const isApplicable = offer.state === "new" || offer.state === "changed"
              if (after === null || !isApplicable || wrongFieldsOf(after).length > 0) {
                return yield* new ImportRefused({ why: "choice", model: modelId })
              }
              const model = models.get(modelId)
              const written = model === undefined
                ? yield* insertModel(sql, actor, { id: modelId, terms: after, more: source })
                : yield* updateModel(sql, actor, { model, terms: after, more: source })
              // Somebody else has made it since.
              if (!written) return yield* new ChangedMeanwhile({ target })
              if (model === undefined) created++
              else changed++
            }
            yield* publish(sql, "catalog", "imported")
            return { created, changed }
          })
        )
      }
    )

    return PriceImports.of({ read, get, compare, offersFor, apply })
  }))
}
