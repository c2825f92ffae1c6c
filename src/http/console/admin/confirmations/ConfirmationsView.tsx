/**
 * Requests that wait for a second person, or all of them.
 */
import type { Confirmation } from "../../../../confirmations/Confirmations.ts"
import { List } from "../../kit/List.tsx"
import { Tabs } from "../../kit/Tabs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Moment, PageHeading } from "../../ui/Parts.tsx"
import { actionName, StateBadge, worthText } from "./ConfirmationParts.tsx"

interface ListProps {
  readonly context: PageContext
  readonly isAll: boolean
  readonly found: ReadonlyArray<Confirmation>
  readonly hasOlder: boolean
}

export const ConfirmationsView = ({ found, hasOlder, isAll, context }: ListProps) => {
  const say = sayOf(context, "confirmations")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <List
        context={context}
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
              <a href={`/admin/confirmations/${one.id}`}>#{one.id.toString()} {actionName(context, one.action)}</a>
            )
          },
          { title: say("worth"), number: true, cell: (one) => <span class="nowrap">{worthText(context, one)}</span> },
          { title: say("state"), cell: ({ state }) => <StateBadge context={context} state={state} /> },
          {
            title: say("requested.by"),
            wide: true,
            cell: ({ requester }) => <span class="break-anywhere">{requester}</span>
          },
          {
            title: say("requested"),
            wide: true,
            cell: ({ requestedAt }) => (
              <span class="nowrap">
                <Moment context={context} at={requestedAt} />
              </span>
            )
          }
        ]}
      >
        <Tabs
          tabs={[
            { href: "/admin/confirmations", text: say("waiting"), isShown: !isAll },
            { href: "/admin/confirmations?view=all", text: say("tab.all"), isShown: isAll }
          ]}
        />
      </List>
    </>
  )
}
