/**
 * `/admin/channels/:id/models`: the models that an upstream says it has, chosen from a list. What is ticked is served, under the name
 * beside it; models that the installation does not have yet come with the prices of a file that was read before.
 */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import type { AdminChannel } from "../../../../channels/AdminChannel.ts"
import { ChannelAdmin } from "../../../../channels/ChannelAdmin.ts"
import type { ChannelKeyMissing } from "../../../../channels/ChannelError.ts"
import { ChannelId } from "../../../../domain/Ids.ts"
import {
  isListed,
  listedStates,
  type MappedFilter,
  type MappedModel,
  type ModelChoice,
  UPSTREAM_MODELS_MAX
} from "../../../../gateway/ModelMapping.ts"
import type { UpstreamUnanswered } from "../../../../gateway/upstream/UpstreamUnanswered.ts"
import { UpstreamBalances } from "../../../../gateway/UpstreamBalances.ts"
import { type FetchedModels, UpstreamModels } from "../../../../gateway/UpstreamModels.ts"
import { emptyForm, type FormState, orNotFound, type Page, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminFormPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { readFormWithin } from "../../FormBody.ts"
import { ButtonForm, FormAlert, Hidden, PostForm } from "../../kit/Forms.tsx"
import { type ItemColumn, type Listed, listedOf, listPage } from "../../kit/List.tsx"
import { Badge, Notice, Panel } from "../../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, oneOf, pathId, searchText } from "../../Params.ts"
import { Differences } from "../models/PriceFiles.tsx"
import { saidFailure } from "./ChannelHealth.tsx"
import { failureText, problemTexts } from "./ChannelTexts.ts"

const pathOf = (id: ChannelId): `/admin/channels/${string}` => `/admin/channels/${id}/models`

const FetchForm = ({ id, look = "", context }: {
  readonly context: UserContext
  readonly id: ChannelId
  readonly look?: string
}) => (
  <ButtonForm
    context={context}
    action={`${pathOf(id)}/fetch`}
    look={look}
    button={sayOf(context, "upstreamModels")("fetch")}
  />
)

/** On the channel's page: a way to the list. */
export const UpstreamModelsPanel = (
  { channel, context }: { readonly context: UserContext; readonly channel: AdminChannel }
) => {
  const say = sayOf(context, "upstreamModels")
  return (
    <Panel title={say("panel")} class="mt-3">
      <p class="text-secondary">{say("panel.lead")}</p>
      <div class="btn-list">
        <FetchForm context={context} id={channel.id} look="btn-outline-primary" />
        <a class="btn btn-ghost-secondary" href={pathOf(channel.id)}>{say("open")}</a>
      </div>
    </Panel>
  )
}

interface ListQuery extends MappedFilter {
  /** All lines of the page are ticked, or none; undefined: those that are served. */
  readonly ticked: "all" | "none" | undefined
}

const queryOf = ({ query }: PageContext): ListQuery => ({
  text: searchText(query, "q"),
  state: oneOf(listedStates, query.get("state")),
  after: query.get("after") ?? undefined,
  ticked: oneOf(["all", "none"], query.get("tick"))
})

interface ChooseProps extends Listed<MappedModel> {
  readonly context: UserContext
  readonly channel: AdminChannel
  readonly fetched: FetchedModels
  readonly query: ListQuery
  readonly state: FormState
}

const hrefOf = ({ channel, query, context }: ChooseProps, ticked: ListQuery["ticked"]): string => {
  const parts = { q: query.text ?? "", state: query.state ?? "", after: query.after ?? "", tick: ticked ?? "" }
  const text = new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== "")).toString()
  return `${pathOf(channel.id)}${text === "" || context.isForm && ticked === undefined ? "" : `?${text}`}`
}

/** What was typed beside each model of a form, by the upstream's name: both are sent in the order of the rows. */
const typedIn = (fields: URLSearchParams): ReadonlyMap<string, string> => {
  const names = fields.getAll("as")
  return new Map(fields.getAll("shown").map((upstream, at) => [upstream, (names[at] ?? "").trim()]))
}

/** What is there for the name, or what comes with it. */
const Prices = ({ fetched: { offers }, item, context }: ChooseProps & { readonly item: MappedModel }) => {
  const say = sayOf(context, "upstreamModels")
  const offer = item.state === "offered" ? offers.get(item.model) : undefined
  if (item.state === "known") return <span class="text-secondary">{say("known")}</span>
  if (offer === undefined) return <span class="text-secondary">{say("unpriced")}</span>
  return (
    <>
      <Badge tone="blue">{say("added", { provider: offer.provider === "" ? "–" : offer.provider })}</Badge>
      <Differences context={context} offer={offer} />
    </>
  )
}

const columnsOf = (props: ChooseProps): ReadonlyArray<ItemColumn<MappedModel>> => {
  const { channel, query: { ticked: tick }, state, context } = props
  const say = sayOf(context, "upstreamModels")
  const typed = typedIn(state.values)
  const isTicked = ({ isServed, state: of, upstream }: MappedModel): boolean => {
    if (typed.has(upstream)) return state.values.getAll("models").includes(upstream)
    return tick === undefined ? isServed : tick === "all" && of !== "unknown"
  }
  const name: ItemColumn<MappedModel> = {
    title: say("upstream"),
    cell: ({ upstream }) => <code class="break-anywhere">{upstream}</code>
  }
  const prices: ItemColumn<MappedModel> = {
    title: say("priced"),
    wide: true,
    cell: (item) => <Prices {...props} item={item} />
  }
  if (channel.declared) {
    return [name, { title: say("as"), cell: ({ isServed, model }) => isServed ? <code>{model}</code> : "–" }, prices]
  }
  return [
    {
      title: say("choice"),
      cell: (item) => (
        <>
          <Hidden fields={{ shown: item.upstream }} />
          <input
            class="form-check-input m-0"
            type="checkbox"
            name="models"
            value={item.upstream}
            checked={isTicked(item)}
            aria-label={say("choice.of", { model: item.upstream })}
          />
        </>
      )
    },
    name,
    {
      title: say("as"),
      cell: ({ model, upstream }) => (
        <input
          class="form-control form-control-sm font-monospace"
          type="text"
          name="as"
          value={typed.get(upstream) ?? model}
          autocomplete="off"
          aria-label={say("as.of", { model: upstream })}
        />
      )
    },
    prices
  ]
}

const ChooseForm = (props: ChooseProps & { readonly children: ComponentChildren }) => {
  const { channel, children, state, context } = props
  const say = sayOf(context, "upstreamModels")
  return (
    <PostForm context={context} action={hrefOf(props, undefined)}>
      <Hidden fields={{ revision: state.values.get("revision") ?? channel.revision.toString() }} />
      {children}
      <div class="card-footer">
        <div class="btn-list align-items-center">
          <button type="submit" class="btn btn-primary">{say("save")}</button>
          <a class="btn btn-ghost-secondary" href={hrefOf(props, "all")}>{say("tick")}</a>
          <a class="btn btn-ghost-secondary" href={hrefOf(props, "none")}>{say("untick")}</a>
        </div>
        <div class="form-hint mt-2">{say("save.hint")}</div>
      </div>
    </PostForm>
  )
}

const choosePage = (props: ChooseProps): Page => {
  const { channel, fetched, hasMore, items, query, state, context } = props
  const say = sayOf(context, "upstreamModels")
  return listPage<MappedModel>({
    context,
    path: pathOf(channel.id),
    title: say("title", { name: channel.name }),
    lead: say("lead", { count: fetched.models.length, time: context.formats.time(fetched.fetchedAt) }),
    actions: (
      <div class="btn-list">
        <FetchForm context={context} id={channel.id} />
        <a class="btn btn-ghost-secondary" href={`/admin/channels/${channel.id}`}>{context.say("action.back")}</a>
      </div>
    ),
    done: { fetched: say("done.fetched", { count: fetched.models.length }) },
    above: (
      <>
        <FormAlert state={state} />
        {channel.declared ? <Notice kind="info">{say("declared")}</Notice> : null}
        {fetched.models.length < UPSTREAM_MODELS_MAX
          ? null
          : <Notice kind="info">{say("cut", { count: UPSTREAM_MODELS_MAX })}</Notice>}
      </>
    ),
    filter: [
      { is: "text", name: "q", label: say("search"), value: query.text },
      {
        is: "choice",
        name: "state",
        label: say("state"),
        value: query.state,
        options: [["served", say("served")], ["unserved", say("unserved")], ["new", say("new")]]
      }
    ],
    items,
    hasMore,
    order: "first",
    cursor: { name: "after", of: ({ upstream }) => upstream },
    empty: { icon: "model", title: say("none") },
    none: say("none"),
    columns: columnsOf(props),
    ...channel.declared ? {} : { around: (table) => <ChooseForm {...props}>{table}</ChooseForm> }
  })
}

/** The upstream was not asked yet. */
const emptyPage = (context: UserContext, channel: AdminChannel, state: FormState): Page => {
  const say = sayOf(context, "upstreamModels")
  return listPage<MappedModel>({
    context,
    path: pathOf(channel.id),
    title: say("title", { name: channel.name }),
    actions: <a class="btn btn-ghost-secondary" href={`/admin/channels/${channel.id}`}>{context.say("action.back")}</a>,
    above: <FormAlert state={state} />,
    items: [],
    empty: {
      icon: "model",
      title: say("unasked"),
      text: say("panel.lead"),
      action: <FetchForm context={context} id={channel.id} look="btn-primary" />
    },
    columns: []
  })
}

/** Models of a page. */
const PAGE_SIZE = 100

/** A row is a tick and two names. */
const choiceBounds = { bytesMax: 131_072, fieldsMax: 3 * PAGE_SIZE + 10 }

const theChannel = Effect.gen(function*() {
  return yield* (yield* ChannelAdmin).get(yield* pathId("id", ChannelId))
})

const show = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const channel = yield* theChannel
  const fetched = yield* (yield* UpstreamModels).fetched(channel.id)
  if (fetched === undefined) return emptyPage(context, channel, state)
  const query = queryOf(context)
  const items = fetched.models.filter((model) => isListed(model, query))
  return choosePage({ context, channel, fetched, query, state, ...listedOf(items, PAGE_SIZE) })
})

/** So many names are given in a message. */
const NAMED_MAX = 5

const choose = pageForm({
  read: readFormWithin(choiceBounds),
  show,
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      const ticked = new Set(fields.getAll("models"))
      const choices: ReadonlyArray<ModelChoice> = Array.from(typedIn(fields), ([upstream, name]) => ({
        upstream,
        model: ticked.has(upstream) ? name : null
      }))
      if (choices.some(({ model }) => model === "")) {
        return yield* refuse({ form: sayOf(context, "upstreamModels")("problem.unnamed") })
      }
      const revision = idOf(fields.get("revision")) ?? 0n
      const { created } = yield* (yield* UpstreamModels).choose(actorOf(context), { id, revision, choices })
      return redirect(`/admin/channels/${id}?done=${created > 0 ? "models-added" : "models"}`)
    }).pipe(
      Effect.catchTags({
        ChoiceRefused: ({ models, reason }) => {
          const say = sayOf(context, "upstreamModels")
          const names = models.slice(0, NAMED_MAX).join(", ")
          return refuse({
            form: reason === "twice" ? say("problem.twice", { names }) : say("problem.unpriced", { names })
          })
        },
        ImportRefused: () => refuse({ form: sayOf(context, "upstreamModels")("problem.import") }),
        ChannelRefused: ({ problems }) =>
          refuse({ form: Object.values(problemTexts(context, noLines, problems)).join(" ") }),
        ChannelConfigManaged: () => refuse({ form: sayOf(context, "upstreamModels")("declared") }, 409),
        ChangedMeanwhile: () => refuse({ form: context.say("meanwhile.short") }, 409),
        MasterKeyInvalid: () => refuse({ form: sayOf(context, "channels")("master") })
      })
    )
})

/** The form has no lines of models. */
const noLines = { lines: new Map<string, number>(), repeated: [] }

/** What is said where an upstream cannot be asked, or does not answer. */
const unanswered = (context: PageContext) => ({
  ChannelKeyMissing: ({ reason }: ChannelKeyMissing) =>
    refuse({ form: failureText(context, reason === "none" ? "no_key" : "key_unreadable") }),
  UpstreamUnanswered: (said: UpstreamUnanswered) =>
    refuse({ form: sayOf(context, "upstreamModels")("problem.unanswered", { reason: saidFailure(context, said) }) })
})

const fetchForm = adminForm("/admin/channels/:id/models/fetch", {
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      yield* (yield* UpstreamModels).fetch(id)
      return redirect(`${pathOf(id)}?done=fetched`)
    }).pipe(Effect.catchTags(unanswered(context)), orNotFound),
  again: (context, { problems }) => orNotFound(show(context, { ...emptyForm, problems }))
})

const balanceForm = adminForm("/admin/channels/:id/balance", {
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      const told = yield* (yield* UpstreamBalances).ask(id)
      return redirect(`/admin/channels/${id}?done=${told > 0 ? "balance" : "no-balance"}`)
    }).pipe(Effect.catchTag("ChannelKeyMissing", unanswered(context).ChannelKeyMissing), orNotFound)
})

export const UpstreamModelsRoutes = routes(
  adminFormPage("/admin/channels/:id/models", choose),
  fetchForm,
  balanceForm
)
