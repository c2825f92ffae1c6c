/**
 * Answers `/api/admin/audit` from the same record as the page.
 */
import { Effect } from "effect"
import { AuditTrail } from "../../platform/AuditTrail.ts"
import { periodOf } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { rangeOf } from "./ApiSchema.ts"

export const AuditHandlers = answersOf(
  "audit",
  Effect.gen(function*() {
    const trail = yield* AuditTrail
    return {
      listAudit: ({ query: { action, actor, target, ...query } }) =>
        Effect.flatMap(
          periodOf(query),
          (period) => listed(trail.page({ actor, action, target, ...period }, rangeOf(query)))
        )
    }
  })
)
