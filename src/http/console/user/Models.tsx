/**
 * `/models`: the catalogue, for anybody, signed in or not. It has what some channel serves, searched by words, vendor and capability,
 * with the multipliers that calls from the balance are charged with, that of the user's group included. A model with other prices for
 * long contexts has a line for each. `/models/{id}`: one of them, and how it is called.
 */
import { Effect, Option } from "effect"
import type { Model } from "../../../catalog/Catalog.ts"
import { abilities, embeds, searchModels, vendorsOf } from "../../../catalog/ModelSearch.ts"
import { PublicAddress } from "../../../platform/PublicAddress.ts"
import { servedModels } from "../../ServedModels.ts"
import { notFound } from "../Answer.ts"
import { visitorPage } from "../ConsoleRoute.ts"
import { headedPage } from "../kit/Forms.tsx"
import { ItemTable, listedOf, listPage, plainChoice } from "../kit/List.tsx"
import {
  AbilityBadges,
  abilityNames,
  linesOf,
  ModelName,
  modelPath,
  priceColumns,
  type PriceLine,
  type PriceTexts,
  priceTexts,
  toolLines
} from "../kit/ModelPrices.tsx"
import { Card, Copyable, type Fact, Facts, Grid, Panel } from "../kit/Parts.tsx"
import { KEY_VARIABLE, snippetsOf } from "../kit/Snippets.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { oneOf, searchText } from "../Params.ts"

const PAGE_SIZE = 50

interface NameProps extends PriceLine {
  readonly context: PageContext
  readonly texts: PriceTexts
}

/** A model with what calls of tools cost, where they are priced. */
const Name = ({ above, model, texts, context }: NameProps) => {
  if (above !== undefined) {
    return <span class="text-secondary ps-3 d-block">{sayOf(context, "models")("above", { count: above })}</span>
  }
  return (
    <>
      <ModelName model={model} />
      <div>
        <AbilityBadges context={context} model={model} />
      </div>
      <div class="text-secondary small">
        {toolLines(context, texts, model).map((line) => <div key={line}>{line}</div>)}
      </div>
    </>
  )
}

const tokensText = (context: PageContext, count: number | null): string =>
  count === null ? "–" : sayOf(context, "models")("tokens", { count })

const list = Effect.fnUntraced(function*(context: PageContext) {
  const served = yield* servedModels
  const texts = yield* priceTexts(context)
  const { query } = context
  const vendors = vendorsOf(served)
  const asked = {
    text: searchText(query, "q"),
    vendor: oneOf(vendors, query.get("vendor")),
    ability: oneOf(abilities, query.get("can"))
  }
  const found = searchModels(served, { ...asked, after: query.get("after") ?? undefined })
  const { hasMore, items } = listedOf(found, PAGE_SIZE)
  const say = sayOf(context, "models")
  const names = abilityNames(context)
  const limit = (title: string, of: (model: Model) => number | null) => ({
    title,
    number: true,
    wide: true,
    cell: ({ above, model }: PriceLine) => above === undefined ? tokensText(context, of(model)) : ""
  })
  return listPage<PriceLine>({
    context,
    title: say("title"),
    lead: texts.lead,
    path: "/models",
    filter: [
      { is: "text", name: "q", label: say("search"), value: asked.text },
      plainChoice({ name: "vendor", label: say("vendor") }, asked.vendor, vendors),
      {
        is: "choice",
        name: "can",
        label: say("can"),
        value: asked.ability,
        options: abilities.map((name) => [name, names[name]])
      }
    ],
    columns: [
      { title: say("model"), cell: (line) => <Name {...line} context={context} texts={texts} /> },
      limit(say("context"), (model) => model.contextTokens),
      limit(say("outputLimit"), (model) => model.maxOutputTokens),
      ...priceColumns(context, texts, true)
    ],
    items: items.flatMap(linesOf),
    hasMore,
    cursor: { name: "after", of: ({ model }) => model.id },
    order: "first",
    empty: { icon: "model", title: say("empty"), text: say("empty.text") },
    none: say("none.model")
  })
})

interface ModelProps {
  readonly context: PageContext
  readonly model: Model
}

/** What there is to know before it is called. */
const factsOf = ({ model, context }: ModelProps): ReadonlyArray<Fact> => {
  const say = sayOf(context, "models")
  return [
    model.vendor === "" ? null : [say("vendor"), model.vendor],
    [say("context"), tokensText(context, model.contextTokens)],
    embeds(model) ? null : [say("outputLimit"), tokensText(context, model.maxOutputTokens)],
    [
      say("endpoints"),
      embeds(model) ? <code>/v1/embeddings</code> : (
        <>
          <code>/v1/chat/completions</code>, <code>/v1/responses</code>
        </>
      )
    ]
  ]
}

/** Prices by bucket and by length, and of tools. */
const Prices = ({ model, texts, context }: ModelProps & { readonly texts: PriceTexts }) => {
  const say = sayOf(context, "models")
  const tools = toolLines(context, texts, model)
  const lines = linesOf(model)
  const [tier] = model.price.tiers ?? []
  const length = {
    title: say("length"),
    cell: ({ above }: PriceLine) =>
      above === undefined ? say("upTo", { count: tier?.aboveInputTokens ?? 0 }) : say("above", { count: above })
  }
  return (
    <Card title={say("prices")}>
      <ItemTable
        caption={say("prices")}
        columns={[...lines.length > 1 ? [length] : [], ...priceColumns(context, texts, false)]}
        items={lines}
      />
      <div class="card-body text-secondary">
        {tools.map((line) => <div key={line}>{line}</div>)}
        <div>{texts.lead}</div>
      </div>
    </Card>
  )
}

interface CallProps extends ModelProps {
  readonly publicUrl: string
}

const Samples = ({ model, publicUrl, context }: CallProps) => {
  const say = sayOf(context, "models")
  const titles = { curl: "curl", python: say("python"), node: say("node") }
  return (
    <Panel title={say("call")}>
      <p class="text-secondary">{say("call.key", { name: KEY_VARIABLE })}</p>
      {snippetsOf({ publicUrl, model }).map(({ code, id }) => (
        <details key={id} class="snippet" open={id === "curl"}>
          <summary>{titles[id]}</summary>
          <Copyable id={`snippet-${id}`} text={code} label={say("copy")} copied={say("copied")} />
        </details>
      ))}
    </Panel>
  )
}

/** What programs with a form for it are told: chats on the desktop, editors and agents. */
const Apps = ({ model, publicUrl, context }: CallProps) => {
  const say = sayOf(context, "models")
  const copy = { label: say("copy"), copied: say("copied") }
  return (
    <Panel title={say("apps")}>
      <p class="text-secondary">{say("apps.text")}</p>
      <h3 class="h4">{say("apps.base")}</h3>
      <Copyable id="app-base" text={`${publicUrl}/v1`} {...copy} />
      <h3 class="h4 mt-3">{say("apps.model")}</h3>
      <Copyable id="app-model" text={model.id} {...copy} />
      <p class="text-secondary mt-3 mb-1">{say("apps.cherry", { url: publicUrl })}</p>
      <p class="text-secondary mb-1">{say("apps.chatbox", { url: publicUrl })}</p>
      <p class="text-secondary mb-0">{say("apps.claude")}</p>
    </Panel>
  )
}

/** The id that the address names, with slashes of its own or not; undefined for an address that means nothing. */
const namedIn = (pathname: string): string | undefined =>
  Option.getOrUndefined(Option.liftThrowable(decodeURIComponent)(pathname.slice(modelPath("").length)))

const show = Effect.fnUntraced(function*(context: PageContext) {
  const id = namedIn(context.pathname)
  const model = (yield* servedModels).find((served) => served.id === id)
  if (model === undefined) return yield* notFound()
  const texts = yield* priceTexts(context)
  const publicUrl = (yield* PublicAddress).url()
  const say = sayOf(context, "models")
  const props = { context, model, publicUrl }
  return headedPage({
    context,
    title: model.id,
    lead: <AbilityBadges context={context} model={model} />,
    actions: context.user === undefined
      ? <a class="btn btn-primary" href="/register">{context.say("action.register")}</a>
      : <a class="btn btn-primary" href="/keys/new">{say("newKey")}</a>,
    children: (
      <>
        {model.description === "" ? null : <p class="break-anywhere lines">{model.description}</p>}
        <Grid
          cells={[
            ["col-lg-4", [
              <Panel title={say("about")}>
                <Facts facts={factsOf(props)} />
              </Panel>
            ]],
            ["col-lg-8", <Prices {...props} texts={texts} />],
            ["col-lg-7", <Samples {...props} />],
            ["col-lg-5", <Apps {...props} />]
          ]}
        />
        <p class="mt-3 mb-0">
          <a href="/models">{say("all.models")}</a>
        </p>
      </>
    )
  })
})

/** The router takes `/models` itself for the same route. */
export const ModelsRoutes = visitorPage(
  "/models/*",
  Effect.fnUntraced(function*(context) {
    return context.pathname === "/models" ? yield* list(context) : yield* show(context)
  })
)
