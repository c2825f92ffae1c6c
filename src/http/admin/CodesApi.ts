/**
 * `/api/admin/redemption-batches`: redemption codes in batches, as the pages under `/admin/codes` have them.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { AmountJson, IdJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import { RedemptionAdmin } from "../../redemption/RedemptionAdmin.ts"
import {
  Batch,
  CODES_MAX,
  CodeState as BatchState,
  type NewBatch,
  Redemption as RedemptionRow,
  type RedemptionBatch,
  RedemptionCode as RedemptionCodeRow,
  USES_MAX
} from "../../redemption/RedemptionBatch.ts"
import type { BatchRefused } from "../../redemption/RedemptionError.ts"
import type { Administrator } from "./AdminAccess.ts"
import {
  ApiAccepted,
  ApiConflict,
  ApiNotFound,
  ApiRefused,
  changeErrors,
  dateOf,
  editErrors,
  refusedField
} from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { ApiMoment, created, documented, itemsOf, jsonFields, NoContent, pageQuery, rangeOf } from "./ApiSchema.ts"

const CodeState = BatchState.pipe(documented("CodeState"))

/** One of `usd_micros` and `plan` is there. */
const RedemptionBatch = Json({
  ...jsonFields(Batch.fields),
  state: CodeState,
  usdMicros: Schema.NullOr(AmountJson),
  plan: Schema.NullOr(Json({ code: Schema.String, name: Schema.String, durationDays: Schema.Number })),
  uses: Schema.Number
}).pipe(documented("RedemptionBatch"))

const NewRedemptionBatch = Json({
  name: Schema.String,
  note: Schema.optionalKey(Schema.String),
  usdMicros: Schema.optionalKey(AmountJson),
  planCode: Schema.optionalKey(Schema.String),
  groupCode: Schema.optionalKey(Schema.String),
  codes: Schema.Number.annotate({ description: `1 to ${CODES_MAX}.` }),
  usesMax: Schema.optionalKey(
    Schema.Number.annotate({ description: `Users per code: 1, which is the default, to ${USES_MAX}.` })
  ),
  expiresAt: Schema.optionalKey(ApiMoment),
  key: Schema.optionalKey(Schema.String)
}, { key: "idempotency_key" }).pipe(
  documented("NewRedemptionBatch", {
    description:
      "Either `usd_micros`, what each use credits, or `plan_code`, a plan that is given on its terms of today. With `group_code`, who " +
      "redeems a code has the prices of that group from then on. " +
      "`idempotency_key`: 8 to 100 letters, digits and _ . : - of the caller's choosing; sent again, it makes no second batch."
  })
)

const RedemptionBatchEdit = Json({
  revision: IdJson,
  name: Schema.String,
  note: Schema.String,
  expiresAt: Schema.NullOr(ApiMoment)
}).pipe(
  documented("RedemptionBatchEdit", {
    description: "What the codes give, how many there are and their uses never change."
  })
)

const codeFields = { ...jsonFields(RedemptionCodeRow.fields), state: CodeState }

const RedemptionCode = Json(codeFields).pipe(documented("RedemptionCode"))

const ExportedCode = Json({ ...codeFields, text: Schema.RedactedFromValue(Schema.String) }, { text: "code" }).pipe(
  documented("ExportedCode", { description: "A code in full. Anybody who has it can redeem it." })
)

const Redemption = Json(jsonFields(RedemptionRow.fields)).pipe(
  documented("Redemption")
)

const params = { id: IdJson }
const seen = Schema.Struct({ revision: IdJson })

const { get, post, put } = HttpApiEndpoint

export class CodesApi extends area(
  "redemption codes",
  "Redemption codes",
  "Codes that give credit or a plan, in batches. An export is recorded; no other answer has a code in full."
).add(
  get("listBatches", "/redemption-batches", {
    query: { ...pageQuery, state: Schema.optionalKey(CodeState) },
    success: itemsOf(RedemptionBatch)
  }),
  post("createBatch", "/redemption-batches", {
    payload: NewRedemptionBatch,
    success: RedemptionBatch.pipe(created),
    error: [ApiAccepted, ApiRefused, ApiConflict]
  }),
  get("getBatch", "/redemption-batches/:id", { params, success: RedemptionBatch, error: ApiNotFound }),
  put("editBatch", "/redemption-batches/:id", {
    params,
    payload: RedemptionBatchEdit,
    success: RedemptionBatch,
    error: editErrors
  }),
  get("listCodes", "/redemption-batches/:id/codes", {
    params,
    query: pageQuery,
    success: itemsOf(RedemptionCode),
    error: ApiNotFound
  }),
  get("listRedemptions", "/redemption-batches/:id/redemptions", {
    params,
    query: pageQuery,
    success: itemsOf(Redemption),
    error: ApiNotFound
  }),
  post("exportCodes", "/redemption-batches/:id/export", { params, success: itemsOf(ExportedCode), error: ApiNotFound }),
  post("disableBatch", "/redemption-batches/:id/disable", {
    params,
    payload: seen,
    success: RedemptionBatch,
    error: changeErrors
  }),
  post("enableBatch", "/redemption-batches/:id/enable", {
    params,
    payload: seen,
    success: RedemptionBatch,
    error: changeErrors
  }),
  post("disableCode", "/redemption-batches/:id/codes/:code_id/disable", {
    params: { id: IdJson, code_id: IdJson },
    success: NoContent,
    error: ApiNotFound
  })
) {}

const shownBatch = ({ gift, ...batch }: RedemptionBatch) => ({
  ...batch,
  usdMicros: gift.kind === "balance" ? gift.usdMicros : null,
  plan: gift.kind === "balance" ? null : gift.terms
})

const fieldNames: Readonly<Record<BatchRefused["fields"][number], readonly [field: string, text: string]>> = {
  name: ["name", "has 1 to 100 characters"],
  note: ["note", "has at most 500 characters, in one line"],
  amount: ["usd_micros", "is more than 0 and at most 10000000000"],
  plan: ["plan_code", "is the code of a plan that is not disabled"],
  group: ["group_code", "is the code of a group that is not disabled"],
  codes: ["codes", "is a whole number from 1 to 1000"],
  uses: ["uses_max", "is a whole number from 1 to 100000"],
  expiry: ["expires_at", "is a moment to come"],
  key: ["idempotency_key", "has 8 to 100 letters, digits and _ . : -"]
}

const refusal = ({ fields, message }: BatchRefused) =>
  new ApiRefused({ message, problems: Object.fromEntries(fields.map((field) => fieldNames[field])) })

interface Asked {
  readonly name: string
  readonly note?: string
  readonly usdMicros?: bigint
  readonly planCode?: string
  readonly groupCode?: string
  readonly codes: number
  readonly usesMax?: number
  readonly expiresAt?: string
  readonly key?: string
}

const giftOf = ({ planCode, usdMicros }: Asked): Effect.Effect<NewBatch["gift"], ApiRefused> => {
  if (usdMicros !== undefined && planCode === undefined) return Effect.succeed({ kind: "balance", usdMicros })
  return planCode !== undefined && usdMicros === undefined
    ? Effect.succeed({ kind: "plan", planCode })
    : Effect.fail(refusedField("usd_micros", "give either this or plan_code"))
}

const newBatch = (asked: Asked): Effect.Effect<NewBatch, ApiRefused> =>
  Effect.gen(function*() {
    const expiresAt = yield* dateOf("expires_at", asked.expiresAt)
    return {
      name: asked.name,
      note: asked.note ?? "",
      gift: yield* giftOf(asked),
      groupCode: asked.groupCode ?? null,
      codes: asked.codes,
      usesMax: asked.usesMax ?? 1,
      expiresAt: expiresAt ?? null,
      key: asked.key
    }
  })

export const CodesHandlers = answersOf(CodesApi)(RedemptionAdmin, (batches) => {
  const show = (id: bigint) => Effect.map(batches.batch(id), shownBatch)
  const setDisabled = (admin: Administrator, id: bigint, revision: bigint, isDisabled: boolean) =>
    Effect.andThen(batches.setDisabled(admin, { id, revision }, isDisabled), show(id))

  return {
    listBatches: ({ query: { state, ...range } }) =>
      listed(Effect.map(batches.list({ ...rangeOf(range), state }), (items) => items.map(shownBatch))),
    createBatch: Effect.fnUntraced(
      function*({ payload }, admin) {
        const id = yield* batches.create(admin, yield* newBatch(payload))
        return yield* Effect.catchTag(show(id), "BatchNotFound", Effect.die)
      },
      Effect.catchTag("BatchRefused", (error) => Effect.fail(refusal(error)))
    ),
    getBatch: ({ params }) => show(params.id),
    editBatch: Effect.fnUntraced(
      function*({ params: { id }, payload: { expiresAt, name, note, revision } }, admin) {
        const at = yield* dateOf("expires_at", expiresAt ?? undefined)
        yield* batches.edit(admin, { id, revision }, { name, note, expiresAt: at ?? null })
        return yield* show(id)
      },
      Effect.catchTag("BatchRefused", (error) => Effect.fail(refusal(error)))
    ),
    listCodes: ({ params, query }) =>
      listed(Effect.flatMap(batches.batch(params.id), ({ id }) => batches.codes(id, rangeOf(query)))),
    listRedemptions: ({ params, query }) =>
      listed(Effect.flatMap(batches.batch(params.id), ({ id }) => batches.redemptions(id, rangeOf(query)))),
    exportCodes: ({ params }, admin) => listed(batches.texts(admin, params.id)),
    disableBatch: ({ params, payload }, admin) => setDisabled(admin, params.id, payload.revision, true),
    enableBatch: ({ params, payload }, admin) => setDisabled(admin, params.id, payload.revision, false),
    disableCode: ({ params }, admin) => batches.disableCode(admin, { batchId: params.id, codeId: params.code_id })
  }
})
