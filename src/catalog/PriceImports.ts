/**
 * Files of prices on their way into the catalog: read once, kept as they were read, compared with the models as they are now,
 * and applied by choice in one transaction. A choice names the revision of the model that its comparison was shown with, so what
 * is applied is what was looked at, or nothing is.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { PriceSnapshot } from "../domain/Price.ts"
import type { Actor } from "../platform/AuditLog.ts"
import { ChangedMeanwhile } from "../platform/ChangedMeanwhile.ts"
import { Notifications } from "../platform/Notifications.ts"
import { inTransaction } from "../platform/Transaction.ts"
import { recordsetOf } from "../settings/DeclaredRows.ts"
import { ImportNotFound, ImportRefused, PriceFileRefused } from "./ModelError.ts"
import { insertModel, lockModels, updateModel } from "./ModelRows.ts"
import { defaultTerms, type ModelTerms } from "./ModelTerms.ts"
import { type OfferProblem, type PriceOffer, readPriceFile } from "./PriceImport.ts"

/** Models applied at once, at most. */
export const CHOICES_MAX = 500

/** Files kept, at most: the newest. */
const IMPORTS_KEPT_MAX = 10

/** Providers listed, at most. */
const PROVIDERS_MAX = 1_000

/** `declared` in config.yaml, and so left alone; `refused` for the offer's problem. */
export const offerStates = ["changed", "new", "same", "declared", "refused"] as const
export type OfferState = typeof offerStates[number]

/** A file that was read. */
export interface PriceImport {
  readonly id: bigint
  readonly createdAt: Date
  readonly skipped: number
  readonly counts: Readonly<Record<OfferState, number>>
  readonly providers: ReadonlyArray<string>
}

/** What a file offers for a model, beside what the model has. */
export interface ComparedOffer {
  readonly position: number
  readonly provider: string
  readonly modelId: string
  readonly state: OfferState
  /** What the model would have; null with a problem. */
  readonly after: ModelTerms | null
  /** What it has; null where there is no such model. */
  readonly before: ModelTerms | null
  /** Of the model; 0 where there is none. */
  readonly revision: bigint
  readonly rounded: boolean
  readonly tiered: boolean
  readonly problem: OfferProblem | null
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
  static readonly layer = Layer.effect(PriceImports, Effect.suspend(() => make))
}

interface OfferRow {
  readonly position: number
  readonly provider: string
  readonly model_id: string
  readonly state: OfferState
  readonly input: bigint | null
  readonly cached: bigint | null
  readonly write: bigint | null
  readonly output: bigint | null
  readonly max_output: bigint | null
  readonly reasoning: boolean | null
  readonly rounded: boolean
  readonly tiered: boolean
  readonly problem: OfferProblem | null
  readonly revision: bigint | null
  readonly m_input: bigint
  readonly m_cached: bigint
  readonly m_write: bigint | null
  readonly m_output: bigint
  readonly m_max_output: bigint
  readonly m_reasoning: boolean
}

const beforeOf = (row: OfferRow): ModelTerms | null =>
  row.revision === null
    ? null
    : {
      price: {
        inputMicrosPer1m: row.m_input,
        cachedInputMicrosPer1m: row.m_cached,
        cacheWriteMicrosPer1m: row.m_write,
        outputMicrosPer1m: row.m_output
      },
      maxOutputTokens: Number(row.m_max_output),
      reasoning: row.m_reasoning
    }

const priceOf = ({ cached, input, output, write }: OfferRow): PriceSnapshot | null =>
  input === null || cached === null || output === null
    ? null
    : {
      inputMicrosPer1m: input,
      cachedInputMicrosPer1m: cached,
      cacheWriteMicrosPer1m: write,
      outputMicrosPer1m: output
    }

const toCompared = (row: OfferRow): ComparedOffer => {
  const before = beforeOf(row)
  const price = priceOf(row)
  const silent = before ?? defaultTerms
  const after = price === null ? null : {
    price,
    maxOutputTokens: row.max_output === null ? silent.maxOutputTokens : Number(row.max_output),
    reasoning: row.reasoning ?? silent.reasoning
  }
  const { modelId, position, problem, provider, rounded, state, tiered } = { ...row, modelId: row.model_id }
  return { position, provider, modelId, state, before, after, revision: row.revision ?? 0n, rounded, tiered, problem }
}

const recordOf = ({ maxOutputTokens, modelId, price, problem, provider, ...flags }: PriceOffer, position: number) => ({
  position,
  provider,
  model: modelId,
  input: price?.inputMicrosPer1m ?? null,
  cached: price?.cachedInputMicrosPer1m ?? null,
  write: price?.cacheWriteMicrosPer1m ?? null,
  output: price?.outputMicrosPer1m ?? null,
  max_output: maxOutputTokens,
  ...flags,
  problem
})

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const notifications = yield* Notifications

  /** Offers `o` beside models `m`, with how they compare. */
  const state = sql`CASE WHEN o.problem IS NOT NULL THEN 'refused' WHEN m.id IS NULL THEN 'new'
    WHEN m.declared AND m.disabled_at IS NULL THEN 'declared'
    WHEN (m.input_micros_per_1m, m.cached_input_micros_per_1m, m.cache_write_micros_per_1m, m.output_micros_per_1m,
        m.max_output_tokens, m.reasoning)
      IS DISTINCT FROM (o.input_micros_per_1m, o.cached_input_micros_per_1m, o.cache_write_micros_per_1m,
        o.output_micros_per_1m, coalesce(o.max_output_tokens, m.max_output_tokens), coalesce(o.reasoning, m.reasoning))
      THEN 'changed' ELSE 'same' END`
  const columns = sql`o.position, o.provider, o.model_id, ${state} AS state, o.input_micros_per_1m AS input,
    o.cached_input_micros_per_1m AS cached, o.cache_write_micros_per_1m AS write, o.output_micros_per_1m AS output,
    o.max_output_tokens AS max_output, o.reasoning, o.rounded, o.tiered, o.problem, m.revision,
    m.input_micros_per_1m AS m_input, m.cached_input_micros_per_1m AS m_cached, m.cache_write_micros_per_1m AS m_write,
    m.output_micros_per_1m AS m_output, m.max_output_tokens AS m_max_output, m.reasoning AS m_reasoning`

  const read = Effect.fn("PriceImports.read")(function*(actor: Actor, text: string) {
    const file = readPriceFile(text)
    if (typeof file === "string") return yield* new PriceFileRefused({ why: file })
    return yield* inTransaction(
      sql,
      Effect.gen(function*() {
        const [made] = yield* sql<{ id: bigint }>`INSERT INTO price_imports (actor, skipped)
          VALUES (${actor.name}, ${BigInt(file.skipped)}) RETURNING id`
        if (made === undefined) return yield* Effect.die(new Error("a price import was not written"))
        yield* sql`INSERT INTO price_offers (import_id, position, provider, model_id, input_micros_per_1m,
            cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m, max_output_tokens, reasoning,
            rounded, tiered, problem)
          SELECT ${made.id}::bigint, d.* FROM jsonb_to_recordset(${recordsetOf(file.offers.map(recordOf))}::jsonb)
            AS d (position integer, provider text, model text, input bigint, cached bigint, write bigint, output bigint,
              max_output bigint, reasoning boolean, rounded boolean, tiered boolean, problem text)`
        yield* sql`DELETE FROM price_imports
          WHERE id NOT IN (SELECT id FROM price_imports ORDER BY id DESC LIMIT ${IMPORTS_KEPT_MAX})`
        return made.id
      })
    )
  })

  const get = Effect.fn("PriceImports.get")(function*(id: bigint) {
    const [found] = yield* sql<{ created_at: Date; skipped: bigint }>`
      SELECT created_at, skipped FROM price_imports WHERE id = ${id}`
    if (found === undefined) return yield* new ImportNotFound({ id })
    const counted = yield* sql<{ state: OfferState; count: bigint }>`SELECT ${state} AS state, count(*)
      FROM price_offers o LEFT JOIN models m ON m.id = o.model_id WHERE o.import_id = ${id} GROUP BY 1`
    const providers = yield* sql<{ provider: string }>`SELECT DISTINCT provider FROM price_offers
      WHERE import_id = ${id} ORDER BY provider LIMIT ${PROVIDERS_MAX}`
    const countOf = (wanted: OfferState) => Number(counted.find((row) => row.state === wanted)?.count ?? 0n)
    return {
      id,
      createdAt: found.created_at,
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
    const rows = yield* sql<OfferRow>`
      SELECT * FROM (
        SELECT ${columns} FROM price_offers o LEFT JOIN models m ON m.id = o.model_id
          WHERE o.import_id = ${id} AND o.position > ${filter.after ?? -1}::integer
            AND (${filter.provider ?? null}::text IS NULL OR o.provider = ${filter.provider ?? null}::text)
            AND strpos(lower(o.model_id), lower(${filter.text ?? ""}::text)) > 0
      ) compared
      WHERE ${filter.state ?? null}::text IS NULL OR state = ${filter.state ?? null}::text
      ORDER BY position LIMIT ${filter.limit}`
    return rows.map(toCompared)
  })

  /** The chosen offers beside their models, which are locked. */
  const lockChosen = Effect.fnUntraced(function*(id: bigint, choices: ReadonlyArray<OfferChoice>) {
    const positions = JSON.stringify(choices.map(({ position }) => position))
    const chosen = sql`o.import_id = ${id}
      AND o.position IN (SELECT jsonb_array_elements_text(${positions}::jsonb)::integer)`
    if (new Set(choices.map(({ position }) => position)).size < choices.length) {
      return yield* new ImportRefused({ why: "twice", model: "" })
    }
    const named = yield* sql<{ model_id: string }>`SELECT o.model_id FROM price_offers o WHERE ${chosen}`
    const ids = named.map((row) => row.model_id)
    const twice = ids.find((modelId, at) => ids.indexOf(modelId) !== at)
    if (twice !== undefined) return yield* new ImportRefused({ why: "twice", model: twice })
    const models = yield* lockModels(sql, ids)
    const rows = yield* sql<OfferRow>`SELECT ${columns} FROM price_offers o LEFT JOIN models m ON m.id = o.model_id
      WHERE ${chosen} ORDER BY o.position`
    return { models, offers: new Map(rows.map((row) => [row.position, toCompared(row)])) }
  })

  const apply = Effect.fn("PriceImports.apply")(
    function*(actor: Actor, id: bigint, choices: ReadonlyArray<OfferChoice>) {
      if (choices.length === 0) return yield* new ImportRefused({ why: "none", model: "" })
      if (choices.length > CHOICES_MAX) return yield* new ImportRefused({ why: "many", model: "" })
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const { models, offers } = yield* lockChosen(id, choices)
          const source = { price_import: id }
          let created = 0
          let changed = 0
          for (const { position, revision } of choices) {
            const offer = offers.get(position)
            if (offer === undefined) return yield* new ImportRefused({ why: "choice", model: "" })
            const { after, modelId } = offer
            const target = `model:${modelId}`
            if (offer.revision !== revision) return yield* new ChangedMeanwhile({ target })
            if (after === null || (offer.state !== "new" && offer.state !== "changed")) {
              return yield* new ImportRefused({ why: "choice", model: modelId })
            }
            const model = models.get(modelId)
            const written = model === undefined
              ? yield* insertModel(sql, actor, modelId, after, source)
              : yield* updateModel(sql, actor, model, after, source)
            // Somebody else has made it since.
            if (!written) return yield* new ChangedMeanwhile({ target })
            if (model === undefined) created++
            else changed++
          }
          yield* notifications.publish("catalog", "imported")
          return { created, changed }
        })
      )
    }
  )

  return PriceImports.of({ read, get, compare, apply })
})
