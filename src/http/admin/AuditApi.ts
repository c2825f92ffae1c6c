/**
 * `/api/admin/audit`: who changed what, by the console, by this API and on the command line.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { IdJson, MomentJson } from "../../domain/Fields.ts"
import { ApiRefused } from "./ApiError.ts"
import { documented, itemsOf, pageQuery, periodQuery } from "./ApiSchema.ts"

const State = Schema.NullOr(Schema.Record(Schema.String, Schema.Unknown))

const AuditEntry = Schema.Struct({
  id: IdJson,
  at: MomentJson,
  actor: Schema.String,
  email: Schema.NullOr(Schema.String),
  action: Schema.String,
  target: Schema.String,
  address: Schema.String,
  before: State,
  after: State
}).pipe(documented("AuditEntry"))

const { get } = HttpApiEndpoint

export class AuditApi extends HttpApiGroup.make("audit").add(
  get("listAudit", "/audit", {
    query: {
      ...pageQuery,
      ...periodQuery,
      actor: Schema.optionalKey(Schema.String),
      action: Schema.optionalKey(Schema.String),
      target: Schema.optionalKey(Schema.String)
    },
    success: itemsOf(AuditEntry),
    error: ApiRefused
  })
).annotateMerge(OpenApi.annotations({
  title: "Audit",
  description: "Every change by an administrator. `actor` is as recorded or an e-mail address; `action` is a beginning."
})) {}
