/**
 * Who may do what in the administration: the one table, for pages (below `/admin`) and API (below `/api/admin`) alike. What is not in
 * it is for root alone, so that a new route is closed until somebody opens it.
 */
import { handlesMoney, type Role } from "../identity/Roles.ts"
import type { SettingsValues } from "../settings/Settings.ts"

/** `read`: GET of what changes nothing and shows no form of a change. `any`: forms and changes too. */
type Access = "read" | "any"

type Rules = ReadonlyArray<readonly [path: string, access: Access]>

/** Users, calls and orders, and how the service does. */
const reading: Rules = [
  ["", "read"],
  ["/me", "read"],
  ["/overview", "read"],
  ["/search", "read"],
  ["/users", "read"],
  ["/users/users.csv", "read"],
  ["/users/:id", "read"],
  ["/users/:id/ledger", "read"],
  ["/users/:id/keys", "read"],
  ["/users/:id/subscriptions", "read"],
  ["/usage", "read"],
  ["/usage/days.svg", "read"],
  ["/usage/models.svg", "read"],
  ["/usage/calls", "read"],
  ["/usage/calls.csv", "read"],
  ["/usage/calls/:id", "read"],
  ["/usage/channels", "read"],
  ["/usage/:id", "read"],
  ["/orders", "read"],
  ["/orders/:id", "read"]
]

/** Payments, their review, refunds, and the books. No balance is adjusted and no setting changed. */
const money: Rules = [
  ["/payments", "read"],
  ["/payments/:id", "read"],
  ["/payments/:id/accept", "any"],
  ["/payments/:id/accept_part", "any"],
  ["/payments/:id/credit", "any"],
  ["/payments/:id/refund", "any"],
  ["/payments/:id/refunded", "any"],
  ["/payments/:id/dismiss", "any"],
  ["/orders/:id/complete", "any"],
  ["/orders/:id/refund", "any"],
  ["/orders/:id/refunds", "any"],
  ["/orders/:id/refunds/:refund", "any"],
  ["/orders/:id/refunds/:refund/retry", "any"],
  ["/orders/:id/refunds/:refund/settle", "any"],
  // What each may confirm is checked for each action, see `confirmations/ActionRoles.ts`.
  ["/confirmations", "read"],
  ["/confirmations/:id", "read"],
  ["/confirmations/:id/confirm", "any"],
  ["/confirmations/:id/reject", "any"],
  ["/statements", "read"],
  ["/statements/statement.csv", "read"],
  ["/statements/days", "read"],
  ["/statements/liability", "read"],
  ["/exports", "read"],
  ["/exports/:kind", "read"],
  // It changes nothing; the file is the body.
  ["/bills/check", "any"]
]

const rules: Readonly<Record<Exclude<Role, "root">, Rules>> = {
  user: [],
  support: reading,
  finance: [...reading, ...money]
}

/** A parameter is a number, a UUID, or one of few words: `new` and the like are pages of their own. */
const parameters: Readonly<Record<string, RegExp>> = {
  ":id": /^[\da-f-]{1,40}$/i,
  ":refund": /^\d{1,20}$/,
  ":kind": /^[a-z]{1,20}$/
}

const fits = (pattern: string, path: string): boolean => {
  const [wanted, parts] = [pattern.split("/"), path.split("/")]
  return wanted.length === parts.length &&
    wanted.every((part, index) => parameters[part]?.test(parts[index] ?? "") ?? part === parts[index])
}

/** Whether somebody has to set up a second factor before they may use the administration. */
export const lacksSecondFactor = (
  { security }: Pick<SettingsValues, "security">,
  { role }: { readonly role: Role },
  { secondFactor }: { readonly secondFactor: boolean }
): boolean => security.secondFactor === "root_and_finance" && handlesMoney(role) && !secondFactor

/** Below which both are. */
const basePattern = /^(?:\/api)?\/admin(?=\/|$)/

/** Whether a role may send a request of this method to a path, which may have a query. */
export const mayUse = (role: Role, method: string, path: string): boolean => {
  if (role === "root") return true
  const [pathname = ""] = path.split(/[?#]/)
  if (!basePattern.test(pathname)) return false
  const below = pathname.replace(basePattern, "").replace(/\/$/, "")
  const isRead = method === "GET" || method === "HEAD"
  return rules[role].some(([pattern, access]) => (isRead || access === "any") && fits(pattern, below))
}
