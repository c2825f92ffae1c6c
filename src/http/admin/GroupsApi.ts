/**
 * `/api/admin/groups`: groups of users with prices of their own. A change names the revision that it was made on, and concerns later
 * calls.
 */
import { AdminGroup, GroupAdmin } from "../../catalog/GroupAdmin.ts"
import { idJson } from "../../domain/Fields.ts"
import { GroupId } from "../../domain/Ids.ts"
import { groupTerms } from "../../domain/UserGroup.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { jsonFields } from "./ApiSchema.ts"
import { codedEndpoints, rowAnswers } from "./RowsApi.ts"

export class GroupsApi extends area(
  "groups",
  "Groups",
  "Groups of users with prices of their own: what calls cost is multiplied with multiplier_micros, the multiplier times 1000000. A user has the group that was set for them, else that of the plan that pays, else that of the last redeemed code that had one. Open calls keep the multiplier that they were reserved at."
).add(
  ...codedEndpoints({ one: "Group", id: idJson(GroupId), shown: jsonFields(AdminGroup.fields), terms: groupTerms.json })
) {}

export const GroupsHandlers = answersOf(GroupsApi)(GroupAdmin, rowAnswers("Group"))
