/**
 * Groups of users as administrators manage them. Groups that are managed in config.yaml are only shown. A change is recorded, counts
 * as a new revision, and concerns calls from then on: open ones settle at the multiplier that they were reserved at.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { announceAccounts } from "../accounts/Ledger.ts"
import { type GroupChoice, groupChoices } from "../accounts/UserGroups.ts"
import { GroupId } from "../domain/Ids.ts"
import { type GroupTerms, groupTerms } from "../domain/UserGroup.ts"
import { type CodedAdmin, codedRow, codedRows } from "../platform/CodedRows.ts"
import { GroupExists, GroupRefused, GroupUnknown } from "./GroupError.ts"

/** A group as the pages of administrators show it. */
export const AdminGroup = codedRow(GroupId, groupTerms.row, {
  /** Users whose own group it is. */
  users: Schema.Number,
  /** Users whose last redeemed code with a group had it. */
  redeemed: Schema.Number,
  /** Plans that set it. */
  plans: Schema.Number
})
export interface AdminGroup extends Schema.Schema.Type<typeof AdminGroup> {}

export interface GroupAdminShape
  extends CodedAdmin<GroupId, AdminGroup, GroupTerms, GroupRefused, GroupExists, GroupUnknown>
{
  /** Those that are not disabled, and `own`; by name. */
  choices(own: string | null): Effect.Effect<ReadonlyArray<GroupChoice>, SqlError.SqlError>
}

export class GroupAdmin extends Context.Service<GroupAdmin, GroupAdminShape>()("realms/catalog/GroupAdmin") {
  static readonly layer = Layer.effect(GroupAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = codedRows(sql, {
      name: "GroupAdmin",
      table: "user_groups",
      kind: "group",
      id: GroupId,
      row: AdminGroup,
      counts: sql`(SELECT count(*)::integer FROM users u WHERE u.group_code = r.code) AS users,
        (SELECT count(*)::integer FROM users u WHERE u.redeemed_group_code = r.code) AS redeemed,
        (SELECT count(*)::integer FROM subscription_plans p WHERE p.group_code = r.code) AS plans`,
      terms: groupTerms,
      refused: (fields) => new GroupRefused({ fields }),
      exists: (code) => new GroupExists({ code }),
      unknown: (id) => new GroupUnknown({ id }),
      check: () => Effect.void,
      // Users also have groups by their plans, so it is not known who has this one: every account is read again.
      onChange: (change) => change === "edited" ? announceAccounts(sql) : Effect.void
    })
    return GroupAdmin.of({ ...rows, choices: (own) => groupChoices(sql, own) })
  }))
}
