/**
 * A list that is a card among others on one page, such as the keys of a user: each goes on by a name of its own in the address.
 */
import type { ComponentChildren } from "preact"
import type { PageContext } from "../PageContext.ts"
import { type ItemColumn, ItemTable, type ListProps, Pager } from "./List.tsx"
import { Card } from "./Parts.tsx"

export interface ListCardProps<Item> extends Pick<ListProps<Item>, "items" | "hasMore"> {
  readonly context: PageContext
  /** Of the page, without a query. */
  readonly path: string
  /** Of the list, in the query. */
  readonly name: string
  readonly title: string
  readonly actions?: ComponentChildren
  readonly columns: ReadonlyArray<ItemColumn<Item>>
  readonly empty: string
}

/** The address of the page with one list at `before`, and the others where they are. */
const cardHref = (context: PageContext, path: string, name: string, before?: bigint): string => {
  const query = new URLSearchParams(context.isForm ? "" : context.query)
  query.delete("done")
  query.delete(name)
  if (before !== undefined) query.set(name, before.toString())
  return `${path}${query.size === 0 ? "" : `?${query}`}#${name}`
}

export function ListCard<Item extends { readonly id: bigint }>(
  { actions, columns, context, empty, hasMore = false, items, name, path, title }: ListCardProps<Item>
) {
  const last = hasMore ? items.at(-1)?.id : undefined
  const isFirst = context.isForm || !context.query.has(name)
  return (
    <div id={name}>
      <Card title={title} actions={actions} class="mb-3">
        {items.length === 0
          ? <div class="card-body text-secondary">{empty}</div>
          : <ItemTable caption={title} columns={columns} items={items} />}
        <Pager
          newest={isFirst ? undefined : { href: cardHref(context, path, name), text: context.say("list.newest") }}
          older={last === undefined
            ? undefined
            : { href: cardHref(context, path, name, last), text: context.say("list.older") }}
        />
      </Card>
    </div>
  )
}
