/**
 * `/admin/search`: what the box on every page of the administration finds: users, keys by their hint, orders, and payments by a
 * reference. One find alone is gone to. Kinds that a role may not see are not found.
 */
import { Effect } from "effect"
import { PaymentSearch } from "../../../../events/PaymentSearch.ts"
import { type FoundKey, UserAdmin, type UserSummary } from "../../../../identity/UserAdmin.ts"
import { type FoundOrder, OrderSearch } from "../../../../orders/OrderSearch.ts"
import { redirect } from "../../Answer.ts"
import { adminPage } from "../../ConsoleRoute.ts"
import { headedPage } from "../../kit/Forms.tsx"
import { type ItemColumn, TableCard } from "../../kit/List.tsx"
import { orderName } from "../../kit/Orders.tsx"
import { Card, Nothing } from "../../kit/Parts.tsx"
import { mayOpen, sayOf, type UserContext } from "../../PageContext.ts"
import { numberText, searchText } from "../../Params.ts"
import { pathOf as paymentPath } from "../payments/Payments.tsx"

/** Finds of each kind, at most. */
const FOUND_MAX = 10

/** A find with the page that it is looked at on. */
interface Find {
  readonly href: string
  readonly name: string
  readonly about: string
}

const userFind = ({ email, id }: UserSummary): Find => ({ href: `/admin/users/${id}`, name: email, about: `#${id}` })

const keyFind = ({ email, hint, name, userId }: FoundKey): Find => ({
  href: `/admin/users/${userId}`,
  name: hint,
  about: [name, email].filter((text) => text !== "").join(" · ")
})

const orderFind = (context: UserContext) => ({ email, order }: FoundOrder): Find => ({
  href: `/admin/orders/${order.id}`,
  name: `#${order.id}`,
  about: `${orderName(context, order)} · ${email}`
})

const findAll = Effect.fnUntraced(function*(context: UserContext, text: string) {
  const page = { limit: FOUND_MAX }
  const number = numberText(text)
  const may = (path: string) => mayOpen(context, path)
  const users = yield* UserAdmin
  const orders = yield* OrderSearch
  const payments = yield* PaymentSearch
  const none = Effect.succeed([])
  const finds = yield* Effect.all({
    users: may("/admin/users") ? users.search({ ...page, text: number }) : none,
    keys: may("/admin/users") ? users.keys(text, FOUND_MAX) : none,
    orders: may("/admin/orders") ? orders.list({ text: number }, page) : none,
    payments: may("/admin/payments") ? payments.list({ text: number }, page) : none
  }, { concurrency: "unbounded" })
  return {
    users: finds.users.map(userFind),
    keys: finds.keys.map(keyFind),
    orders: finds.orders.map(orderFind(context)),
    payments: finds.payments.flatMap((payment) => {
      const href = paymentPath(payment)
      return href === undefined ? [] : [{ href, name: payment.payment, about: payment.email ?? "" }]
    })
  }
})

const columnsOf = (name: string): ReadonlyArray<ItemColumn<Find>> => [
  {
    title: name,
    cell: ({ about, href, name }) => (
      <>
        <a class="break-anywhere" href={href}>{name}</a> <span class="text-secondary break-anywhere">{about}</span>
      </>
    )
  }
]

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "search")
  const text = searchText(context.query, "q")
  const finds = text === undefined
    ? { users: [], keys: [], orders: [], payments: [] }
    : yield* findAll(context, text)
  const all = [...finds.users, ...finds.keys, ...finds.orders, ...finds.payments]
  const hrefs = new Set(all.map(({ href }) => href))
  const [only] = hrefs
  if (hrefs.size === 1 && only !== undefined) return redirect(only)
  const kinds = [
    [say("users"), finds.users],
    [say("apiKeys"), finds.keys],
    [say("orders"), finds.orders],
    [say("payments"), finds.payments]
  ] as const
  return headedPage({
    context,
    title: say("title"),
    lead: text === undefined ? say("hint") : say("found", { text, max: FOUND_MAX }),
    children: all.length === 0
      ? (
        <Card>
          <Nothing icon="filter" title={say("none")} text={say("hint")} />
        </Card>
      )
      : (
        <>
          {kinds.map(([title, items]) => (
            <TableCard key={title} title={title} items={items} columns={columnsOf(say("name"))} />
          ))}
        </>
      )
  })
})

export const SearchRoutes = adminPage("/admin/search", show)
