/**
 * A list that is shown page by page: its filter, its table or what is said where there is nothing, and the links to its beginning and
 * the next page. The filter is part of the address, so that the result can be bookmarked and shared.
 */
import type { ComponentChildren } from "preact"
import type { PageContext } from "../PageContext.ts"
import { FilterChoice, FilterDay, FilterText } from "../ui/FilterParts.tsx"
import { Icon, type IconName } from "../ui/Icon.tsx"
import { Card, Nothing } from "../ui/Parts.tsx"
import { type ItemColumn, ItemTable } from "./ItemTable.tsx"

/** What a list is narrowed by. The value is empty, or nothing is chosen, where it is not. */
export type ListFilter =
  | { readonly is: "text"; readonly name: string; readonly label: string; readonly value: string | undefined }
  | { readonly is: "day"; readonly name: string; readonly label: string; readonly value: string }
  | {
    readonly is: "choice"
    readonly name: string
    readonly label: string
    readonly value: string | undefined
    /** The option for "no choice"; "All" by default. */
    readonly all?: string
    readonly options: ReadonlyArray<readonly [value: string, text: string]>
  }

export interface ListProps<Item> {
  readonly context: PageContext
  /** Of the page, without a query. */
  readonly path: string
  /** What a part of the address says besides the filter, such as the tab. */
  readonly kept?: Readonly<Record<string, string>>
  /** The name of the list for screen readers. */
  readonly caption: string
  readonly columns: ReadonlyArray<ItemColumn<Item>>
  readonly items: ReadonlyArray<Item>
  /** Absent: the list is never longer than this. */
  readonly hasMore?: boolean
  /** The name in the address of where a page begins, and what it is for the page after an item. */
  readonly cursor?: { readonly name: string; readonly of: (item: Item) => string | bigint }
  readonly filter?: ReadonlyArray<ListFilter>
  /** Said where there is nothing, filtered or not. */
  readonly empty: {
    readonly icon: IconName
    readonly title: string
    readonly text?: string
    readonly action?: ComponentChildren
  }
  /** Said where the filter finds nothing; absent: as where there is nothing. */
  readonly none?: string
  /** Newest first, or from the first to the last. */
  readonly order?: "newest" | "first"
  /** Above the filter. */
  readonly children?: ComponentChildren
}

/** The filter by which enabled rows are listed, or disabled ones. */
export const enabledFilter = (
  say: (key: "state" | "state.all" | "state.enabled" | "state.disabled") => string,
  value: "enabled" | "disabled" | undefined
): ListFilter => ({
  is: "choice",
  name: "state",
  label: say("state"),
  all: say("state.all"),
  value,
  options: [["enabled", say("state.enabled")], ["disabled", say("state.disabled")]]
})

const isSet = ({ value }: ListFilter): boolean => value !== undefined && value !== ""

const FilterField = ({ field, context }: { readonly context: PageContext; readonly field: ListFilter }) => {
  const { label, name } = field
  switch (field.is) {
    case "text":
      return <FilterText name={name} label={label} value={field.value ?? ""} />
    case "day":
      return <FilterDay name={name} label={label} value={field.value} />
    case "choice":
      return (
        <FilterChoice
          name={name}
          label={label}
          all={field.all ?? context.say("list.all")}
          chosen={field.value}
          options={field.options}
        />
      )
  }
}

const hrefOf = (path: string, query: Readonly<Record<string, string>>): string => {
  const text = new URLSearchParams(query).toString()
  return text === "" ? path : `${path}?${text}`
}

type Narrowed = Pick<ListProps<never>, "context" | "path" | "kept"> & { readonly filter: ReadonlyArray<ListFilter> }

/** Folded on a phone, where it would push the list out of sight. */
const Filter = ({ filter, kept = {}, path, context }: Narrowed) => {
  const count = filter.filter(isSet).length
  return (
    <details class="list-filter border-bottom">
      <summary class="card-body">
        <Icon name="filter" /> {context.say("list.filter")}
        {count === 0 ? null : <span class="badge bg-blue-lt ms-2">{context.formats.count(count)}</span>}
      </summary>
      <form method="get" action={path} class="card-body">
        {Object.entries(kept).map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
        <div class="row g-2 align-items-end">
          {filter.map((field) => <FilterField key={field.name} context={context} field={field} />)}
          <div class="col-12 col-sm-auto btn-list">
            <button class="btn" type="submit">{context.say("list.filter")}</button>
            {count === 0
              ? null
              : <a class="btn btn-ghost-secondary" href={hrefOf(path, kept)}>{context.say("list.clear")}</a>}
          </div>
        </div>
      </form>
    </details>
  )
}

/** The links below a list: to its beginning, and to what follows. */
function Pages<Item>(props: ListProps<Item> & { readonly query: Readonly<Record<string, string>> }) {
  const { cursor, hasMore = false, items, order = "newest", path, query, context } = props
  if (cursor === undefined) return null
  const last = hasMore ? items.at(-1) : undefined
  const isFirst = !context.query.has(cursor.name)
  if (isFirst && last === undefined) return null
  return (
    <div class="card-footer d-flex justify-content-between">
      {isFirst
        ? <span />
        : <a href={hrefOf(path, query)}>{context.say(order === "newest" ? "list.newest" : "list.first")}</a>}
      {last === undefined
        ? null
        : (
          <a href={hrefOf(path, { ...query, [cursor.name]: String(cursor.of(last)) })} rel="next">
            {context.say(order === "newest" ? "list.older" : "list.next")}
          </a>
        )}
    </div>
  )
}

export function List<Item>(props: ListProps<Item>) {
  const { caption, children, columns, empty, filter = [], items, kept = {}, none, path, context } = props
  const isNarrowed = filter.some(isSet)
  const isLater = props.cursor !== undefined && context.query.has(props.cursor.name)
  const isEmpty = items.length === 0 && !isNarrowed && !isLater
  const query = {
    ...kept,
    ...Object.fromEntries(filter.filter(isSet).map(({ name, value }) => [name, value ?? ""]))
  }
  return (
    <Card>
      {children}
      {isEmpty || filter.length === 0 ? null : <Filter context={context} path={path} kept={kept} filter={filter} />}
      {items.length > 0
        ? <ItemTable caption={caption} columns={columns} items={items} />
        : isEmpty || none === undefined
        ? <Nothing {...empty} />
        : <Nothing icon="filter" title={none} />}
      <Pages {...props} query={query} />
    </Card>
  )
}
