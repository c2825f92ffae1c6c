/**
 * `/admin/models/import`: a file of prices is read, looked at and applied by choice. The file is sent once; its preview has an address, and
 * what is ticked there names lines of it.
 */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import { OFFERS_MAX, PRICE_FILE_LENGTH_MAX } from "../../../../catalog/PriceImport.ts"
import {
  CHOICES_MAX,
  type ComparedOffer,
  type OfferChoice,
  type OfferState,
  offerStates,
  type PriceImport,
  PriceImports
} from "../../../../catalog/PriceImports.ts"
import { PRICE_USD_PER_1M_MAX } from "../../../../domain/Bounds.ts"
import { emptyForm, type FormState, type Page, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { readFormWithFiles, readFormWithin } from "../../FormBody.ts"
import { askPage, FormAlert, PostForm } from "../../kit/Forms.tsx"
import { type ItemColumn, type Listed, listedOf, listPage, plainChoice } from "../../kit/List.tsx"
import { Badge, Small, Tabs } from "../../kit/Parts.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, oneOf, pathId, searchText } from "../../Params.ts"
import { differencesOf } from "./TermDifferences.ts"

const MIB = 1_048_576

const importPage = (context: UserContext, state: FormState): Page => {
  const say = sayOf(context, "import")
  const hint = say("file.hint", { max: PRICE_FILE_LENGTH_MAX / MIB })
  return askPage({
    context,
    state,
    title: say("title"),
    lead: say("lead"),
    action: "/admin/models/import",
    files: true,
    submit: say("read"),
    back: "/admin/models",
    inputs: [
      { is: "file", name: "file", label: say("file"), hint, accept: ".json,application/json" },
      { is: "code", name: "text", label: say("text"), hint: say("text.hint"), rows: 8 }
    ]
  })
}

interface OfferQuery {
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

const StateTabs = (props: PreviewProps) => {
  const { found, query, context } = props
  const say = sayOf(context, "import")
  const names: Readonly<Record<OfferState, string>> = {
    changed: say("changed"),
    new: say("new"),
    same: say("same"),
    declared: say("configYaml"),
    refused: say("refused")
  }
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

export const Differences = ({ offer: { after, before, state }, context }: OfferProps) => (
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
      <Small>{provider}</Small>
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

const offerColumns = (props: PreviewProps): ReadonlyArray<ItemColumn<ComparedOffer>> => {
  const { context } = props
  const say = sayOf(context, "import")
  return [
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
  ]
}

/** What is ticked is sent to be applied. */
const ApplyForm = (props: PreviewProps & { readonly children: ComponentChildren }) => {
  const { children, hasMore, query: { isTicked }, context } = props
  const say = sayOf(context, "import")
  return (
    <PostForm context={context} action={pathOf(props)}>
      {children}
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

const previewPage = (props: PreviewProps): Page => {
  const { found, hasMore, items, query, state, context } = props
  const say = sayOf(context, "import")
  const providers = found.providers.filter((provider) => provider !== "")
  return listPage<ComparedOffer>({
    context,
    path: `/admin/models/import/${found.id}`,
    title: say("preview"),
    lead: say("preview.lead", { time: context.formats.time(found.createdAt) }),
    actions: <a class="btn" href="/admin/models/import">{say("other")}</a>,
    above: (
      <>
        <FormAlert state={state} />
        {found.skipped === 0 ? null : <p class="text-secondary">{say("skipped", { count: found.skipped })}</p>}
      </>
    ),
    kept: { state: query.state },
    children: <StateTabs {...props} />,
    filter: [
      { is: "text", name: "q", label: say("search"), value: query.text },
      plainChoice({ name: "provider", label: say("provider") }, query.provider, providers)
    ],
    items,
    hasMore,
    order: "first",
    cursor: { name: "after", of: ({ position }) => String(position) },
    empty: { icon: "filter", title: say("empty") },
    columns: offerColumns(props),
    ...isApplicable(props) ? { around: (table) => <ApplyForm {...props}>{table}</ApplyForm> } : {}
  })
}

/** Lines of a page: as many as can be applied at once would be too many to look at. */
const PAGE_SIZE = 200

/** A file is sent as a part of a form, whose other parts are short. */
const fileBounds = { bytesMax: PRICE_FILE_LENGTH_MAX + 65_536, fieldsMax: 10 }

/** A ticked line is a few digits. */
const choiceBounds = { bytesMax: 131_072, fieldsMax: 2 * CHOICES_MAX }

const file = pageForm({
  read: readFormWithFiles(fileBounds),
  // A whole file would make a page of many megabytes, and its sender has it.
  show: (context, { problems }) => Effect.succeed(importPage(context, { ...emptyForm, problems })),
  run: (context, fields) =>
    Effect.gen(function*() {
      const say = sayOf(context, "import")
      const texts = fields.getAll("file").concat(fields.getAll("text")).filter((text) => text.trim() !== "")
      if (texts.length > 1) return yield* refuse({ file: say("problem.both") })
      const [text] = texts
      if (text === undefined) return yield* refuse({ file: say("problem.none") })
      const id = yield* (yield* PriceImports).read(actorOf(context), text)
      return redirect(`/admin/models/import/${id}`)
    }).pipe(
      Effect.catchTag("PriceFileRefused", ({ why }) => {
        const say = sayOf(context, "import")
        const size = { max: PRICE_FILE_LENGTH_MAX / MIB, count: OFFERS_MAX }
        const texts = { json: say("problem.json"), shape: say("problem.shape"), size: say("problem.size", size) }
        return refuse({ file: texts[why] })
      })
    )
})

/** What the address narrows the preview to; changes are shown first where there are any. */
const queryOf = ({ query }: UserContext, found: PriceImport): OfferQuery => {
  const after = idOf(query.get("after"))
  return {
    state: oneOf(offerStates, query.get("state")) ?? (found.counts.changed > 0 ? "changed" : "new"),
    provider: oneOf(found.providers, query.get("provider") || undefined),
    text: searchText(query, "q"),
    after: after === undefined || after > BigInt(OFFERS_MAX) ? undefined : Number(after),
    isTicked: query.get("tick") === "all"
  }
}

/** A line of the preview with the revision of the model beside it; undefined for what no line looks like. */
const choiceOf = (text: string): OfferChoice | undefined => {
  const match = /^(\d{1,6}):(\d{1,18})$/.exec(text)
  return match === null ? undefined : { position: Number(match[1]), revision: BigInt(match[2] ?? "0") }
}

const preview = pageForm({
  read: readFormWithin(choiceBounds),
  show: Effect.fnUntraced(function*(context, state) {
    const imports = yield* PriceImports
    const found = yield* imports.get(yield* pathId("id"))
    const query = queryOf(context, found)
    const offers = yield* imports.compare(found.id, { ...query, limit: PAGE_SIZE + 1 })
    return previewPage({ context, found, query, state, ...listedOf(offers, PAGE_SIZE) })
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const choices = fields.getAll("offers").map(choiceOf)
      const known = choices.filter((choice) => choice !== undefined)
      if (known.length < choices.length) return yield* refuse({ form: sayOf(context, "import")("problem.choice") })
      const { changed, created } = yield* (yield* PriceImports).apply(actorOf(context), yield* pathId("id"), known)
      return redirect(`/admin/models?done=imported&created=${created}&changed=${changed}`)
    }).pipe(
      Effect.catchTags({
        ImportRefused: ({ model, why }) => {
          const say = sayOf(context, "import")
          const texts = {
            none: say("problem.choose"),
            many: say("problem.many", { max: CHOICES_MAX }),
            twice: model === "" ? say("problem.twice.some") : say("problem.twice", { id: model }),
            choice: say("problem.choice")
          }
          return refuse({ form: texts[why] })
        },
        ChangedMeanwhile: ({ target }) =>
          refuse({ form: sayOf(context, "import")("problem.meanwhile", { id: target.replace(/^model:/, "") }) }, 409)
      })
    )
})

export const ImportRoutes = routes(
  adminFormPage("/admin/models/import", file),
  adminFormPage("/admin/models/import/:id", preview)
)
