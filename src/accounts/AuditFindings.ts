/** A part of the ledger check that consists of statements: each answers the users for whom an invariant is broken, and how. */
import { Effect, Schema } from "effect"
import { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { rowsOf } from "../postgres/Rows.ts"
import type { AuditCheck, AuditProblem } from "./Audit.ts"

/** Problems that are listed of one statement, at most. */
const PROBLEMS_MAX = 100

/** `userId` is null where the problem is not one user's. */
const Finding = Row({ userId: Schema.NullOr(UserId), message: Schema.String })

/** A statement answers `user_id` and `message`, and no row where the invariant holds. */
export const checkOf =
  (statements: ReadonlyArray<readonly [invariant: AuditProblem["invariant"], statement: string]>): AuditCheck =>
  (sql) =>
    Effect.map(
      Effect.forEach(statements, ([invariant, statement]) =>
        Effect.map(
          rowsOf(Finding, sql.unsafe(`SELECT * FROM (${statement}) f LIMIT ${PROBLEMS_MAX}`)),
          (findings) => findings.map((finding) => ({ invariant, ...finding }))
        )),
      (problems) => problems.flat()
    )
