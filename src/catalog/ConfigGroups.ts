/**
 * Writes the groups of the configuration to their table at the start, before the plans that name them. Open calls keep their prices.
 */
import { Effect } from "effect"
import { announceAccounts } from "../accounts/Ledger.ts"
import { AppConfig, type GroupConfig } from "../config/Config.ts"
import { groupTerms } from "../domain/UserGroup.ts"
import { writeConfigRows, writeConfigTable } from "../settings/ConfigRows.ts"

const rowOf = (group: GroupConfig) => ({ code: group.code, ...groupTerms.toRow(group) })

export const writeConfigGroups = Effect.flatMap(
  AppConfig,
  ({ groups }) =>
    writeConfigRows("catalog", (sql) =>
      writeConfigTable(sql, {
        table: "user_groups",
        key: "code",
        columns: groupTerms.columnNames,
        rows: groups.map(rowOf)
      }).pipe(Effect.tap((changed) => changed > 0 ? announceAccounts(sql) : Effect.void)))
)
