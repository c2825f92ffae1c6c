/**
 * The audit log: who changed what, from what to what, with a filter above.
 */
import { AUDIT_STREAM_ITEMS_MAX, type AuditItem } from "../../../../platform/AuditTrail.ts"
import { byId, List, type Listed } from "../../kit/List.tsx"
import { Moment, Notice, PageHeading } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { pageOf, valueText } from "./AuditItemText.ts"
import { auditCsvPath, type AuditQuery } from "./AuditQuery.ts"

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

interface AuditProps extends Listed<AuditItem> {
  readonly context: PageContext
  readonly query: AuditQuery
}

export const AuditView = ({ query, context, ...listed }: AuditProps) => {
  const say = sayOf(context, "audit")
  const { isRefused, typed } = query
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <a class="btn" href={auditCsvPath(query)} download>{say("export")}</a>
      </PageHeading>
      {isRefused ? <Notice kind="warning">{say("range.problem")}</Notice> : null}
      <List
        context={context}
        path="/admin/audit"
        caption={say("title")}
        {...listed}
        cursor={byId}
        filter={[
          { is: "text", name: "actor", label: say("actor"), value: typed.actor },
          { is: "text", name: "action", label: say("action"), value: typed.action },
          { is: "text", name: "target", label: say("target"), value: typed.target },
          { is: "day", name: "from", label: say("from"), value: typed.from ?? "" },
          { is: "day", name: "to", label: say("to"), value: typed.to ?? "" }
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
