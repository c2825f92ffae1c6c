/**
 * Requests that wait for a second person, or all of them.
 */
import type { Confirmation } from "../../../../confirmations/Confirmations.ts"
import { List } from "../../kit/List.tsx"
import { Tabs } from "../../kit/Tabs.tsx"
import { Moment, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { actionName, StateBadge, worthText } from "./ConfirmationParts.tsx"
import { confirmationsText } from "./ConfirmationsText.ts"

interface ListProps {
  readonly visit: Visit
  readonly isAll: boolean
  readonly found: ReadonlyArray<Confirmation>
  readonly hasOlder: boolean
}

export const ConfirmationsView = ({ found, hasOlder, isAll, visit }: ListProps) => {
  const say = sayOf(visit, confirmationsText)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <List
        visit={visit}
        path="/admin/confirmations"
        kept={isAll ? { view: "all" } : {}}
        caption={say("title")}
        items={found}
        hasMore={hasOlder}
        cursor={{ name: "before", of: ({ id }) => id }}
        empty={{ icon: "check", title: isAll ? say("none") : say("none.waiting") }}
        columns={[
          {
            title: say("request"),
            cell: (one) => (
              <a href={`/admin/confirmations/${one.id}`}>#{one.id.toString()} {actionName(visit, one.action)}</a>
            )
          },
          { title: say("worth"), number: true, cell: (one) => <span class="nowrap">{worthText(visit, one)}</span> },
          { title: say("state"), cell: ({ state }) => <StateBadge visit={visit} state={state} /> },
          {
            title: say("requested.by"),
            wide: true,
            cell: ({ requester }) => <span class="break-anywhere">{requester}</span>
          },
          {
            title: say("requested.at"),
            wide: true,
            cell: ({ requestedAt }) => (
              <span class="nowrap">
                <Moment visit={visit} at={requestedAt} />
              </span>
            )
          }
        ]}
      >
        <Tabs
          tabs={[
            { href: "/admin/confirmations", text: say("tab.waiting"), isShown: !isAll },
            { href: "/admin/confirmations?view=all", text: say("tab.all"), isShown: isAll }
          ]}
        />
      </List>
    </>
  )
}
