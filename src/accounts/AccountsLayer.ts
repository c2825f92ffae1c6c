/**
 * The folder's layer: the accounts and what is read and changed beside them.
 */
import { Layer } from "effect"
import { AccountOverview } from "./AccountOverview.ts"
import { Accounts } from "./Accounts.ts"
import { Adjustments } from "./Adjustments.ts"
import { CallClaims } from "./CallClaims.ts"
import { DebtWaivers } from "./DebtWaivers.ts"
import { LedgerList } from "./LedgerList.ts"
import { ResponseReferences } from "./ResponseReferences.ts"

export const AccountsLayer = Layer.mergeAll(
  Accounts.layer,
  Adjustments.layer,
  AccountOverview.layer,
  CallClaims.layer,
  DebtWaivers.layer,
  LedgerList.layer,
  ResponseReferences.layer
)
