/**
 * The links to all pages, in groups: the console's own, or the administration's while somebody is there who may use it. A bar at the side
 * where there is room, else folded behind a button. What switches between the two is always on top.
 */
import { isStaff } from "../../../identity/Roles.ts"
import { Icon, type IconName } from "../kit/Icon.tsx"
import { mayOpen, type PageContext } from "../PageContext.ts"

interface NavItem {
  readonly path: string
  readonly icon: IconName
  readonly label: string
}

interface NavGroup {
  /** Absent: the first links, which need no name. */
  readonly title?: string | undefined
  readonly items: ReadonlyArray<NavItem>
}

/** The texts are written out, so that each of them is found as used. */
const consoleGroups = ({ say }: PageContext): ReadonlyArray<NavGroup> => [
  { items: [{ path: "/", icon: "dashboard", label: say("nav.dashboard") }] },
  {
    title: say("nav.use"),
    items: [
      { path: "/keys", icon: "key", label: say("nav.keys") },
      { path: "/usage", icon: "usage", label: say("nav.usage") },
      { path: "/models", icon: "model", label: say("nav.models") }
    ]
  },
  {
    title: say("nav.pay"),
    items: [
      { path: "/topup", icon: "topup", label: say("nav.topup") },
      { path: "/subscription", icon: "plan", label: say("nav.subscription") },
      { path: "/orders", icon: "order", label: say("nav.orders") },
      { path: "/ledger", icon: "usage", label: say("nav.ledger") }
    ]
  },
  { title: say("nav.account"), items: [{ path: "/account", icon: "account", label: say("nav.settings") }] }
]

const adminGroups = ({ say }: PageContext): ReadonlyArray<NavGroup> => [
  { items: [{ path: "/admin", icon: "dashboard", label: say("admin.overview") }] },
  {
    title: say("nav.business"),
    items: [
      { path: "/admin/users", icon: "users", label: say("admin.users") },
      { path: "/admin/orders", icon: "order", label: say("admin.orders") },
      { path: "/admin/payments", icon: "topup", label: say("admin.payments") },
      { path: "/admin/confirmations", icon: "check", label: say("admin.confirmations") },
      { path: "/admin/plans", icon: "plan", label: say("admin.plans") },
      { path: "/admin/codes", icon: "gift", label: say("admin.codes") }
    ]
  },
  {
    title: say("nav.finance"),
    items: [
      { path: "/admin/statements", icon: "book", label: say("admin.statements") },
      { path: "/admin/bills/check", icon: "compare", label: say("admin.bills") },
      { path: "/admin/exports", icon: "download", label: say("admin.exports") }
    ]
  },
  {
    title: say("nav.gateway"),
    items: [
      { path: "/admin/usage", icon: "usage", label: say("admin.usage") },
      { path: "/admin/channels", icon: "channel", label: say("admin.channels") },
      { path: "/admin/models", icon: "model", label: say("admin.models") },
      { path: "/admin/groups", icon: "users", label: say("admin.groups") }
    ]
  },
  {
    title: say("nav.system"),
    items: [
      { path: "/admin/settings", icon: "settings", label: say("admin.settings") },
      { path: "/admin/announcements", icon: "info", label: say("admin.announcements") },
      { path: "/admin/keys", icon: "key", label: say("admin.keys") },
      { path: "/admin/audit", icon: "clock", label: say("admin.audit") }
    ]
  }
]

const isBelow = (pathname: string, path: string): boolean => pathname === path || pathname.startsWith(`${path}/`)

const isAt = (pathname: string, path: string): boolean =>
  path === "/" || path === "/admin" ? pathname === path : isBelow(pathname, path)

/** Between the console and the administration, for those who have both. */
const Switch = ({ context, isAdmin }: { readonly context: PageContext; readonly isAdmin: boolean }) => (
  <div class="console-switch">
    <a href="/" aria-current={isAdmin ? undefined : "true"}>{context.say("nav.user")}</a>
    <a href="/admin" aria-current={isAdmin ? "true" : undefined}>{context.say("nav.admin")}</a>
  </div>
)

/** One box for everything that administrators look for. */
const SearchBox = ({ context: { pathname, query, say } }: { readonly context: PageContext }) => (
  <form class="mb-3" method="get" action="/admin/search" role="search">
    <input
      class="form-control"
      type="search"
      name="q"
      value={pathname === "/admin/search" ? query.get("q") ?? "" : ""}
      aria-label={say("search.label")}
      placeholder={say("search.placeholder")}
      autocomplete="off"
      maxlength={254}
    />
  </form>
)

const Group = ({ items, pathname, title }: NavGroup & { readonly pathname: string }) => (
  <li>
    {title === undefined ? null : <div class="console-nav-title">{title}</div>}
    <ul class="console-nav-list">
      {items.map(({ icon, label, path }) => (
        <li key={path}>
          <a class="console-nav-link" href={path} aria-current={isAt(pathname, path) ? "page" : undefined}>
            <Icon name={icon} />
            <span>{label}</span>
          </a>
        </li>
      ))}
    </ul>
  </li>
)

export const Navigation = ({ context }: { readonly context: PageContext }) => {
  const { pathname, say, user } = context
  const isOfStaff = user !== undefined && isStaff(user.role)
  const isAdmin = isOfStaff && isBelow(pathname, "/admin")
  return (
    <details class="console-side d-print-none">
      <summary class="btn btn-icon btn-ghost-secondary" aria-label={say("nav.menu")}>
        <Icon name="menu" />
      </summary>
      <nav class="console-nav" aria-label={isAdmin ? say("nav.admin") : say("nav.main")}>
        {isOfStaff ? <Switch context={context} isAdmin={isAdmin} /> : null}
        {isAdmin ? <SearchBox context={context} /> : null}
        <ul class="console-nav-groups">
          {(isAdmin ? adminGroups(context) : consoleGroups(context)).map(({ items, title }) => {
            const allowed = isAdmin ? items.filter(({ path }) => mayOpen(context, path)) : items
            return allowed.length === 0 ? null : <Group key={title} title={title} items={allowed} pathname={pathname} />
          })}
        </ul>
      </nav>
    </details>
  )
}
