/**
 * `/admin/audit`: the record of changes, page by page and as a file.
 */
import { Effect, Layer } from "effect"
import { AuditTrail } from "../../../../platform/AuditTrail.ts"
import { page } from "../../Answer.ts"
import { adminPage } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { idOf } from "../../PathId.ts"
import { auditColumns } from "./AuditCsv.ts"
import { readAuditQuery } from "./AuditQuery.ts"
import { AuditView } from "./AuditView.tsx"

const PAGE_SIZE = 50

const show = Effect.fnUntraced(function*(context: UserContext) {
  const query = readAuditQuery(context)
  const range = { limit: PAGE_SIZE + 1, before: idOf(context.query.get("before")) }
  const found = yield* (yield* AuditTrail).page(query.filter, range)
  const items = found.slice(0, PAGE_SIZE)
  return page(
    sayOf(context, "audit")("title"),
    AuditView({ context, query, items, hasOlder: found.length > PAGE_SIZE })
  )
})

const csv = Effect.fnUntraced(function*(context: UserContext) {
  return csvAnswer("realms-audit.csv", auditColumns, (yield* AuditTrail).rows(readAuditQuery(context).filter))
})

export const AuditRoutes = Layer.mergeAll(adminPage("/admin/audit", show), adminPage("/admin/audit/changes.csv", csv))
