/**
 * The user whom an address of the administration names, as all of their pages need it.
 */
import { Effect, Option } from "effect"
import { UserId } from "../../../../domain/Ids.ts"
import { UserAdmin } from "../../../../identity/UserAdmin.ts"
import { PageNotFound } from "../../Answer.ts"
import { pathId } from "../../Params.ts"

/** The user of the `:id` in the route of the request at hand. */
export const theUser = Effect.gen(function*() {
  const found = yield* (yield* UserAdmin).view(yield* pathId("id", UserId))
  return Option.isNone(found) ? yield* new PageNotFound() : found.value
})
