/**
 * Tables and lists that are shown page by page: columns, what a list is narrowed by, what is said where there is nothing, and the links
 * to its beginning and the next page. All of it is part of the address, so that a result can be bookmarked and shared.
 */
import { Effect } from "effect"
import type { ComponentChildren, ComponentProps } from "preact"
import type { Page } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { idOf, oneOf } from "../Params.ts"
import { headedPage, Hidden } from "./Forms.tsx"
import { Icon } from "./Icon.tsx"
import { Card, type Done, Moment, Nothing, Notice } from "./Parts.tsx"

export interface ItemColumn<Item> {
  readonly title: string
  /** Numbers are set to the right. */
  readonly number?: boolean
  /** Left out on narrow screens. */
  readonly wide?: boolean
  readonly cell: (item: Item) => ComponentChildren
}

const cellClass = ({ number, wide }: Pick<ItemColumn<never>, "number" | "wide">): string =>
  `${number === true ? "text-end" : ""} ${wide === true ? "d-none d-md-table-cell" : ""}`

interface ItemTableProps<Item> {
  readonly caption: string
  readonly columns: ReadonlyArray<ItemColumn<Item>>
  readonly items: ReadonlyArray<Item>
}

/** A table with a name for those who cannot see where it stands; scrolls sideways rather than widening the page. */
export function ItemTable<Item>({ caption, columns, items }: ItemTableProps<Item>) {
  return (
    <div class="table-responsive" tabIndex={0} role="region" aria-label={caption}>
      <table class="table table-vcenter card-table">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => <th key={column.title} scope="col" class={cellClass(column)}>{column.title}</th>)}
          </tr>
        </thead>
        <tbody>
          {items.map((item, at) => (
            <tr key={at}>
              {columns.map((column) => <td key={column.title} class={cellClass(column)}>{column.cell(item)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface TableCardProps<Item> extends Omit<ItemTableProps<Item>, "caption"> {
  readonly title: string
  readonly actions?: ComponentChildren
  /** By default there is room below. */
  readonly class?: string
  /** Said where there is nothing; absent: then the card is left out. */
  readonly empty?: ComponentProps<typeof Nothing>
  /** Below the table. */
  readonly children?: ComponentChildren
}

/** A card with a table of everything that there is. */
export function TableCard<Item>(
  { children, class: className = "mb-3", columns, empty, items, title, ...card }: TableCardProps<Item>
) {
  if (items.length === 0 && empty === undefined) return null
  return (
    <Card title={title} class={className} {...card}>
      {items.length === 0 && empty !== undefined ? <Nothing {...empty} /> : (
        <>
          <ItemTable caption={title} columns={columns} items={items} />
          {children}
        </>
      )}
    </Card>
  )
}

/** Numbers with their unit, which stay on one line. */
export function amountColumn<Item>(title: string, amountOf: (item: Item) => ComponentChildren): ItemColumn<Item> {
  return { title, number: true, cell: (item) => <span class="nowrap">{amountOf(item)}</span> }
}

export function textColumn<Item>(
  title: string,
  textOf: (item: Item) => ComponentChildren,
  look: Pick<ItemColumn<never>, "number" | "wide"> = {}
): ItemColumn<Item> {
  return { title, ...look, cell: (item) => <span class="break-anywhere">{textOf(item)}</span> }
}

/** When something was; `never` says that it was not. Left out on narrow screens. */
function momentColumn<Item>(
  title: string,
  atOf: (item: Item) => Date | null,
  never: ComponentChildren,
  show: (at: Date) => ComponentChildren
): ItemColumn<Item> {
  const cell = (item: Item) => {
    const at = atOf(item)
    return at === null ? never : <span class="nowrap">{show(at)}</span>
  }
  return { title, wide: true, cell }
}

export function timeColumn<Item>(
  context: PageContext,
  title: string,
  atOf: (item: Item) => Date | null,
  never: ComponentChildren = "–"
): ItemColumn<Item> {
  return momentColumn(title, atOf, never, (at) => <Moment context={context} at={at} />)
}

/** A day; its title says the time. */
export function dayColumn<Item>(
  { formats: { date, time } }: PageContext,
  title: string,
  atOf: (item: Item) => Date | null,
  never: ComponentChildren = "–"
): ItemColumn<Item> {
  return momentColumn(title, atOf, never, (at) => <time dateTime={at.toISOString()} title={time(at)}>{date(at)}</time>)
}

export const Pager = (
  { newest, older }: {
    /** Undefined: this is the first page, or the last one. */
    readonly newest: { readonly href: string; readonly text: string } | undefined
    readonly older: { readonly href: string; readonly text: string } | undefined
  }
) =>
  newest === undefined && older === undefined ? null : (
    <div class="card-footer d-flex justify-content-between">
      {newest === undefined ? <span /> : <a href={newest.href}>{newest.text}</a>}
      {older === undefined ? null : <a href={older.href} rel="next">{older.text}</a>}
    </div>
  )

export interface Listed<Item> {
  readonly items: ReadonlyArray<Item>
  readonly hasMore: boolean
}

interface Range {
  readonly limit: number
  readonly before: bigint | undefined
}

/** The items of a page of this size, out of those and one more. */
export function listedOf<Item>(found: ReadonlyArray<Item>, size: number): Listed<Item> {
  return { items: found.slice(0, size), hasMore: found.length > size }
}

/** The cursor of a list that goes on before the id of its last item. */
export const byId = { name: "before", of: ({ id }: { readonly id: bigint }) => id }

/** Reads the page that the address asks for, and one item more to know whether more follow. An answer to a form shows the first. */
export function readListed<Item, E, R>(
  { isForm, query }: PageContext,
  { name = byId.name, size }: { readonly size: number; readonly name?: string },
  read: (range: Range) => Effect.Effect<ReadonlyArray<Item>, E, R>
): Effect.Effect<Listed<Item>, E, R> {
  const range = { limit: size + 1, before: isForm ? undefined : idOf(query.get(name)) }
  return Effect.map(read(range), (found) => listedOf(found, size))
}

/** What a list is narrowed by. The value is empty, or nothing is chosen, where it is not. */
export type ListFilter =
  | {
    /** A text that ids or names contain. */
    readonly is: "text"
    readonly name: string
    readonly label: string
    readonly value: string | undefined
    readonly hint?: string
  }
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
  readonly empty: ComponentProps<typeof Nothing>
  /** Said where the filter finds nothing; absent: as where there is nothing. */
  readonly none?: string
  readonly order?: "newest" | "first"
  /** Above the filter. */
  readonly children?: ComponentChildren
  /** Around the table, such as the form that its ticks are in. */
  readonly around?: (table: ComponentChildren) => ComponentChildren
}

/** A choice of one of these texts, which are shown as they are. */
export const plainChoice = (
  field: Readonly<Record<"name" | "label", string>>,
  value: string | undefined,
  options: ReadonlyArray<string>
): ListFilter => ({ is: "choice", ...field, value, options: options.map((option) => [option, option]) })

/** Which rows are asked for: those that are enabled, those that are not, or all. */
export const enabledIn = ({ query }: PageContext) => oneOf(["enabled", "disabled"], query.get("state"))

export const enabledFilter = (
  context: PageContext,
  say: (key: "state" | "state.all" | "state.enabled" | "state.disabled") => string
): ListFilter => ({
  is: "choice",
  name: "state",
  label: say("state"),
  all: say("state.all"),
  value: enabledIn(context),
  options: [["enabled", say("state.enabled")], ["disabled", say("state.disabled")]]
})

const isSet = ({ value }: ListFilter): boolean => value !== undefined && value !== ""

const FilterField = ({ field, context }: { readonly context: PageContext; readonly field: ListFilter }) => {
  const { label, name, value = "" } = field
  const common = { id: `filter-${name}`, name }
  const width = { text: "col-12 col-sm", day: "col-6 col-sm-auto", choice: "col-12 col-sm filter-choice" }[field.is]
  return (
    <div class={width}>
      <label class="form-label" for={common.id}>{label}</label>
      {field.is === "choice"
        ? (
          <select class="form-select" {...common}>
            <option value="">{field.all ?? context.say("list.all")}</option>
            {field.options.map(([option, text]) => (
              <option key={option} value={option} selected={option === value}>{text}</option>
            ))}
          </select>
        )
        : field.is === "day"
        ? <input class="form-control" type="date" {...common} value={value} />
        : (
          <input
            class="form-control"
            type="search"
            {...common}
            value={value}
            placeholder={field.hint}
            autocomplete="off"
          />
        )}
    </div>
  )
}

const hrefOf = (path: string, query: Readonly<Record<string, string>>): string => {
  const text = new URLSearchParams(query).toString()
  return text === "" ? path : `${path}?${text}`
}

type FilterProps = Pick<ListProps<never>, "context" | "path" | "kept"> & {
  readonly filter: ReadonlyArray<ListFilter>
  /** Where the page opens, such as `#calls`. */
  readonly at?: string
}

/** Folded on a phone, where it would push the list out of sight. */
export const Filter = ({ at = "", filter, kept = {}, path, context }: FilterProps) => {
  const count = filter.filter(isSet).length
  return (
    <details class="list-filter border-bottom">
      <summary class="card-body">
        <Icon name="filter" /> {context.say("list.filter")}
        {count === 0 ? null : <span class="badge bg-blue-lt ms-2">{context.formats.count(count)}</span>}
      </summary>
      <form method="get" action={path + at} class="card-body">
        <Hidden fields={kept} />
        <div class="row g-2 align-items-end">
          {filter.map((field) => <FilterField key={field.name} context={context} field={field} />)}
          <div class="col-12 col-sm-auto btn-list">
            <button class="btn" type="submit">{context.say("list.filter")}</button>
            {count === 0
              ? null
              : <a class="btn btn-ghost-secondary" href={hrefOf(path, kept) + at}>{context.say("list.clear")}</a>}
          </div>
        </div>
      </form>
    </details>
  )
}

function Pages<Item>(props: ListProps<Item> & { readonly query: Readonly<Record<string, string>> }) {
  const { cursor, hasMore = false, items, order = "newest", path, query, context: { query: asked, say } } = props
  if (cursor === undefined) return null
  const last = hasMore ? items.at(-1) : undefined
  const [first, next] = order === "newest"
    ? [say("list.newest"), say("list.older")]
    : [say("list.first"), say("list.next")]
  const lastHref = last && hrefOf(path, { ...query, [cursor.name]: String(cursor.of(last)) })
  return (
    <Pager
      newest={asked.has(cursor.name) ? { href: hrefOf(path, query), text: first } : undefined}
      older={lastHref === undefined ? undefined : { href: lastHref, text: next }}
    />
  )
}

export function List<Item>(props: ListProps<Item>) {
  const { empty, filter = [], items, kept = {}, none, path, context } = props
  const isNarrowed = filter.some(isSet)
  const isLater = props.cursor !== undefined && context.query.has(props.cursor.name)
  const isEmpty = items.length === 0 && !isNarrowed && !isLater
  const query = {
    ...kept,
    ...Object.fromEntries(filter.filter(isSet).map(({ name, value }) => [name, value ?? ""]))
  }
  const table = <ItemTable caption={props.caption} columns={props.columns} items={items} />
  return (
    <Card>
      {props.children}
      {isEmpty || filter.length === 0 ? null : <Filter context={context} path={path} kept={kept} filter={filter} />}
      {items.length > 0
        ? props.around?.(table) ?? table
        : <Nothing {...isEmpty || none === undefined ? empty : { icon: "filter", title: none }} />}
      <Pages {...props} query={query} />
    </Card>
  )
}

export interface ListPageProps<Item> extends Omit<ListProps<Item>, "caption"> {
  readonly title: string
  readonly lead?: string
  readonly actions?: ComponentChildren
  readonly done?: ComponentProps<typeof Done>["texts"]
  readonly warning?: string | undefined
  /** Between the heading and the list. */
  readonly above?: ComponentChildren
}

export function listPage<Item>(
  { above, actions, done = {}, lead, title, warning, ...list }: ListPageProps<Item>
): Page {
  return headedPage({
    context: list.context,
    title,
    lead,
    actions,
    done,
    children: (
      <>
        {warning === undefined ? null : <Notice kind="warning">{warning}</Notice>}
        {above}
        <List caption={title} {...list} />
      </>
    )
  })
}

/** Items on one page, where a list does not say otherwise. */
const PAGE_SIZE = 50

interface ReadListPageProps<Item, E, R> extends Omit<ListPageProps<Item>, "items" | "hasMore"> {
  readonly size?: number
  readonly read: (range: Range) => Effect.Effect<ReadonlyArray<Item>, E, R>
}

/** The page of a list that begins where the address says. */
export function readListPage<Item, E, R>(
  { read, size = PAGE_SIZE, ...list }: ReadListPageProps<Item, E, R>
): Effect.Effect<Page, E, R> {
  return Effect.map(readListed(list.context, { size }, read), (found) => listPage({ ...list, ...found }))
}
