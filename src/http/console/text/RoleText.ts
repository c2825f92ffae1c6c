/**
 * What roles are called, and what they may do, in both languages.
 */
import type { Role } from "../../../identity/Roles.ts"
import type { PageContext } from "../PageContext.ts"
import { sayIn } from "./Texts.ts"

/** Written out, so that each text is found as used. */
export const roleNames = ({ language }: Pick<PageContext, "language">): Readonly<Record<Role, string>> => {
  const say = sayIn(language, "role")
  return { user: say("user"), support: say("support"), finance: say("finance"), root: say("administrator") }
}

export const roleHints = ({ language }: Pick<PageContext, "language">): Readonly<Record<Role, string>> => {
  const say = sayIn(language, "role")
  return {
    user: say("user.hint"),
    support: say("support.hint"),
    finance: say("finance.hint"),
    root: say("root.hint")
  }
}
