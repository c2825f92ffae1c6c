/**
 * Which users an address of the list asks for. What is no filter is left out.
 */
import { roles } from "../../../../identity/Roles.ts"
import type { UserSearch } from "../../../../identity/UserAdmin.ts"
import type { PageContext } from "../../PageContext.ts"
import { idOf } from "../../PathId.ts"

export interface UsersQuery {
  readonly search: Omit<UserSearch, "limit">
}

/** As long as an e-mail address may be. */
const TEXT_LENGTH_MAX = 254

const oneOf = <A extends string>(known: ReadonlyArray<A>, text: string | null): A | undefined =>
  known.find((value) => value === text)

export const readUsersQuery = ({ query }: Pick<PageContext, "query">): UsersQuery => {
  const text = (query.get("q") ?? "").trim().slice(0, TEXT_LENGTH_MAX).toWellFormed()
  return {
    search: {
      text: text === "" ? undefined : text,
      role: oneOf(roles, query.get("role")),
      state: oneOf(["active", "disabled"], query.get("state")),
      before: idOf(query.get("before"))
    }
  }
}
