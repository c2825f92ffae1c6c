/**
 * Requests that wait for a second person, or all of them.
 */
import type { Confirmation } from "../../../../confirmations/Confirmations.ts"
import type { Page } from "../../Answer.ts"
import { amountColumn, byId, type Listed, listPage, timeColumn } from "../../kit/List.tsx"
import { StateBadge, Tabs } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { requestName, states, worthText } from "./ConfirmationParts.tsx"

export const confirmationsPage = (context: PageContext, isAll: boolean, found: Listed<Confirmation>): Page => {
  const say = sayOf(context, "confirmations")
  return listPage<Confirmation>({
    context,
    path: "/admin/confirmations",
    title: say("title"),
    lead: say("lead"),
    kept: isAll ? { view: "all" } : {},
    ...found,
    cursor: byId,
    columns: [
      {
        title: say("request"),
        cell: (one) => <a href={`/admin/confirmations/${one.id}`}>{requestName(context, one)}</a>
      },
      amountColumn(say("worth"), (one) => worthText(context, one)),
      { title: say("state"), cell: ({ state }) => <StateBadge say={say} states={states} state={state} /> },
      {
        title: say("requested.by"),
        wide: true,
        cell: ({ requester }) => <span class="break-anywhere">{requester}</span>
      },
      timeColumn(context, say("requested"), ({ requestedAt }) => requestedAt)
    ],
    empty: { icon: "check", title: isAll ? say("none") : say("none.waiting") },
    children: (
      <Tabs
        tabs={[
          { href: "/admin/confirmations", text: say("waiting"), isShown: !isAll },
          { href: "/admin/confirmations?view=all", text: say("tab.all"), isShown: isAll }
        ]}
      />
    )
  })
}
