/**
 * `/api/admin/groups`: groups of users with prices of their own. A change names the revision that it was made on, and concerns later
 * calls.
 */
import { Effect, Schema } from "effect"
import { AdminGroup, GroupAdmin } from "../../catalog/GroupAdmin.ts"
import type { GroupRefused } from "../../catalog/GroupError.ts"
import { MULTIPLIER_MAX } from "../../domain/Bounds.ts"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { GroupId } from "../../domain/Ids.ts"
import { Json } from "../../domain/Row.ts"
import { type GroupField, groupTerms } from "../../domain/UserGroup.ts"
import { changeErrors } from "./ApiError.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { documented, jsonFields, pageQuery } from "./ApiSchema.ts"
import { refuseFields, rowAnswers, rowEndpoints, stateQuery } from "./RowsApi.ts"
import { rangeText } from "./TermsApi.ts"

const Group = Json({ ...jsonFields(AdminGroup.fields), ...groupTerms.json }).pipe(documented("Group"))

const NewGroup = Json({ code: Schema.String, ...groupTerms.json }).pipe(documented("NewGroup"))

const GroupEdit = Json({ revision: IdJson, ...groupTerms.json }).pipe(documented("GroupEdit"))

export class GroupsApi extends area(
  "groups",
  "Groups",
  "Groups of users with prices of their own: what calls cost is multiplied with multiplier_micros, the multiplier times 1000000. A user has the group that was set for them, else that of the plan that pays, else that of the last redeemed code that had one. Open calls keep the multiplier that they were reserved at."
).add(
  ...rowEndpoints({
    one: "Group",
    path: "/groups",
    query: { ...pageQuery, ...stateQuery },
    id: idJson(GroupId),
    row: Group,
    create: NewGroup,
    edit: GroupEdit,
    enableErrors: changeErrors
  })
) {}

const ruleOf = (field: GroupField): string => {
  if (field === "code") return "has 1 to 40 of a-z, 0-9 and -"
  return field === "multiplierMicros"
    ? `is from 0 to ${MULTIPLIER_MAX} times 1000000`
    : rangeText(groupTerms.fields[field].kind)
}

const refused = ({ fields }: GroupRefused) =>
  refuseFields("The group has values that are out of bounds.", fields, ruleOf)

export const GroupsHandlers = answersOf(GroupsApi)(GroupAdmin, (groups) => {
  const { create, disable, edit, enable, get, list } = rowAnswers(groups)
  return {
    listGroups: list,
    getGroup: get,
    createGroup: (request, admin) => Effect.catchTag(create(request, admin), "GroupRefused", refused),
    editGroup: (request, admin) => Effect.catchTag(edit(request, admin), "GroupRefused", refused),
    disableGroup: disable,
    enableGroup: enable
  }
})
