/**
 * What a file of prices would change: line by line, old beside new, to be ticked and applied.
 */
import {
  CHOICES_MAX,
  type ComparedOffer,
  type OfferState,
  offerStates,
  type PriceImport
} from "../../../../catalog/PriceImports.ts"
import { PRICE_USD_PER_1M_MAX } from "../../../../domain/Bounds.ts"
import type { FormState } from "../../Answer.ts"
import { FormAlert, PostForm } from "../../kit/Forms.tsx"
import { Filter, type ItemColumn, ItemTable, type Listed, Pager } from "../../kit/List.tsx"
import { Badge, Card, Nothing, PageHeading, Tabs } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { differencesOf } from "./TermDifferences.ts"

export interface OfferQuery {
  readonly state: OfferState
  readonly provider: string | undefined
  readonly text: string | undefined
  readonly after: number | undefined
  /** All lines of the page are ticked. */
  readonly isTicked: boolean
}

interface PreviewProps extends Listed<ComparedOffer> {
  readonly context: UserContext
  readonly found: PriceImport
  readonly query: OfferQuery
  readonly state: FormState
}

interface OfferProps {
  readonly context: UserContext
  readonly offer: ComparedOffer
}

const pathOf = ({ found, query }: PreviewProps, change: Partial<OfferQuery> = {}): string => {
  const { after, isTicked, provider = "", state, text = "" } = { ...query, ...change }
  const parts = { state, provider, q: text, after: after?.toString() ?? "", tick: isTicked ? "all" : "" }
  return `/admin/models/import/${found.id}?${new URLSearchParams(
    Object.entries(parts).filter(([, value]) => value !== "")
  )}`
}

const stateNames = (context: UserContext): Readonly<Record<OfferState, string>> => {
  const say = sayOf(context, "import")
  return {
    changed: say("changed"),
    new: say("new"),
    same: say("same"),
    declared: say("configYaml"),
    refused: say("refused")
  }
}

const StateTabs = (props: PreviewProps) => {
  const { found, query, context } = props
  const names = stateNames(context)
  return (
    <Tabs
      tabs={offerStates.map((state) => ({
        href: pathOf(props, { state, after: undefined, isTicked: false }),
        text: `${names[state]} ${context.formats.count(found.counts[state])}`,
        isShown: state === query.state
      }))}
    />
  )
}

const OfferFilter = ({ found, query, context }: PreviewProps) => {
  const say = sayOf(context, "import")
  const providers = found.providers.filter((provider) => provider !== "").map((provider) =>
    [provider, provider] as const
  )
  return (
    <Filter
      context={context}
      path={`/admin/models/import/${found.id}`}
      kept={{ state: query.state }}
      filter={[
        { is: "text", name: "q", label: say("search"), value: query.text },
        { is: "choice", name: "provider", label: say("provider"), value: query.provider, options: providers }
      ]}
    />
  )
}

/** Why an offer cannot be applied; undefined: it can. */
const obstacleOf = ({ offer: { problem, state }, context }: OfferProps): string | undefined => {
  const say = sayOf(context, "import")
  if (problem === null) return state === "declared" ? say("declared.text") : undefined
  return {
    id: say("refused.id"),
    missing: say("refused.missing"),
    price: say("refused.price", { max: context.formats.count(PRICE_USD_PER_1M_MAX) }),
    lengths: say("refused.lengths")
  }[problem]
}

const Differences = ({ offer: { after, before, state }, context }: OfferProps) => (
  <ul class="list-inline mb-0">
    {after === null ? null : differencesOf(context, state === "same" ? null : before, after).map((difference) => {
      const { label, text, was } = difference
      return (
        <li key={label} class="list-inline-item me-3">
          <span class="text-secondary">{label}</span> {was === null ? <span class="nowrap">{text}</span> : (
            <>
              <del class="text-secondary nowrap">{was}</del> →{" "}
              <ins class="text-decoration-none fw-bold nowrap">{text}</ins>
            </>
          )}
        </li>
      )
    })}
  </ul>
)

const OfferName = ({ offer: { modelId, provider, rounded }, context }: OfferProps) => {
  const say = sayOf(context, "import")
  return (
    <>
      <code class="break-anywhere">{modelId === "" ? "–" : modelId}</code>
      <div class="text-secondary small break-anywhere">{provider}</div>
      {rounded
        ? (
          <span title={say("rounded.hint")}>
            <Badge tone="yellow">{say("rounded")}</Badge>
          </span>
        )
        : null}
    </>
  )
}

const isApplicable = ({ query: { state } }: PreviewProps): boolean => state === "new" || state === "changed"

const choiceColumn = ({ query, state, context }: PreviewProps): ItemColumn<ComparedOffer> => {
  const say = sayOf(context, "import")
  const ticked = new Set(state.values.getAll("offers"))
  return {
    title: say("choice"),
    cell: ({ modelId: id, position, provider, revision }) => {
      // Of a model that has been changed since, the value is another: what is shown now was not ticked.
      const value = `${position}:${revision}`
      return (
        <input
          class="form-check-input m-0"
          type="checkbox"
          name="offers"
          value={value}
          checked={context.isForm ? ticked.has(value) : query.isTicked}
          aria-label={say("choice.of", { id, provider: provider === "" ? "–" : provider })}
        />
      )
    }
  }
}

const OffersTable = (props: PreviewProps) => {
  const { items, context } = props
  const say = sayOf(context, "import")
  return (
    <ItemTable
      caption={say("preview")}
      items={items}
      columns={[
        ...isApplicable(props) ? [choiceColumn(props)] : [],
        { title: say("model"), cell: (offer) => <OfferName context={context} offer={offer} /> },
        {
          title: say("prices"),
          cell: (offer) => (
            <>
              {obstacleOf({ offer, context }) ?? <Differences context={context} offer={offer} />}
              {offer.unread.length === 0 ? null : (
                <div class="text-warning-emphasis small mt-1 break-anywhere">
                  {say("unread", { names: offer.unread.join(", ") })}
                </div>
              )}
            </>
          )
        }
      ]}
    />
  )
}

const Offers = (props: PreviewProps) => {
  const { hasMore, items, query: { isTicked }, context } = props
  const say = sayOf(context, "import")
  if (items.length === 0) return <Nothing icon="filter" title={say("empty")} />
  if (!isApplicable(props)) return <OffersTable {...props} />
  return (
    <PostForm context={context} action={pathOf(props)}>
      <OffersTable {...props} />
      <div class="card-footer">
        <div class="btn-list align-items-center">
          <button type="submit" class="btn btn-primary">{say("apply")}</button>
          <a class="btn btn-ghost-secondary" href={pathOf(props, { isTicked: !isTicked })}>
            {isTicked ? say("untick") : say("tick")}
          </a>
        </div>
        <div class="form-hint mt-2">
          {say("apply.hint", { max: CHOICES_MAX })} {hasMore ? say("more.hint") : null}
        </div>
      </div>
    </PostForm>
  )
}

export const PreviewView = (props: PreviewProps) => {
  const { found, hasMore, items, query: { after }, state, context } = props
  const say = sayOf(context, "import")
  const last = hasMore ? items.at(-1)?.position : undefined
  const linkTo = (at: number | undefined, text: string) => ({
    href: pathOf(props, { after: at, isTicked: false }),
    text
  })
  return (
    <>
      <PageHeading
        title={say("preview")}
        lead={say("preview.lead", { time: context.formats.time(found.createdAt) })}
      >
        <a class="btn" href="/admin/models/import">{say("other")}</a>
      </PageHeading>
      <FormAlert state={state} />
      <Card>
        <StateTabs {...props} />
        <OfferFilter {...props} />
        <Offers {...props} />
        <Pager
          newest={after === undefined ? undefined : linkTo(undefined, context.say("list.first"))}
          older={last === undefined ? undefined : linkTo(last, context.say("list.next"))}
        />
      </Card>
      {found.skipped === 0
        ? null
        : <p class="text-secondary mt-3">{say("skipped", { count: found.skipped })}</p>}
    </>
  )
}
