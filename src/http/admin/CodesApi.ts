/**
 * `/api/admin/redemption-batches`: redemption codes in batches, as the pages under `/admin/codes` have them.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { AmountJson, IdJson, MomentJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import {
  CODES_MAX,
  CodeState as BatchState,
  Redemption as RedemptionRow,
  RedemptionCode as RedemptionCodeRow,
  USES_MAX
} from "../../redemption/RedemptionBatch.ts"
import { ApiAccepted, ApiConflict, ApiNotFound, ApiRefused, changeErrors } from "./ApiError.ts"
import { ApiMoment, created, documented, itemsOf, NoContent, pageQuery } from "./ApiSchema.ts"

const CodeState = BatchState.pipe(documented("CodeState"))

/** One of `usd_micros` and `plan` is there. */
const RedemptionBatch = Json({
  id: IdJson,
  name: Schema.String,
  note: Schema.String,
  usdMicros: Schema.NullOr(AmountJson),
  plan: Schema.NullOr(Json({ code: Schema.String, name: Schema.String, durationDays: Schema.Number })),
  codes: Schema.Number,
  usesMax: Schema.Number,
  uses: Schema.Number,
  state: CodeState,
  expiresAt: Schema.NullOr(MomentJson),
  disabledAt: Schema.NullOr(MomentJson),
  revision: IdJson,
  createdAt: MomentJson,
  createdBy: Schema.NullOr(Schema.String)
}).pipe(documented("RedemptionBatch"))

const NewRedemptionBatch = Json({
  name: Schema.String,
  note: Schema.optionalKey(Schema.String),
  usdMicros: Schema.optionalKey(AmountJson),
  planCode: Schema.optionalKey(Schema.String),
  codes: Schema.Number.annotate({ description: `1 to ${CODES_MAX}.` }),
  usesMax: Schema.optionalKey(
    Schema.Number.annotate({ description: `Users per code: 1, which is the default, to ${USES_MAX}.` })
  ),
  expiresAt: Schema.optionalKey(ApiMoment)
}).pipe(
  documented("NewRedemptionBatch", {
    description:
      "Either `usd_micros`, what each use credits, or `plan_code`, a plan that is given on its terms of today."
  })
)

const codeFields = { ...RedemptionCodeRow.fields, id: IdJson, state: CodeState }

const RedemptionCode = Json(codeFields).pipe(documented("RedemptionCode"))

const ExportedCode = Json({ ...codeFields, text: Schema.RedactedFromValue(Schema.String) }, { text: "code" }).pipe(
  documented("ExportedCode", { description: "A code in full. Anybody who has it can redeem it." })
)

const Redemption = Json({ ...RedemptionRow.fields, id: IdJson, codeId: IdJson, userId: IdJson, at: MomentJson }).pipe(
  documented("Redemption")
)

const params = { id: IdJson }
const seen = Schema.Struct({ revision: IdJson })

const { get, post } = HttpApiEndpoint

export class CodesApi extends HttpApiGroup.make("redemption codes").add(
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
).annotateMerge(OpenApi.annotations({
  title: "Redemption codes",
  description:
    "Codes that give credit or a plan, in batches. An export is recorded; no other answer has a code in full."
})) {}
