/**
 * `/admin/audit`: the audit log, page by page and as a file. Who changed what, from what to what.
 */
import { Effect } from "effect"
import { auditColumns } from "../../../../platform/AuditCsv.ts"
import { AUDIT_STREAM_ITEMS_MAX, type AuditItem, AuditTrail } from "../../../../platform/AuditTrail.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { byId, type ItemColumn, listPage, readListed, textColumn } from "../../kit/List.tsx"
import { Moment, Small } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { searchText } from "../../Params.ts"
import { dayFilters, daysWarning, readDays } from "../FilterDays.ts"

const PAGE_SIZE = 50

/** The page of what was changed, where there is one. */
export const pageOf = (target: string): string | undefined => {
  const [, what, id] = /^(user|order|payment|announcement):(\d+)$/.exec(target) ?? []
  return what === undefined ? undefined : `/admin/${what}s/${id}`
}

/** A recorded value: amounts as money, texts as they are, everything else as JSON. */
export const valueText = ({ formats }: Pick<PageContext, "formats">, field: string, value: unknown): string => {
  if (value === null) return "–"
  if (typeof value !== "string") return JSON.stringify(value)
  if (!/^-?\d+$/.test(value)) return value
  if (field.endsWith("_fen")) return formats.cny(BigInt(value))
  return field.endsWith("_micros") && !field.includes("multiplier") ? formats.usd(BigInt(value)) : value
}

interface ItemProps {
  readonly context: PageContext
  readonly item: AuditItem
}

const Who = ({ item: { actor, email }, context }: ItemProps) => {
  const say = sayOf(context, "audit")
  if (actor === "cli") return <>{say("cli")}</>
  const key = /^key:(\d+)$/.exec(actor)?.[1]
  return (
    <>
      <span class="break-anywhere">{email ?? actor}</span>
      <Small>{key === undefined ? undefined : say("key", { id: key })}</Small>
    </>
  )
}

const Target = ({ item: { target }, context }: ItemProps) => {
  const page = pageOf(target)
  const href = page ?? `/admin/audit?${new URLSearchParams({ target })}`
  const label = page === undefined ? sayOf(context, "audit")("only", { target }) : undefined
  return <a class="break-anywhere text-decoration-underline" href={href} aria-label={label}>{target}</a>
}

/** Field by field, what it was and what it is. */
const Diff = ({ item: { after, before }, context }: ItemProps) => {
  const say = sayOf(context, "audit")
  const was = before ?? {}
  const is = after ?? {}
  return (
    <ul class="list-unstyled mb-0 mt-1 small">
      {Object.keys({ ...was, ...is }).map((field) => (
        <li key={field} class="break-anywhere">
          <span class="text-secondary">{field}:</span> {!(field in was) ? null : (
            <>
              <span class="visually-hidden">{say("was")}</span>
              <del class="text-secondary">{valueText(context, field, was[field])}</del>
            </>
          )}
          {field in was && field in is ? " → " : null}
          {!(field in is) ? null : (
            <>
              <span class="visually-hidden">{say("is")}</span>
              <ins class="text-decoration-none">{valueText(context, field, is[field])}</ins>
            </>
          )}
        </li>
      ))}
    </ul>
  )
}

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<AuditItem>> => {
  const say = sayOf(context, "audit")
  return [
    {
      title: say("when"),
      cell: (item) => (
        <>
          <Small>
            <Moment context={context} at={item.at} />
          </Small>
          <Who context={context} item={item} />
        </>
      )
    },
    {
      title: say("change"),
      cell: (item) => (
        <>
          <code class="break-anywhere">{item.action}</code> <Target context={context} item={item} />
          <Diff context={context} item={item} />
        </>
      )
    },
    textColumn(say("address"), ({ address }) => address, { wide: true })
  ]
}

/** What an address asks for: by whom, what action, of what, in which days of the visitor's own zone. */
const readFilter = (context: PageContext) => {
  const days = readDays(context)
  const textOf = (name: string) => searchText(context.query, name)
  const texts = { actor: textOf("actor"), action: textOf("action"), target: textOf("target") }
  return { days, texts, filter: { ...texts, fromMs: days.fromMs, toMs: days.toMs } }
}

const list = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "audit")
  const { days, filter, texts } = readFilter(context)
  const trail = yield* AuditTrail
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => trail.page(filter, range))
  const typed = Object.entries({ ...texts, from: days.from, to: days.to })
  const query = new URLSearchParams(typed.flatMap(([name, value = ""]) => value === "" ? [] : [[name, value]]))
  const hint = say("export.hint", { count: AUDIT_STREAM_ITEMS_MAX })
  return listPage({
    context,
    path: "/admin/audit",
    title: say("title"),
    lead: `${say("lead")} ${hint}`,
    actions: <a class="btn" href={`/admin/audit/changes.csv?${query}`} download>{say("export")}</a>,
    warning: daysWarning(context, days),
    ...found,
    cursor: byId,
    filter: [
      { is: "text", name: "actor", label: say("actor"), value: texts.actor },
      { is: "text", name: "action", label: say("action"), value: texts.action },
      { is: "text", name: "target", label: say("target"), value: texts.target },
      ...dayFilters(context, days)
    ],
    empty: { icon: "clock", title: say("none") },
    none: say("none.filtered"),
    columns: columnsOf(context)
  })
})

const csv = Effect.fnUntraced(function*(context: UserContext) {
  return csvAnswer("realms-audit.csv", auditColumns, (yield* AuditTrail).rows(readFilter(context).filter))
})

export const AuditRoutes = routes(adminPage("/admin/audit", list), adminPage("/admin/audit/changes.csv", csv))
