/**
 * `/api/admin/redemption-batches`: redemption codes in batches, as the pages under `/admin/codes` have them.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { CODES_MAX, codeStates, USES_MAX } from "../../redemption/RedemptionBatch.ts"
import { ApiAccepted, ApiConflict, ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiAmount, ApiId, ApiMoment, pageQuery } from "./ApiSchema.ts"

const CodeState = Schema.Literals(codeStates).annotate({ identifier: "CodeState" })

/** One of `usd_micros` and `plan` is there. */
const RedemptionBatch = Schema.Struct({
  id: ApiId,
  name: Schema.String,
  note: Schema.String,
  usd_micros: Schema.NullOr(ApiAmount),
  plan: Schema.NullOr(Schema.Struct({ code: Schema.String, name: Schema.String, duration_days: Schema.Number })),
  codes: Schema.Number,
  uses_max: Schema.Number,
  uses: Schema.Number,
  state: CodeState,
  expires_at: Schema.NullOr(ApiMoment),
  disabled_at: Schema.NullOr(ApiMoment),
  revision: ApiId,
  created_at: ApiMoment,
  created_by: Schema.NullOr(Schema.String)
}).annotate({ identifier: "RedemptionBatch" })

const NewRedemptionBatch = Schema.Struct({
  name: Schema.String,
  note: Schema.optionalKey(Schema.String),
  usd_micros: Schema.optionalKey(ApiAmount),
  plan_code: Schema.optionalKey(Schema.String),
  codes: Schema.Number.annotate({ description: `1 to ${CODES_MAX}.` }),
  uses_max: Schema.optionalKey(
    Schema.Number.annotate({ description: `Users per code: 1, which is the default, to ${USES_MAX}.` })
  ),
  expires_at: Schema.optionalKey(ApiMoment)
}).annotate({
  identifier: "NewRedemptionBatch",
  description: "Either `usd_micros`, what each use credits, or `plan_code`, a plan that is given on its terms of today."
})

const codeFields = {
  id: ApiId,
  hint: Schema.String,
  uses: Schema.Number,
  uses_max: Schema.Number,
  state: CodeState
}

const RedemptionCode = Schema.Struct(codeFields).annotate({ identifier: "RedemptionCode" })

const ExportedCode = Schema.Struct({ ...codeFields, code: Schema.String }).annotate({
  identifier: "ExportedCode",
  description: "A code in full: whoever has it can redeem it."
})

const Redemption = Schema.Struct({
  id: ApiId,
  code_id: ApiId,
  hint: Schema.String,
  user_id: ApiId,
  email: Schema.String,
  at: ApiMoment
}).annotate({ identifier: "Redemption" })

const params = { id: ApiId }
const itemsOf = <S extends Schema.Top>(item: S) => Schema.Struct({ items: Schema.Array(item) })
const seen = Schema.Struct({ revision: ApiId })

export class CodesApi extends HttpApiGroup.make("redemption codes").add(
  HttpApiEndpoint.get("listBatches", "/redemption-batches", {
    query: { ...pageQuery, state: Schema.optionalKey(CodeState) },
    success: itemsOf(RedemptionBatch),
    error: ApiUnavailable
  }),
  HttpApiEndpoint.post("createBatch", "/redemption-batches", {
    payload: NewRedemptionBatch,
    success: RedemptionBatch.pipe(HttpApiSchema.status(201)),
    error: [ApiAccepted, ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.get("getBatch", "/redemption-batches/:id", {
    params,
    success: RedemptionBatch,
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.get("listCodes", "/redemption-batches/:id/codes", {
    params,
    query: pageQuery,
    success: itemsOf(RedemptionCode),
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.get("listRedemptions", "/redemption-batches/:id/redemptions", {
    params,
    query: pageQuery,
    success: itemsOf(Redemption),
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("exportCodes", "/redemption-batches/:id/export", {
    params,
    success: itemsOf(ExportedCode),
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("disableBatch", "/redemption-batches/:id/disable", {
    params,
    payload: seen,
    success: RedemptionBatch,
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("enableBatch", "/redemption-batches/:id/enable", {
    params,
    payload: seen,
    success: RedemptionBatch,
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("disableCode", "/redemption-batches/:id/codes/:code_id/disable", {
    params: { id: ApiId, code_id: ApiId },
    success: HttpApiSchema.NoContent,
    error: [ApiNotFound, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({
  title: "Redemption codes",
  description:
    "Codes that give credit or a plan, in batches. An export is recorded; no other answer has a code in full."
})) {}
