/**
 * The folder's layer: the books, their closed days, exports, and the check of providers' bills.
 */
import { Layer } from "effect"
import { BillCheck } from "./BillCheck.ts"
import { Exports } from "./Exports.ts"
import { StatementDays } from "./StatementDays.ts"
import { Statements } from "./Statements.ts"

export const FinanceLayer = Layer.mergeAll(
  BillCheck.layer,
  Exports.layer,
  StatementDays.layer,
  Statements.layer
)
