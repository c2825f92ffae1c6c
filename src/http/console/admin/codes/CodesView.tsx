/**
 * The list of batches of redemption codes, for root alone.
 */
import { codeStates, type RedemptionBatch } from "../../../../redemption/RedemptionBatch.ts"
import { List } from "../../kit/List.tsx"
import { NewLink } from "../../kit/NewLink.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Moment, PageHeading } from "../../ui/Parts.tsx"
import { giftName, StateBadge, stateName, usesText } from "./CodeParts.tsx"

export const CodesView = (
  { batches, hasOlder, state, context }: {
    readonly context: UserContext
    readonly batches: ReadonlyArray<RedemptionBatch>
    readonly hasOlder: boolean
    /** The only one that is listed. */
    readonly state: string | undefined
  }
) => {
  const say = sayOf(context, "codes")
  const isBare = batches.length === 0 && state === undefined
  return (
    <>
      <PageHeading title={context.say("admin.codes")} lead={say("lead")}>
        {isBare ? undefined : <NewLink href="/admin/codes/new" text={say("new")} />}
      </PageHeading>
      <List
        context={context}
        path="/admin/codes"
        caption={context.say("admin.codes")}
        items={batches}
        hasMore={hasOlder}
        cursor={{ name: "before", of: ({ id }) => id }}
        filter={[{
          is: "choice",
          name: "state",
          label: say("state"),
          value: state,
          options: codeStates.map((one) => [one, stateName(context, one)] as const)
        }]}
        empty={{
          icon: "gift",
          title: say("empty"),
          text: say("empty.text"),
          action: <NewLink href="/admin/codes/new" text={say("new")} />
        }}
        none={say("empty.state")}
        columns={[
          {
            title: say("batch"),
            cell: ({ id, name }) => <a class="break-anywhere" href={`/admin/codes/${id}`}>{name}</a>
          },
          {
            title: say("gives"),
            wide: true,
            cell: ({ gift }) => <span class="break-anywhere">{giftName(context, gift)}</span>
          },
          { title: say("codes"), number: true, wide: true, cell: ({ codes }) => context.formats.count(codes) },
          {
            title: say("redeemed"),
            number: true,
            cell: ({ codes, uses, usesMax }) => <span class="nowrap">{usesText(context, uses, codes * usesMax)}</span>
          },
          { title: say("state"), cell: (batch) => <StateBadge context={context} state={batch.state} /> },
          {
            title: say("expires"),
            wide: true,
            cell: ({ expiresAt }) => expiresAt === null ? say("never") : <Moment context={context} at={expiresAt} />
          },
          { title: say("created"), wide: true, cell: ({ createdAt }) => <Moment context={context} at={createdAt} /> }
        ]}
      />
    </>
  )
}
