/**
 * `/admin/audit`: the record of changes, page by page and as a file.
 */
import { Effect, Layer } from "effect"
import { AuditTrail } from "../../../../platform/AuditTrail.ts"
import { page } from "../../Answer.ts"
import { adminPage } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { idOf } from "../../PathId.ts"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { auditColumns } from "./AuditCsv.ts"
import { readAuditQuery } from "./AuditQuery.ts"
import { auditText } from "./AuditText.ts"
import { AuditView } from "./AuditView.tsx"

const PAGE_SIZE = 50

const show = Effect.fnUntraced(function*(visit: UserVisit) {
  const query = readAuditQuery(visit)
  const range = { limit: PAGE_SIZE + 1, before: idOf(visit.query.get("before")) }
  const found = yield* (yield* AuditTrail).page(query.filter, range)
  const items = found.slice(0, PAGE_SIZE)
  return page(
    sayOf(visit, auditText)("title"),
    AuditView({ visit, query, items, hasOlder: found.length > PAGE_SIZE })
  )
})

const csv = Effect.fnUntraced(function*(visit: UserVisit) {
  return csvAnswer("realms-audit.csv", auditColumns, (yield* AuditTrail).rows(readAuditQuery(visit).filter))
})

export const AuditRoutes = Layer.mergeAll(adminPage("/admin/audit", show), adminPage("/admin/audit/changes.csv", csv))
