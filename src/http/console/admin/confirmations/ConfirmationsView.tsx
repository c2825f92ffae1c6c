/**
 * Requests that wait for a second person, or all of them.
 */
import type { Confirmation } from "../../../../confirmations/Confirmations.ts"
import { Pager } from "../../ui/Pager.tsx"
import { Card, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { actionName, StateBadge, worthText } from "./ConfirmationParts.tsx"
import { confirmationsText } from "./ConfirmationsText.ts"

interface ListProps {
  readonly visit: Visit
  readonly isAll: boolean
  readonly found: ReadonlyArray<Confirmation>
  readonly hasOlder: boolean
}

const Tabs = ({ isAll, visit }: ListProps) => {
  const say = sayOf(visit, confirmationsText)
  const link = (active: boolean) => ({
    class: `nav-link ${active ? "active" : ""}`,
    "aria-current": active ? "page" as const : undefined
  })
  return (
    <div class="card-header">
      <ul class="nav nav-tabs card-header-tabs">
        <li class="nav-item">
          <a href="/admin/confirmations" {...link(!isAll)}>{say("tab.waiting")}</a>
        </li>
        <li class="nav-item">
          <a href="/admin/confirmations?view=all" {...link(isAll)}>{say("tab.all")}</a>
        </li>
      </ul>
    </div>
  )
}

export const ConfirmationsView = (props: ListProps) => {
  const { found, hasOlder, isAll, visit } = props
  const say = sayOf(visit, confirmationsText)
  const path = `/admin/confirmations?${isAll ? "view=all&" : ""}`
  const last = found.at(-1)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <Card>
        <Tabs {...props} />
        {found.length === 0
          ? <Nothing icon="check" title={isAll ? say("none") : say("none.waiting")} />
          : (
            <DataTable
              caption={say("title")}
              columns={[
                { title: say("request") },
                { title: say("worth"), number: true },
                { title: say("state") },
                { title: say("requested.by"), wide: true },
                { title: say("requested.at"), wide: true }
              ]}
              rows={found.map((one) => [
                <a href={`/admin/confirmations/${one.id}`}>#{one.id.toString()} {actionName(visit, one.action)}</a>,
                <span class="nowrap">{worthText(visit, one)}</span>,
                <StateBadge visit={visit} state={one.state} />,
                <span class="break-anywhere">{one.requester}</span>,
                <span class="nowrap">
                  <Moment visit={visit} at={one.requestedAt} />
                </span>
              ])}
            />
          )}
        <Pager
          newest={visit.query.has("before") ? { href: path, text: say("newest") } : undefined}
          older={hasOlder && last !== undefined ? { href: `${path}before=${last.id}`, text: say("older") } : undefined}
        />
      </Card>
    </>
  )
}
