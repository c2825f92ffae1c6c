/**
 * Why a group of users is not made or changed. Nothing has changed when one of these is answered.
 */
import { Schema } from "effect"
import { GroupId } from "../domain/Ids.ts"
import { groupFields } from "../domain/UserGroup.ts"

export class GroupUnknown extends Schema.TaggedError<GroupUnknown>()("GroupUnknown", { id: GroupId }) {
  override readonly message = `there is no group ${this.id}`
}

export class GroupExists extends Schema.TaggedError<GroupExists>()("GroupExists", { code: Schema.String }) {
  override readonly message = `there is a group ${this.code} already`
}

/** These fields are out of bounds. */
export class GroupRefused extends Schema.TaggedError<GroupRefused>()("GroupRefused", {
  fields: Schema.Array(Schema.Literals(groupFields))
}) {}
