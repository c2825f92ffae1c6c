/**
 * `/admin/audit`: the record of changes, page by page and as a file.
 */
import { Effect, Layer, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { AuditTrail } from "../../../../platform/AuditTrail.ts"
import { page, raw } from "../../Answer.ts"
import { rootPage } from "../../ConsoleRoute.ts"
import { idOf } from "../../PathId.ts"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { auditCsvHeader, auditCsvLine } from "./AuditCsv.ts"
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

/** The file begins before the rows are read; what goes wrong after that breaks it off, so that nobody takes it for whole. */
const csv = Effect.fnUntraced(function*(visit: UserVisit) {
  const { filter } = readAuditQuery(visit)
  const encoder = new TextEncoder()
  const lines = (yield* AuditTrail).rows(filter).pipe(
    Stream.chunks,
    Stream.map((items) => encoder.encode(items.map(auditCsvLine).join("")))
  )
  return raw(HttpServerResponse.stream(Stream.concat(Stream.succeed(encoder.encode(auditCsvHeader)), lines), {
    contentType: "text/csv; charset=utf-8",
    headers: {
      "content-disposition": 'attachment; filename="realms-audit.csv"',
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff"
    }
  }))
})

export const AuditRoutes = Layer.mergeAll(rootPage("/admin/audit", show), rootPage("/admin/audit/changes.csv", csv))
