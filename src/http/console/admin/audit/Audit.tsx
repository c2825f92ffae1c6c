/**
 * `/admin/audit`: the audit log, page by page and as a file. Who changed what, from what to what.
 */
import { Effect } from "effect"
import { auditColumns } from "../../../../platform/AuditCsv.ts"
import { AUDIT_STREAM_ITEMS_MAX, type AuditItem, AuditTrail } from "../../../../platform/AuditTrail.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { csvAnswer, inTurns } from "../../Csv.ts"
import { byId, type ItemColumn, readListPage, textColumn } from "../../kit/List.tsx"
import { Moment, Small } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { searchText } from "../../Params.ts"
import { dayFilters, daysWarning, readDays } from "../FilterDays.ts"
import { actionText, changedFields, targetText } from "./AuditWords.tsx"

const pages: Readonly<Record<string, string>> = {
  user: "users",
  order: "orders",
  payment: "payments",
  plan: "plans",
  group: "groups",
  channel: "channels",
  confirmation: "confirmations",
  announcement: "announcements",
  redemption_batch: "codes"
}

/** The page of what was changed, where there is one. */
export const pageOf = (target: string): string | undefined => {
  const [, what = "", id] = /^([a-z_]+):(\d+)$/.exec(target) ?? []
  return Object.hasOwn(pages, what) ? `/admin/${pages[what]}/${id}` : undefined
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
  const text = targetText(context, target)
  if (text === undefined) return null
  const page = pageOf(target)
  const href = page ?? `/admin/audit?${new URLSearchParams({ target })}`
  const label = page === undefined ? sayOf(context, "audit")("only", { target: text }) : undefined
  return <a class="break-anywhere text-decoration-underline" href={href} aria-label={label}>{text}</a>
}

/** What it was beside what it is now, field by field. */
const Diff = ({ item, context }: ItemProps) => {
  const say = sayOf(context, "audit")
  return (
    <div class="mt-2 small">
      {changedFields(context, item).map(({ field, is, label, was }) => (
        <div key={field} class="row g-1 mb-1 break-anywhere">
          <div class="col-12 col-md-4 text-secondary">{label}</div>
          {was === undefined ? null : (
            <div class="col-6 col-md-4">
              <span class="visually-hidden">{say("was")}</span>
              <del class="text-secondary">{was}</del>
            </div>
          )}
          {is === undefined ? null : (
            <div class={was === undefined ? "col-12 col-md-8" : "col-6 col-md-4"}>
              <span class="visually-hidden">{say("is")}</span>
              <ins class="text-decoration-none">{is}</ins>
            </div>
          )}
        </div>
      ))}
    </div>
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
          <strong>{actionText(context, item.action)}</strong> <Target context={context} item={item} />
          <Small>
            <code>{item.action}</code>
          </Small>
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
  const typed = Object.entries({ ...texts, from: days.from, to: days.to })
  const query = new URLSearchParams(typed.flatMap(([name, value = ""]) => value === "" ? [] : [[name, value]]))
  const hint = say("export.hint", { count: AUDIT_STREAM_ITEMS_MAX })
  return yield* readListPage({
    context,
    read: (range) => trail.page(filter, range),
    path: "/admin/audit",
    title: say("title"),
    lead: `${say("lead")} ${hint}`,
    actions: <a class="btn" href={`/admin/audit/changes.csv?${query}`} download>{say("export")}</a>,
    warning: daysWarning(context, days),
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
  const rows = (yield* AuditTrail).rows(readFilter(context).filter)
  return csvAnswer("realms-audit.csv", auditColumns, yield* inTurns(context.user.id, rows))
})

export const AuditRoutes = routes(adminPage("/admin/audit", list), adminPage("/admin/audit/changes.csv", csv))
