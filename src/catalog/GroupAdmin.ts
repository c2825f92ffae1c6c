/**
 * Groups of users as administrators manage them. Groups that are managed in config.yaml are only shown. A change is recorded, counts
 * as a new revision, and concerns calls from then on: open ones settle at the multiplier that they were reserved at.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { announceAccounts } from "../accounts/Ledger.ts"
import { type GroupChoice, groupChoices } from "../accounts/UserGroups.ts"
import { isCode } from "../domain/Code.ts"
import { GroupId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type GroupTerms, groupTerms } from "../domain/UserGroup.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { editRow, refuseUnseen, type RowAt, type RowChanges, switchRow } from "../platform/RowAdmin.ts"
import { type IdPage, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { GroupExists, GroupRefused, GroupUnknown } from "./GroupError.ts"

/** A group as the pages of administrators show it. */
export const AdminGroup = Row({
  id: GroupId,
  /** Never changes. */
  code: Schema.String,
  ...groupTerms.row,
  /** It is managed in config.yaml. A group that is gone from the file can be managed here. */
  declared: Schema.Boolean,
  /** From then on it cannot be chosen; users who have it keep its prices. */
  disabledAt: Schema.NullOr(Schema.Date),
  /** Counts the changes of the row. */
  revision: Schema.BigInt,
  /** Users whose own group it is. */
  users: Schema.Number,
  /** Users whose last redeemed code with a group had it. */
  redeemed: Schema.Number,
  /** Plans that set it. */
  plans: Schema.Number,
  createdAt: Schema.Date,
  updatedAt: Schema.Date
}, { declared: "read_only" })
export interface AdminGroup extends Schema.Schema.Type<typeof AdminGroup> {}

const MadeGroup = Row({ id: GroupId })

export interface GroupFilter extends IdPage {
  readonly state?: "enabled" | "disabled" | undefined
}

export interface GroupAdminShape extends RowChanges<GroupId, GroupTerms, GroupRefused, GroupUnknown> {
  /** Disabled ones too. */
  list(filter: GroupFilter): Effect.Effect<ReadonlyArray<AdminGroup>, SqlError.SqlError>
  get(id: GroupId): Effect.Effect<AdminGroup, GroupUnknown | SqlError.SqlError>
  /** Those that are not disabled, and `own`; by name. */
  choices(own: string | null): Effect.Effect<ReadonlyArray<GroupChoice>, SqlError.SqlError>
  /** A code has 1 to 40 of `a-z0-9-`. Answers the id. */
  create(
    actor: Actor,
    group: GroupTerms & { readonly code: string }
  ): Effect.Effect<GroupId, GroupRefused | GroupExists | SqlError.SqlError>
}

export class GroupAdmin extends Context.Service<GroupAdmin, GroupAdminShape>()("realms/catalog/GroupAdmin") {
  static readonly layer = Layer.effect(GroupAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    /** A row of the file is disabled only by its absence from the file. */
    const columns = sql`g.*, g.declared AND g.disabled_at IS NULL AS read_only,
    (SELECT count(*)::integer FROM users u WHERE u.group_code = g.code) AS users,
    (SELECT count(*)::integer FROM users u WHERE u.redeemed_group_code = g.code) AS redeemed,
    (SELECT count(*)::integer FROM subscription_plans p WHERE p.group_code = g.code) AS plans`

    const list = Effect.fn("GroupAdmin.list")(function*({ before, limit, state }: GroupFilter) {
      return yield* rowsOf(
        AdminGroup,
        sql`SELECT ${columns} FROM user_groups g
      WHERE (${state ?? null}::text IS NULL OR (g.disabled_at IS NULL) = (${state ?? null}::text = 'enabled'))
        AND (${before ?? null}::bigint IS NULL OR g.id < ${before ?? null}::bigint)
      ORDER BY g.id DESC LIMIT ${limit}`
      )
    })

    const get = Effect.fn("GroupAdmin.get")(function*(id: GroupId) {
      const group = yield* rowOf(AdminGroup, sql`SELECT ${columns} FROM user_groups g WHERE g.id = ${id}`)
      return group === undefined ? yield* new GroupUnknown({ id }) : group
    })

    const create = Effect.fn("GroupAdmin.create")(
      function*(actor: Actor, group: GroupTerms & { readonly code: string }) {
        const wrong = [...isCode(group.code) ? [] : ["code" as const], ...groupTerms.wrong(group)]
        if (wrong.length > 0) return yield* new GroupRefused({ fields: wrong })
        const values = { code: group.code, ...groupTerms.toRow(group) }
        return yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const made = yield* rowOf(
              MadeGroup,
              sql`INSERT INTO user_groups ${sql.insert(values)} ON CONFLICT (code) DO NOTHING RETURNING id`
            )
            if (made === undefined) return yield* new GroupExists({ code: group.code })
            yield* recordChange(sql, actor, {
              action: "group.created",
              target: `group:${made.id}`,
              before: null,
              after: values
            })
            return made.id
          })
        )
      }
    )

    /** The row as the administrator saw it, locked. */
    const lockAsSeen = Effect.fnUntraced(function*({ id, revision }: RowAt<GroupId>) {
      const group = yield* rowOf(
        AdminGroup,
        sql`SELECT ${columns} FROM user_groups g WHERE g.id = ${id} FOR NO KEY UPDATE OF g`
      )
      if (group === undefined) return yield* new GroupUnknown({ id })
      yield* refuseUnseen(group, { kind: "group", name: group.code, revision })
      return group
    })

    const edit = Effect.fn("GroupAdmin.edit")(function*(actor: Actor, at: RowAt<GroupId>, terms: GroupTerms) {
      const wrong = groupTerms.wrong(terms)
      if (wrong.length > 0) return yield* new GroupRefused({ fields: wrong })
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const group = yield* lockAsSeen(at)
          const changed = yield* editRow(sql, actor, {
            table: "user_groups",
            kind: "group",
            row: group,
            was: groupTerms.toRow(group),
            columns: groupTerms.toRow(terms)
          })
          // Users also have groups by their plans, so it is not known who has this one: every account is read again.
          if (changed) yield* announceAccounts(sql)
        })
      )
    })

    const setEnabled = Effect.fn("GroupAdmin.setEnabled")(
      function*(actor: Actor, at: RowAt<GroupId>, enabled: boolean) {
        yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const row = yield* lockAsSeen(at)
            yield* switchRow(sql, actor, { table: "user_groups", kind: "group", row, enabled })
          })
        )
      }
    )

    return GroupAdmin.of({ list, get, choices: (own) => groupChoices(sql, own), create, edit, setEnabled })
  }))
}
