/**
 * Who may make an account for themselves: what the settings say of registration, of invitations and of the domains of e-mail addresses. An
 * administrator makes accounts whatever they say.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RealmsConfig } from "../config/RealmsConfig.ts"
import { emailDomain } from "../domain/EmailAddress.ts"
import { EmailDomainRefused, InviteInvalid, InviteNeeded, RegistrationClosed } from "./IdentityError.ts"
import { type InviteToken, openInvite } from "./Invites.ts"

export type RegistrationRefused =
  | RegistrationClosed
  | InviteNeeded
  | InviteInvalid
  | EmailDomainRefused

interface Asking {
  readonly email: string
  readonly invite: InviteToken | undefined
}

/**
 * Looks before any work is done; whether the invitation is still good is decided when it is taken. An invitation for one address is
 * good for it whatever its domain: an administrator has named it.
 */
export const checkRegistration = (
  sql: SqlClient.SqlClient,
  { emailDomains, mode }: RealmsConfig["registration"],
  { email, invite }: Asking
): Effect.Effect<void, RegistrationRefused | SqlError.SqlError> =>
  Effect.gen(function*() {
    if (mode === "closed") return yield* new RegistrationClosed()
    if (invite === undefined && mode === "invite") return yield* new InviteNeeded()
    const opened = invite === undefined ? undefined : yield* openInvite(sql, invite)
    if (invite !== undefined && opened === undefined) return yield* new InviteInvalid()
    const named = opened?.email ?? null
    if (named !== null && named !== email) return yield* new InviteInvalid()
    if (named === null && emailDomains.length > 0 && !emailDomains.includes(emailDomain(email))) {
      return yield* new EmailDomainRefused({ domains: emailDomains })
    }
  })
