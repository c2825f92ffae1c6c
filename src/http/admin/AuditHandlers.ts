/**
 * Answers `/api/admin/audit` from the same record as the page.
 */
import { DateTime, Effect, Option } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type AuditItem, AuditTrail } from "../../platform/AuditTrail.ts"
import { AdminApi } from "./AdminApi.ts"
import { orApiUnavailable, refusedField } from "./ApiError.ts"
import { momentOf, rangeOf } from "./ApiSchema.ts"

const entryJson = ({ at, id, ...rest }: AuditItem) => ({ ...rest, id: id.toString(), at: momentOf(at) })

/** Milliseconds since the epoch; undefined where no moment is given. */
const millisOf = (field: string, text: string | undefined) => {
  if (text === undefined) return Effect.undefined
  const moment = DateTime.make(text)
  return Option.isNone(moment)
    ? Effect.fail(refusedField(field, "is a moment in ISO 8601"))
    : Effect.succeed(DateTime.toEpochMillis(moment.value))
}

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
          const items = yield* trail.page({ actor, action, target, fromMs, toMs }, rangeOf(range))
          return { items: items.map(entryJson) }
        },
        orApiUnavailable
      )
    })
  })
)
