/**
 * The audit log: who changed what, from what to what, with a filter above.
 */
import { AUDIT_STREAM_ITEMS_MAX, type AuditItem } from "../../../../platform/AuditTrail.ts"
import { List } from "../../kit/List.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Moment, PageHeading } from "../../ui/Parts.tsx"
import { auditPath, type AuditQuery } from "./AuditQuery.ts"

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
      {key === undefined ? null : <div class="text-secondary small">{say("key", { id: key })}</div>}
    </>
  )
}

/** The page of what was changed, where there is one. */
const pageOf = (target: string): string | undefined => {
  const [, what, id] = /^(user|order|payment):(\d+)$/.exec(target) ?? []
  return what === undefined ? undefined : `/admin/${what}s/${id}`
}

const Target = ({ item: { target }, context }: ItemProps) => {
  const href = pageOf(target) ?? `/admin/audit?${new URLSearchParams({ target })}`
  const label = pageOf(target) === undefined ? sayOf(context, "audit")("only", { target }) : undefined
  return <a class="break-anywhere text-decoration-underline" href={href} aria-label={label}>{target}</a>
}

/** A recorded value: amounts as money, texts as they are, everything else as JSON. */
const valueText = ({ formats }: PageContext, field: string, value: unknown): string => {
  if (value === null) return "–"
  if (typeof value !== "string") return JSON.stringify(value)
  if (!/^-?\d+$/.test(value)) return value
  if (field.endsWith("_fen")) return formats.cny(BigInt(value))
  return field.endsWith("_micros") && !field.includes("multiplier") ? formats.usd(BigInt(value)) : value
}

/** Field by field, what it was and what it is. */
const Diff = ({ item: { after, before }, context }: ItemProps) => {
  const say = sayOf(context, "audit")
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
                <del class="text-secondary">{valueText(context, field, before[field])}</del>
              </>
            )
            : null}
          {after !== null && field in after
            ? (
              <>
                {before !== null && field in before ? " → " : " "}
                <span class="visually-hidden">{say("is")}</span>
                <ins class="text-decoration-none">{valueText(context, field, after[field])}</ins>
              </>
            )
            : null}
        </li>
      ))}
    </ul>
  )
}

export const AuditView = (
  { hasOlder, items, query, context }: {
    readonly context: PageContext
    readonly query: AuditQuery
    readonly items: ReadonlyArray<AuditItem>
    readonly hasOlder: boolean
  }
) => {
  const say = sayOf(context, "audit")
  const { isRefused, typed } = query
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <a class="btn" href={auditPath("/admin/audit/changes.csv", query)} download>{say("export")}</a>
      </PageHeading>
      {isRefused ? <Notice kind="warning">{say("range.problem")}</Notice> : null}
      <List
        context={context}
        path="/admin/audit"
        caption={say("title")}
        items={items}
        hasMore={hasOlder}
        cursor={{ name: "before", of: ({ id }) => id }}
        filter={[
          { is: "text", name: "actor", label: say("actor"), value: typed.actor },
          { is: "text", name: "action", label: say("action"), value: typed.action },
          { is: "text", name: "target", label: say("target"), value: typed.target },
          { is: "day", name: "from", label: say("from"), value: typed.from },
          { is: "day", name: "to", label: say("to"), value: typed.to }
        ]}
        empty={{ icon: "clock", title: say("none") }}
        none={say("none.filtered")}
        columns={[
          {
            title: say("when"),
            cell: (item) => (
              <>
                <div class="text-secondary small">
                  <Moment context={context} at={item.at} />
                </div>
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
          {
            title: say("address"),
            wide: true,
            cell: ({ address }) => <span class="break-anywhere">{address}</span>
          }
        ]}
      />
      <p class="text-secondary small mt-2">
        {say("export.hint", { count: context.formats.count(AUDIT_STREAM_ITEMS_MAX) })}
      </p>
    </>
  )
}
