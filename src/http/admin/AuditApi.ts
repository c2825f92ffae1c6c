/**
 * `/api/admin/audit`: who changed what, by the console, by this API and on the command line.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { Json } from "../../domain/Row.ts"
import { AuditItem, AuditTrail } from "../../platform/AuditTrail.ts"
import { ApiRefused, periodOf } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { documented, itemsOf, jsonFields, pageQuery, periodQuery, rangeOf } from "./ApiSchema.ts"

const AuditEntry = Json(jsonFields(AuditItem.fields)).pipe(documented("AuditEntry"))

const { get } = HttpApiEndpoint

export class AuditApi extends area(
  "audit",
  "Audit",
  "Every change by an administrator. `actor` is as recorded or an e-mail address; `action` is a beginning."
).add(
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
) {}

export const AuditHandlers = answersOf(AuditApi)(AuditTrail, (trail) => ({
  listAudit: ({ query: { action, actor, target, ...query } }) =>
    Effect.flatMap(
      periodOf(query),
      (period) => listed(trail.page({ actor, action, target, ...period }, rangeOf(query)))
    )
}))
