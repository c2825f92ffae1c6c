/**
 * What administrators do with rows that are listed, created, changed, disabled and enabled in the same way, such as groups and plans.
 * Their pages and the administration's API both call it.
 */
import type { Effect } from "effect"
import { SqlError } from "effect/sql"
import type { Actor } from "../platform/AuditLog.ts"
import { ChangedMeanwhile, ConfigManaged } from "../platform/ChangedMeanwhile.ts"
import type { CodedFilter } from "../platform/CodedRows.ts"
import type { RowAt } from "../platform/RowAdmin.ts"

/** Failures that all kinds of rows have: somebody else changed the row, config.yaml manages it, or the database did not answer. */
export type CommonFailure = SqlError.SqlError | ConfigManaged | ChangedMeanwhile

export const isCommonFailure = (error: object): error is CommonFailure =>
  error instanceof SqlError.SqlError || error instanceof ConfigManaged || error instanceof ChangedMeanwhile

/** The last four types are the failures that only this kind of rows has. */
export interface RowUseCases<Id, Row, New, Terms, Missing, NotMade, NotEdited, NotSwitched> {
  list(filter: CodedFilter): Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError>
  get(id: Id): Effect.Effect<Row, Missing | SqlError.SqlError>
  create(actor: Actor, row: New): Effect.Effect<Id, NotMade | SqlError.SqlError>
  edit(actor: Actor, at: RowAt<Id>, terms: Terms): Effect.Effect<void, NotEdited | CommonFailure>
  setEnabled(actor: Actor, at: RowAt<Id>, enabled: boolean): Effect.Effect<void, NotSwitched | CommonFailure>
}
