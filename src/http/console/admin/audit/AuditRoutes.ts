/**
 * `/admin/audit`: the record of changes, page by page and as a file.
 */
import { Effect } from "effect"
import { AuditTrail } from "../../../../platform/AuditTrail.ts"
import { page } from "../../Answer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { readListed } from "../../kit/List.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { auditColumns } from "./AuditCsv.ts"
import { readAuditQuery } from "./AuditQuery.ts"
import { AuditView } from "./AuditView.tsx"

const PAGE_SIZE = 50

const show = Effect.fnUntraced(function*(context: UserContext) {
  const query = readAuditQuery(context)
  const trail = yield* AuditTrail
  const listed = yield* readListed(context, { size: PAGE_SIZE }, (range) => trail.page(query.filter, range))
  return page(sayOf(context, "audit")("title"), AuditView({ context, query, ...listed }))
})

const csv = Effect.fnUntraced(function*(context: UserContext) {
  return csvAnswer("realms-audit.csv", auditColumns, (yield* AuditTrail).rows(readAuditQuery(context).filter))
})

export const AuditRoutes = routes(adminPage("/admin/audit", show), adminPage("/admin/audit/changes.csv", csv))
