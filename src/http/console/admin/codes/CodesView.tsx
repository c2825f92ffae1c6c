/**
 * The list of batches of redemption codes, for root alone.
 */
import { codeStates, type RedemptionBatch } from "../../../../redemption/RedemptionBatch.ts"
import type { Page } from "../../Answer.ts"
import { amountColumn, byId, type Listed, listPage, timeColumn } from "../../kit/List.tsx"
import { NewLink, StateBadge } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { giftName, states, usesText } from "./CodeParts.ts"

/** `state`: the only one that is listed. */
export const codesPage = (context: UserContext, state: string | undefined, batches: Listed<RedemptionBatch>): Page => {
  const say = sayOf(context, "codes")
  const create = <NewLink href="/admin/codes/new" text={say("new")} />
  const options = codeStates.map((one) => [one, say(states[one][1])] as const)
  return listPage<RedemptionBatch>({
    context,
    path: "/admin/codes",
    title: context.say("admin.codes"),
    lead: say("lead"),
    actions: batches.items.length === 0 && state === undefined ? undefined : create,
    filter: [{ is: "choice", name: "state", label: say("state"), value: state, options }],
    ...batches,
    cursor: byId,
    empty: { icon: "gift", title: say("empty"), text: say("empty.text"), action: create },
    none: say("empty.state"),
    columns: [
      { title: say("batch"), cell: ({ id, name }) => <a class="break-anywhere" href={`/admin/codes/${id}`}>{name}</a> },
      {
        title: say("gives"),
        wide: true,
        cell: ({ gift }) => <span class="break-anywhere">{giftName(context, gift)}</span>
      },
      { title: say("codes"), number: true, wide: true, cell: ({ codes }) => context.formats.count(codes) },
      amountColumn(say("redeemed"), ({ codes, uses, usesMax }) => usesText(context, uses, codes * usesMax)),
      { title: say("state"), cell: (batch) => <StateBadge say={say} states={states} state={batch.state} /> },
      timeColumn(context, say("expires"), ({ expiresAt }) => expiresAt, say("never")),
      timeColumn(context, say("created"), ({ createdAt }) => createdAt)
    ]
  })
}
