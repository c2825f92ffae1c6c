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
import { sayOf, type UserContext } from "../../PageContext.ts"
import { FilterChoice, FilterText } from "../../ui/FilterParts.tsx"
import { FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { differencesOf } from "./TermDifferences.ts"

export interface OfferQuery {
  readonly state: OfferState
  readonly provider: string | undefined
  readonly text: string
  readonly after: number | undefined
  /** All lines of the page are ticked. */
  readonly isTicked: boolean
}

interface PreviewProps {
  readonly context: UserContext
  readonly found: PriceImport
  readonly query: OfferQuery
  readonly state: FormState
  readonly offers: ReadonlyArray<ComparedOffer>
  readonly hasMore: boolean
}

const pathOf = (found: PriceImport, query: Partial<OfferQuery>): string => {
  const { after, isTicked, provider, state, text } = query
  const kept = new URLSearchParams({
    ...(state === undefined ? {} : { state }),
    ...(provider === undefined ? {} : { provider }),
    ...(text === undefined || text === "" ? {} : { q: text }),
    ...(after === undefined ? {} : { after: after.toString() }),
    ...(isTicked === true ? { tick: "all" } : {})
  })
  return `/admin/models/import/${found.id}?${kept}`
}

const stateName = (context: UserContext, state: OfferState): string => {
  const say = sayOf(context, "import")
  switch (state) {
    case "changed":
      return say("changed")
    case "new":
      return say("new")
    case "same":
      return say("same")
    case "declared":
      return say("declared")
    case "refused":
      return say("refused")
  }
}

const StateTabs = ({ found, query, context }: Pick<PreviewProps, "context" | "found" | "query">) => (
  <nav class="card-header" aria-label={sayOf(context, "import")("states")}>
    <div class="btn-list">
      {offerStates.map((state) => (
        <a
          key={state}
          class={`btn btn-sm ${state === query.state ? "btn-primary" : ""}`}
          href={pathOf(found, { ...query, state, after: undefined, isTicked: false })}
          aria-current={state === query.state ? "page" : undefined}
        >
          {stateName(context, state)} {context.formats.count(found.counts[state])}
        </a>
      ))}
    </div>
  </nav>
)

const Filter = ({ found, query, context }: Pick<PreviewProps, "context" | "found" | "query">) => {
  const say = sayOf(context, "import")
  return (
    <form method="get" action={`/admin/models/import/${found.id}`} class="card-body border-bottom">
      <input type="hidden" name="state" value={query.state} />
      <div class="row g-2 align-items-end">
        <FilterText name="q" label={say("search")} value={query.text} />
        <FilterChoice
          name="provider"
          label={say("provider")}
          all={say("all")}
          chosen={query.provider}
          options={found.providers.filter((provider) => provider !== "").map((provider) => [provider, provider])}
        />
        <div class="col-12 col-sm-auto">
          <button class="btn w-100" type="submit">{say("filter")}</button>
        </div>
      </div>
    </form>
  )
}

const Differences = ({ offer, context }: { readonly context: UserContext; readonly offer: ComparedOffer }) => {
  const say = sayOf(context, "import")
  if (offer.problem !== null) {
    const texts = {
      id: say("refused.id"),
      missing: say("refused.missing"),
      price: say("refused.price", { max: context.formats.count(PRICE_USD_PER_1M_MAX) }),
      lengths: say("refused.lengths")
    }
    return <>{texts[offer.problem]}</>
  }
  if (offer.state === "declared") return <>{say("declared.text")}</>
  const shown = offer.state === "same" ? null : offer.before
  return (
    <ul class="list-inline mb-0">
      {offer.after === null
        ? null
        : differencesOf(context, shown, offer.after).map(({ label, text, was }) => (
          <li key={label} class="list-inline-item me-3">
            <span class="text-secondary">{label}</span> {was === null ? null : (
              <>
                <del class="text-secondary nowrap">{was}</del> →{" "}
              </>
            )}
            <span class="nowrap">{was === null ? text : <ins class="text-decoration-none fw-bold">{text}</ins>}</span>
          </li>
        ))}
    </ul>
  )
}

const OfferName = ({ offer, context }: { readonly context: UserContext; readonly offer: ComparedOffer }) => {
  const say = sayOf(context, "import")
  return (
    <>
      <code class="break-anywhere">{offer.modelId === "" ? "–" : offer.modelId}</code>
      <div class="text-secondary small break-anywhere">{offer.provider}</div>
      {offer.rounded
        ? (
          <span title={say("rounded.hint")}>
            <Badge tone="yellow">{say("rounded")}</Badge>
          </span>
        )
        : null}
    </>
  )
}

const isApplicable = ({ state }: OfferQuery): boolean => state === "new" || state === "changed"

const OffersTable = ({ offers, query, state, context }: PreviewProps) => {
  const say = sayOf(context, "import")
  const ticked = new Set(state.values.getAll("offers"))
  const tickOf = (offer: ComparedOffer) => {
    // Of a model that has been changed since, the value is another: what is shown now was not ticked.
    const value = `${offer.position}:${offer.revision}`
    return (
      <input
        class="form-check-input m-0"
        type="checkbox"
        name="offers"
        value={value}
        checked={context.isForm ? ticked.has(value) : query.isTicked}
        aria-label={say("choice.of", { id: offer.modelId, provider: offer.provider === "" ? "–" : offer.provider })}
      />
    )
  }
  const applicable = isApplicable(query)
  return (
    <DataTable
      caption={say("preview")}
      columns={[
        ...applicable ? [{ title: say("choice") }] : [],
        { title: say("model") },
        { title: say("prices") }
      ]}
      rows={offers.map((offer) => [
        ...applicable ? [tickOf(offer)] : [],
        <OfferName context={context} offer={offer} />,
        <>
          <Differences context={context} offer={offer} />
          {offer.unread.length === 0 ? null : (
            <div class="text-warning-emphasis small mt-1 break-anywhere">
              {say("unread", { names: offer.unread.join(", ") })}
            </div>
          )}
        </>
      ])}
    />
  )
}

const Paging = ({ found, hasMore, offers, query, context }: PreviewProps) => {
  const say = sayOf(context, "import")
  const last = offers.at(-1)?.position
  if (query.after === undefined && !hasMore) return null
  return (
    <div class="card-footer">
      <div class="btn-list">
        {query.after === undefined
          ? null
          : (
            <a class="btn btn-sm" href={pathOf(found, { ...query, after: undefined, isTicked: false })}>
              {say("first")}
            </a>
          )}
        {hasMore && last !== undefined
          ? <a class="btn btn-sm" href={pathOf(found, { ...query, after: last, isTicked: false })}>{say("more")}</a>
          : null}
      </div>
      {hasMore && isApplicable(query) ? <div class="form-hint mt-2">{say("more.hint")}</div> : null}
    </div>
  )
}

const Offers = (props: PreviewProps) => {
  const { found, offers, query, context } = props
  const say = sayOf(context, "import")
  if (offers.length === 0) return <Nothing icon="filter" title={say("empty")} />
  if (!isApplicable(query)) return <OffersTable {...props} />
  return (
    <PostForm context={context} action={pathOf(found, query)}>
      <OffersTable {...props} />
      <div class="card-footer">
        <div class="btn-list align-items-center">
          <button type="submit" class="btn btn-primary">{say("apply")}</button>
          <a class="btn btn-ghost-secondary" href={pathOf(found, { ...query, isTicked: !query.isTicked })}>
            {query.isTicked ? say("untick") : say("tick")}
          </a>
        </div>
        <div class="form-hint mt-2">{say("apply.hint", { max: CHOICES_MAX })}</div>
      </div>
    </PostForm>
  )
}

export const PreviewView = (props: PreviewProps) => {
  const { found, query, state, context } = props
  const say = sayOf(context, "import")
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
        <StateTabs context={context} found={found} query={query} />
        <Filter context={context} found={found} query={query} />
        <Offers {...props} />
        <Paging {...props} />
      </Card>
      {found.skipped === 0
        ? null
        : <p class="text-secondary mt-3">{say("skipped", { count: found.skipped })}</p>}
    </>
  )
}
