/**
 * A choice of one of the roles, each with what it may do.
 */
import { isRole, roles } from "../../../../identity/Roles.ts"
import type { PageContext } from "../../PageContext.ts"
import { roleHints, roleNames } from "../../text/RoleText.ts"

export const RoleSelect = (
  { chosen, label, context }: { readonly context: PageContext; readonly label: string; readonly chosen: string | null }
) => {
  const names = roleNames(context)
  const hints = roleHints(context)
  const selected = isRole(chosen) ? chosen : "user"
  return (
    <fieldset class="mb-3">
      <legend class="form-label">{label}</legend>
      {roles.map((role) => (
        <label key={role} class="form-check">
          <input class="form-check-input" type="radio" name="role" value={role} checked={role === selected} />
          <span class="form-check-label">{names[role]}</span>
          <span class="form-check-description">{hints[role]}</span>
        </label>
      ))}
    </fieldset>
  )
}
