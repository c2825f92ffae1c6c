/**
 * The links to all pages, in groups: the console's own, or the administration's while somebody is there who may use it. A bar at the side
 * where there is room, else folded behind a button. What switches between the two is always on top.
 */
import { isStaff } from "../../../identity/Roles.ts"
import { Icon, type IconName } from "../kit/Icon.tsx"
import { mayOpen, type PageContext } from "../PageContext.ts"
import type { TextKey } from "../text/Texts.ts"

type CommonKey = TextKey<"common">

/** A page of the navigation. */
type NavItem = readonly [path: string, icon: IconName, label: CommonKey]

interface NavGroup {
  /** Absent: the first links, which need no name. */
  readonly title?: CommonKey
  readonly items: ReadonlyArray<NavItem>
}

/** Most pages have the address that their text is named after: `nav.keys` is at `/keys`, `admin.users` at `/admin/users`. */
const item = (label: CommonKey, icon: IconName): NavItem => [
  `/${label.replace(/^nav\./, "").replace(".", "/")}`,
  icon,
  label
]

const consoleGroups: ReadonlyArray<NavGroup> = [
  { items: [["/", "dashboard", "nav.dashboard"]] },
  { title: "nav.use", items: [item("nav.keys", "key"), item("nav.usage", "usage"), item("nav.models", "model")] },
  {
    title: "nav.pay",
    items: [
      item("nav.topup", "topup"),
      item("nav.subscription", "plan"),
      item("nav.orders", "order"),
      item("nav.ledger", "usage")
    ]
  },
  {
    title: "nav.account",
    items: [["/account", "account", "nav.settings"], item("nav.notifications", "bell")]
  }
]

const adminGroups: ReadonlyArray<NavGroup> = [
  { items: [["/admin", "dashboard", "admin.overview"]] },
  {
    title: "nav.business",
    items: [
      item("admin.users", "users"),
      item("admin.invites", "plus"),
      item("admin.orders", "order"),
      item("admin.payments", "topup"),
      item("admin.confirmations", "check"),
      item("admin.plans", "plan"),
      item("admin.codes", "gift")
    ]
  },
  {
    title: "nav.finance",
    items: [
      item("admin.statements", "book"),
      ["/admin/bills/check", "compare", "admin.bills"],
      item("admin.exports", "download")
    ]
  },
  {
    title: "nav.gateway",
    items: [
      item("admin.usage", "usage"),
      item("admin.channels", "channel"),
      item("admin.models", "model"),
      item("admin.groups", "users")
    ]
  },
  {
    title: "nav.system",
    items: [
      item("admin.settings", "settings"),
      item("admin.announcements", "info"),
      item("admin.notices", "bell"),
      item("admin.keys", "key"),
      item("admin.audit", "clock")
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
  <form class="console-search" method="get" action="/admin/search" role="search">
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

const Group = ({ items, title, context: { pathname, say } }: NavGroup & { readonly context: PageContext }) => (
  <li>
    {title === undefined ? null : <div class="console-nav-title">{say(title)}</div>}
    <ul class="console-nav-list">
      {items.map(([path, icon, label]) => (
        <li key={path}>
          <a class="console-nav-link" href={path} aria-current={isAt(pathname, path) ? "page" : undefined}>
            <Icon name={icon} />
            <span>{say(label)}</span>
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
          {(isAdmin ? adminGroups : consoleGroups).map(({ items, ...group }) => {
            const allowed = isAdmin ? items.filter(([path]) => mayOpen(context, path)) : items
            return allowed.length === 0
              ? null
              : <Group key={group.title} context={context} {...group} items={allowed} />
          })}
        </ul>
      </nav>
    </details>
  )
}
