/**
 * The use cases of rows that administrators list, make, change, disable and enable alike, such as groups and plans: what their pages
 * and the administration's API are made of.
 */
import type { Effect } from "effect"
import { SqlError } from "effect/sql"
import type { Actor } from "../platform/AuditLog.ts"
import { ChangedMeanwhile, ConfigManaged } from "../platform/ChangedMeanwhile.ts"
import type { CodedFilter } from "../platform/CodedRows.ts"
import type { RowAt } from "../platform/RowAdmin.ts"

/** Somebody else changed the row meanwhile, or config.yaml has it, or the database did not answer: of rows of all kinds. */
export type CommonFailure = SqlError.SqlError | ConfigManaged | ChangedMeanwhile

export const isCommonFailure = (error: object): error is CommonFailure =>
  error instanceof SqlError.SqlError || error instanceof ConfigManaged || error instanceof ChangedMeanwhile

/** Besides {@link CommonFailure} each fails as its kind of rows does. */
export interface RowUseCases<Id, Row, New, Terms, Missing, NotMade, NotEdited, NotSwitched> {
  list(filter: CodedFilter): Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError>
  get(id: Id): Effect.Effect<Row, Missing | SqlError.SqlError>
  create(actor: Actor, row: New): Effect.Effect<Id, NotMade | SqlError.SqlError>
  edit(actor: Actor, at: RowAt<Id>, terms: Terms): Effect.Effect<void, NotEdited | CommonFailure>
  setEnabled(actor: Actor, at: RowAt<Id>, enabled: boolean): Effect.Effect<void, NotSwitched | CommonFailure>
}
