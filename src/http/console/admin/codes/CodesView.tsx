/**
 * The list of batches of redemption codes, for root alone.
 */
import { codeStates, type RedemptionBatch } from "../../../../redemption/RedemptionBatch.ts"
import { Icon } from "../../ui/Icon.tsx"
import { Card, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { giftName, ListPager, StateBadge, stateName, usesText } from "./CodeParts.tsx"
import { codesText } from "./CodesText.ts"

const NewLink = ({ visit }: { readonly visit: UserVisit }) => (
  <a class="btn btn-primary" href="/admin/codes/new">
    <Icon name="plus" />
    {sayOf(visit, codesText)("new")}
  </a>
)

const StateFilter = ({ chosen, visit }: { readonly visit: UserVisit; readonly chosen: string | undefined }) => {
  const say = sayOf(visit, codesText)
  const states = [undefined, ...codeStates]
  return (
    <nav class="btn-list mb-3" aria-label={say("filter")}>
      {states.map((state) => (
        <a
          key={state}
          class={`btn btn-sm ${state === chosen ? "btn-primary" : ""}`}
          href={state === undefined ? "/admin/codes" : `/admin/codes?state=${state}`}
          aria-current={state === chosen ? "page" : undefined}
        >
          {state === undefined ? say("all") : stateName(visit, state)}
        </a>
      ))}
    </nav>
  )
}

const BatchTable = (
  { batches, visit }: { readonly visit: UserVisit; readonly batches: ReadonlyArray<RedemptionBatch> }
) => {
  const say = sayOf(visit, codesText)
  return (
    <DataTable
      caption={visit.say("admin.codes")}
      columns={[
        { title: say("batch") },
        { title: say("gives"), wide: true },
        { title: say("codes"), number: true, wide: true },
        { title: say("redeemed"), number: true },
        { title: say("state") },
        { title: say("expires"), wide: true },
        { title: say("created"), wide: true }
      ]}
      rows={batches.map((batch) => [
        <a class="break-anywhere" href={`/admin/codes/${batch.id}`}>{batch.name}</a>,
        <span class="break-anywhere">{giftName(visit, batch.gift)}</span>,
        visit.formats.count(batch.codes),
        <span class="nowrap">{usesText(visit, batch.uses, batch.codes * batch.usesMax)}</span>,
        <StateBadge visit={visit} state={batch.state} />,
        batch.expiresAt === null ? say("never") : <Moment visit={visit} at={batch.expiresAt} />,
        <Moment visit={visit} at={batch.createdAt} />
      ])}
    />
  )
}

export const CodesView = (
  { batches, hasOlder, state, visit }: {
    readonly visit: UserVisit
    readonly batches: ReadonlyArray<RedemptionBatch>
    readonly hasOlder: boolean
    /** The only one that is listed. */
    readonly state: string | undefined
  }
) => {
  const say = sayOf(visit, codesText)
  const isBare = batches.length === 0 && state === undefined
  return (
    <>
      <PageHeading title={visit.say("admin.codes")} lead={say("lead")}>
        {isBare ? undefined : <NewLink visit={visit} />}
      </PageHeading>
      {isBare ? null : <StateFilter visit={visit} chosen={state} />}
      <Card>
        {batches.length > 0
          ? <BatchTable visit={visit} batches={batches} />
          : isBare
          ? <Nothing icon="gift" title={say("empty")} text={say("empty.text")} action={<NewLink visit={visit} />} />
          : <Nothing icon="gift" title={say("empty.state")} />}
        <ListPager visit={visit} path="/admin/codes" name="before" older={hasOlder ? batches.at(-1)?.id : undefined} />
      </Card>
    </>
  )
}
