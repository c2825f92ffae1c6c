/**
 * The audit log: who changed what, from what to what, with a filter above.
 */
import { AUDIT_STREAM_ITEMS_MAX, type AuditItem } from "../../../../platform/AuditTrail.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Pager } from "../../ui/Pager.tsx"
import { Card, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { FilterDay, FilterText } from "../../ui/FilterParts.tsx"
import { auditPath, type AuditQuery } from "./AuditQuery.ts"
import { auditText } from "./AuditText.ts"

interface ItemProps {
  readonly visit: Visit
  readonly item: AuditItem
}

const Filter = ({ query: { isFiltered, typed }, visit }: { readonly visit: Visit; readonly query: AuditQuery }) => {
  const say = sayOf(visit, auditText)
  return (
    <form method="get" action="/admin/audit" class="card-body border-bottom row g-2 align-items-end m-0">
      <FilterText name="actor" label={say("actor")} value={typed.actor} />
      <FilterText name="action" label={say("action")} value={typed.action} />
      <FilterText name="target" label={say("target")} value={typed.target} />
      <FilterDay name="from" label={say("from")} value={typed.from} />
      <FilterDay name="to" label={say("to")} value={typed.to} />
      <div class="col-12 col-lg-auto btn-list">
        <button class="btn" type="submit">{say("filter")}</button>
        {isFiltered ? <a class="btn btn-ghost-secondary" href="/admin/audit">{say("clear")}</a> : null}
      </div>
    </form>
  )
}

const Who = ({ item: { actor, email }, visit }: ItemProps) => {
  const say = sayOf(visit, auditText)
  if (actor === "cli") return <>{say("cli")}</>
  const key = /^key:(\d+)$/.exec(actor)?.[1]
  return (
    <>
      <span class="break-anywhere">{email ?? actor}</span>
      {key === undefined ? null : <div class="text-secondary small">{say("key", { id: key })}</div>}
    </>
  )
}

/** The page of what was changed, where there is one. */
const pageOf = (target: string): string | undefined => {
  const [, what, id] = /^(user|order|payment):(\d+)$/.exec(target) ?? []
  return what === undefined ? undefined : `/admin/${what}s/${id}`
}

const Target = ({ item: { target }, visit }: ItemProps) => {
  const href = pageOf(target) ?? `/admin/audit?${new URLSearchParams({ target })}`
  const label = pageOf(target) === undefined ? sayOf(visit, auditText)("only", { target }) : undefined
  return <a class="break-anywhere text-decoration-underline" href={href} aria-label={label}>{target}</a>
}

/** A recorded value: amounts as money, texts as they are, everything else as JSON. */
const valueText = ({ formats }: Visit, field: string, value: unknown): string => {
  if (value === null) return "–"
  if (typeof value !== "string") return JSON.stringify(value)
  if (!/^-?\d+$/.test(value)) return value
  if (field.endsWith("_fen")) return formats.cny(BigInt(value))
  return field.endsWith("_micros") && !field.includes("multiplier") ? formats.usd(BigInt(value)) : value
}

/** Field by field, what it was and what it is. */
const Diff = ({ item: { after, before }, visit }: ItemProps) => {
  const say = sayOf(visit, auditText)
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  return (
    <ul class="list-unstyled mb-0 mt-1 small">
      {fields.map((field) => (
        <li key={field} class="break-anywhere">
          <span class="text-secondary">{field}:</span>
          {before !== null && field in before
            ? (
              <>
                {" "}
                <span class="visually-hidden">{say("was")}</span>
                <del class="text-secondary">{valueText(visit, field, before[field])}</del>
              </>
            )
            : null}
          {after !== null && field in after
            ? (
              <>
                {before !== null && field in before ? " → " : " "}
                <span class="visually-hidden">{say("is")}</span>
                <ins class="text-decoration-none">{valueText(visit, field, after[field])}</ins>
              </>
            )
            : null}
        </li>
      ))}
    </ul>
  )
}

const AuditTable = ({ items, visit }: { readonly visit: Visit; readonly items: ReadonlyArray<AuditItem> }) => {
  const say = sayOf(visit, auditText)
  return (
    <DataTable
      caption={say("title")}
      columns={[{ title: say("when") }, { title: say("change") }, { title: say("address"), wide: true }]}
      rows={items.map((item) => [
        <>
          <div class="text-secondary small">
            <Moment visit={visit} at={item.at} />
          </div>
          <Who visit={visit} item={item} />
        </>,
        <>
          <code class="break-anywhere">{item.action}</code> <Target visit={visit} item={item} />
          <Diff visit={visit} item={item} />
        </>,
        <span class="break-anywhere">{item.address}</span>
      ])}
    />
  )
}

export const AuditView = (
  { hasOlder, items, query, visit }: {
    readonly visit: Visit
    readonly query: AuditQuery
    readonly items: ReadonlyArray<AuditItem>
    readonly hasOlder: boolean
  }
) => {
  const say = sayOf(visit, auditText)
  const last = items.at(-1)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <a class="btn" href={auditPath("/admin/audit/changes.csv", query)} download>{say("export")}</a>
      </PageHeading>
      {query.isRefused ? <Notice kind="warning">{say("range.problem")}</Notice> : null}
      <Card>
        <Filter visit={visit} query={query} />
        {items.length === 0
          ? <Nothing icon="clock" title={say(query.isFiltered ? "none.filtered" : "none")} />
          : <AuditTable visit={visit} items={items} />}
        <Pager
          newest={visit.query.has("before")
            ? { href: auditPath("/admin/audit", query), text: say("newest") }
            : undefined}
          older={hasOlder && last !== undefined
            ? { href: auditPath("/admin/audit", query, { before: last.id.toString() }), text: say("older") }
            : undefined}
        />
      </Card>
      <p class="text-secondary small mt-2">
        {say("export.hint", { count: visit.formats.count(AUDIT_STREAM_ITEMS_MAX) })}
      </p>
    </>
  )
}
