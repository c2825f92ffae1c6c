/**
 * `/api/admin/groups`: groups of users with prices of their own. A change names the revision that it was made on, and concerns later
 * calls.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { AdminGroup, GroupAdmin } from "../../catalog/GroupAdmin.ts"
import type { GroupRefused } from "../../catalog/GroupError.ts"
import { MULTIPLIER_MAX } from "../../domain/Bounds.ts"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { GroupId } from "../../domain/Ids.ts"
import { columnOf, Json } from "../../domain/Row.ts"
import { type GroupField, groupTerms } from "../../domain/UserGroup.ts"
import type { Administrator } from "./AdminAccess.ts"
import { ApiNotFound, ApiRefused, changeErrors, editErrors } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, jsonFields, PAGE_ITEMS_MAX, pageQuery } from "./ApiSchema.ts"
import { ApiRevision, stateQuery } from "./ModelsApi.ts"
import { rangeText } from "./TermsApi.ts"

const Group = Json({ ...jsonFields(AdminGroup.fields), ...groupTerms.json }).pipe(documented("Group"))

const NewGroup = Json({ code: Schema.String, ...groupTerms.json }).pipe(documented("NewGroup"))

const GroupEdit = Json({ revision: IdJson, ...groupTerms.json }).pipe(documented("GroupEdit"))

const params = { id: idJson(GroupId) }

const { get, post, put } = HttpApiEndpoint

export class GroupsApi extends area(
  "groups",
  "Groups",
  "Groups of users with prices of their own: what calls cost is multiplied with multiplier_micros, the multiplier times 1000000. A user has the group that was set for them, else that of the plan that pays, else that of the last redeemed code that had one. Open calls keep the multiplier that they were reserved at."
).add(
  get("listGroups", "/groups", { query: { ...pageQuery, ...stateQuery }, success: itemsOf(Group) }),
  get("getGroup", "/groups/:id", { params, success: Group, error: ApiNotFound }),
  post("createGroup", "/groups", { payload: NewGroup, success: Group.pipe(created), error: editErrors }),
  put("editGroup", "/groups/:id", { params, payload: GroupEdit, success: Group, error: editErrors }),
  post("disableGroup", "/groups/:id/disable", { params, payload: ApiRevision, success: Group, error: changeErrors }),
  post("enableGroup", "/groups/:id/enable", { params, payload: ApiRevision, success: Group, error: changeErrors })
) {}

const ruleOf = (field: GroupField): string => {
  if (field === "code") return "has 1 to 40 of a-z, 0-9 and -"
  return field === "multiplierMicros"
    ? `is from 0 to ${MULTIPLIER_MAX} times 1000000`
    : rangeText(groupTerms.fields[field].kind)
}

const refused = ({ fields }: GroupRefused) =>
  Effect.fail(
    new ApiRefused({
      message: "The group has values that are out of bounds.",
      problems: Object.fromEntries(fields.map((field) => [columnOf(field), ruleOf(field)]))
    })
  )

export const GroupsHandlers = answersOf(GroupsApi)(GroupAdmin, (groups) => {
  const setEnabled = (admin: Administrator, id: GroupId, revision: bigint, enabled: boolean) =>
    Effect.andThen(groups.setEnabled(admin, { id, revision }, enabled), groups.get(id))

  return {
    listGroups: ({ query: { before, limit = PAGE_ITEMS_MAX, state } }) => listed(groups.list({ state, before, limit })),
    getGroup: ({ params }) => groups.get(params.id),
    createGroup: ({ payload }, admin) =>
      groups.create(admin, payload).pipe(Effect.flatMap(groups.get), Effect.catchTag("GroupRefused", refused)),
    editGroup: ({ params: { id }, payload: { revision, ...terms } }, admin) =>
      groups.edit(admin, { id, revision }, terms).pipe(
        Effect.andThen(groups.get(id)),
        Effect.catchTag("GroupRefused", refused)
      ),
    disableGroup: ({ params, payload }, admin) => setEnabled(admin, params.id, payload.revision, false),
    enableGroup: ({ params, payload }, admin) => setEnabled(admin, params.id, payload.revision, true)
  }
})
