/**
 * A user as its row says, without the hash of the password.
 */
import { Schema } from "effect"
import { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { Role } from "./Roles.ts"

export const User = Row({
  id: UserId,
  email: Schema.String,
  role: Role,
  createdAt: Schema.Date,
  disabledAt: Schema.NullOr(Schema.Date)
})
export interface User extends Schema.Schema.Type<typeof User> {}
