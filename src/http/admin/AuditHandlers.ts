/**
 * Answers `/api/admin/audit` from the same record as the page.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { AuditTrail } from "../../platform/AuditTrail.ts"
import { AdminApi } from "./AdminApi.ts"
import { millisOf, orApiUnavailable } from "./ApiError.ts"
import { rangeOf } from "./ApiSchema.ts"

export const AuditHandlers = HttpApiBuilder.group(
  AdminApi,
  "audit",
  Effect.fn(function*(handlers) {
    const trail = yield* AuditTrail
    return handlers.handleAll({
      listAudit: Effect.fnUntraced(
        function*({ query: { action, actor, from, target, to, ...range } }) {
          const fromMs = yield* millisOf("from", from)
          const toMs = yield* millisOf("to", to)
          return { items: yield* trail.page({ actor, action, target, fromMs, toMs }, rangeOf(range)) }
        },
        orApiUnavailable
      )
    })
  })
)
