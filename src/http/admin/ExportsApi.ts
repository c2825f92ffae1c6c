/**
 * `/api/admin/exports/{kind}`: rows as files of comma-separated values, streamed.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { exportNames } from "../../finance/Exports.ts"
import { ApiRefused } from "./ApiError.ts"
import { dayRangeQuery } from "./ApiSchema.ts"

const Name = Schema.String.check(Schema.isMaxLength(100))

const { get } = HttpApiEndpoint

export class ExportsApi extends HttpApiGroup.make("exports").add(
  get("exportRows", "/exports/:kind", {
    params: { kind: Schema.Literals(exportNames) },
    query: {
      ...dayRangeQuery,
      provider: Schema.optionalKey(Name),
      currency: Schema.optionalKey(Name),
      state: Schema.optionalKey(Name)
    },
    success: HttpApiSchema.StreamUint8Array({ contentType: "text/csv; charset=utf-8" }),
    error: ApiRefused
  })
).annotateMerge(OpenApi.annotations({
  title: "Exports",
  description:
    "Booked in the days asked for, oldest first. The last lines are totals: `total`, how many rows, and the sums. " +
    "A file without them was broken off. `state` of the ledger and of cash is the kind of an entry or movement."
})) {}
