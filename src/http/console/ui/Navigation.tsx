/**
 * The bar of links below the top of a page: the console's own, and the administration's while somebody is there who may use it.
 */
import { isStaff } from "../../../identity/Roles.ts"
import { mayOpen, type PageContext } from "../PageContext.ts"
import { Icon, type IconName } from "./Icon.tsx"

interface NavItem {
  readonly path: string
  readonly icon: IconName
  readonly label: string
}

/** The texts are written out, so that each of them is found as used. */
const consoleItems = ({ say, user }: PageContext): ReadonlyArray<NavItem> => [
  { path: "/", icon: "dashboard", label: say("nav.dashboard") },
  { path: "/keys", icon: "key", label: say("nav.keys") },
  { path: "/usage", icon: "usage", label: say("nav.usage") },
  { path: "/topup", icon: "topup", label: say("nav.topup") },
  { path: "/subscription", icon: "plan", label: say("nav.subscription") },
  { path: "/orders", icon: "order", label: say("nav.orders") },
  { path: "/models", icon: "model", label: say("nav.models") },
  { path: "/account", icon: "account", label: say("nav.account") },
  ...user !== undefined && isStaff(user.role)
    ? [{ path: "/admin", icon: "settings" as const, label: say("nav.admin") }]
    : []
]

const adminItems = ({ say }: PageContext): ReadonlyArray<NavItem> => [
  { path: "/admin", icon: "dashboard", label: say("admin.overview") },
  { path: "/admin/users", icon: "users", label: say("admin.users") },
  { path: "/admin/orders", icon: "order", label: say("admin.orders") },
  { path: "/admin/payments", icon: "topup", label: say("admin.payments") },
  { path: "/admin/confirmations", icon: "check", label: say("admin.confirmations") },
  { path: "/admin/usage", icon: "usage", label: say("admin.usage") },
  { path: "/admin/channels", icon: "channel", label: say("admin.channels") },
  { path: "/admin/models", icon: "model", label: say("admin.models") },
  { path: "/admin/plans", icon: "plan", label: say("admin.plans") },
  { path: "/admin/codes", icon: "gift", label: say("admin.codes") },
  { path: "/admin/settings", icon: "settings", label: say("admin.settings") },
  { path: "/admin/keys", icon: "key", label: say("admin.keys") },
  { path: "/admin/audit", icon: "clock", label: say("admin.audit") },
  { path: "/", icon: "back", label: say("nav.console") }
]

const allowedItems = (context: PageContext): ReadonlyArray<NavItem> =>
  adminItems(context).filter(({ path }) => path === "/" || mayOpen(context, path))

const isBelow = (pathname: string, path: string): boolean => pathname === path || pathname.startsWith(`${path}/`)

/** Whether the visitor is in the administration, which is shown to nobody else. */
const isAdmin = ({ pathname, user }: PageContext): boolean =>
  user !== undefined && isStaff(user.role) && isBelow(pathname, "/admin")

const isAt = (pathname: string, path: string): boolean =>
  path === "/" || path === "/admin" ? pathname === path : isBelow(pathname, path)

export const Navigation = ({ context }: { readonly context: PageContext }) => {
  const admin = isAdmin(context)
  const label = admin ? context.say("nav.admin") : context.say("nav.main")
  return (
    <nav class={`console-nav d-print-none ${admin ? "console-nav-admin" : ""}`} aria-label={label}>
      <div class="container-xl">
        <ul class="console-nav-list">
          {(admin ? allowedItems(context) : consoleItems(context)).map(({ icon, label, path }) => (
            <li key={path}>
              <a class="console-nav-link" href={path} aria-current={isAt(context.pathname, path) ? "page" : undefined}>
                <Icon name={icon} />
                <span>{label}</span>
              </a>
            </li>
          ))}
        </ul>
      </div>
    </nav>
  )
}
