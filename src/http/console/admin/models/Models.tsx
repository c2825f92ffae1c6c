/**
 * `/admin/models`: models and prices. An id may hold slashes and be any word, so it is in the query and not in the path.
 */
import { Effect } from "effect"
import { type AdminModel, ModelAdmin } from "../../../../catalog/ModelAdmin.ts"
import { readModelForm, rowPrefix, rowsShown, toModelForm } from "../../../../catalog/ModelForm.ts"
import type { ModelRefused } from "../../../../catalog/ModelError.ts"
import { isModelId, MODEL_ID_CHARACTERS_MAX } from "../../../../catalog/ModelTerms.ts"
import { unitPrices } from "../../../../domain/ModelRules.ts"
import type { ModelTermName } from "../../../../domain/ModelTerms.ts"
import type { UnitPrices } from "../../../../domain/Price.ts"
import { type FormState, page, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { EditPage, type EditPageProps } from "../../kit/Forms.tsx"
import { Group, Inputs } from "../../kit/Inputs.tsx"
import { enabledFilter, enabledIn, type ItemColumn, ItemTable, listedOf, listPage } from "../../kit/List.tsx"
import { Badge, type Fact, NewLink, Notice, RowBadges } from "../../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { searchText } from "../../Params.ts"
import { newRowPage, rowPages, withDone } from "../RowForms.tsx"
import { formProblems, modelProblems, modelTermsOf, pricesOf } from "./ModelTexts.ts"

/** So many channels are named in the list. */
const CHANNELS_NAMED_MAX = 3

interface ModelProps {
  readonly context: UserContext
  readonly model: AdminModel
}

interface FormProps {
  readonly context: UserContext
  readonly state: FormState
}

/** A model's id may be any word, so it is in the query. */
const modelPaths = (id: string): EditPageProps["paths"] => {
  const query = new URLSearchParams({ id })
  return {
    list: "/admin/models",
    edit: `/admin/models/edit?${query}`,
    disable: `/admin/models/disable?${query}`,
    enable: `/admin/models/enable?${query}`
  }
}

/** The prices of a model, or of one of its tiers. On narrow screens only input and output where `isLong`: there are other columns, too. */
function priceColumns<Item>(
  context: PageContext,
  of: (item: Item) => UnitPrices,
  isLong = false
): ReadonlyArray<ItemColumn<Item>> {
  const { labels, text } = pricesOf(context).unit
  return unitPrices.names.map((name, at) => ({
    title: labels[name].label,
    number: true,
    wide: isLong && at > 1,
    cell: (item) => text(name, of(item))
  }))
}

const ModelBadges = ({ model, context }: ModelProps) => {
  const say = sayOf(context, "adminModels")
  return (
    <>
      <RowBadges context={context} row={model} />{" "}
      {model.terms.reasoning ? <Badge tone="purple">{say("reasoning")}</Badge> : null}{" "}
      {model.terms.price.tiers === undefined ? null : <Badge tone="secondary">{say("tiers")}</Badge>}
    </>
  )
}

const Channels = ({ model: { channels, disabledAt }, context }: ModelProps) => {
  const say = sayOf(context, "adminModels")
  const rest = channels.length - CHANNELS_NAMED_MAX
  if (channels.length > 0) {
    return (
      <span class="break-anywhere" title={channels.join("\n")}>
        {channels.slice(0, CHANNELS_NAMED_MAX).join(", ")}
        {rest > 0 ? ` +${rest}` : null}
      </span>
    )
  }
  return disabledAt !== null ? <>–</> : (
    <span title={say("channels.hint")}>
      <Badge tone="yellow">{say("channels.none")}</Badge>
    </span>
  )
}

type Line = readonly [name: string, prices: UnitPrices]

/** A model's prices at each length. */
const PriceTable = ({ model: { terms: { price } }, context }: ModelProps) => {
  const say = sayOf(context, "adminModels")
  const { tiers = [] } = price
  const [first] = tiers
  const lines: ReadonlyArray<Line> = [
    [first === undefined ? say("every") : say("upto", { count: first.aboveInputTokens }), price],
    ...tiers.map((tier): Line => [say("above", { count: tier.aboveInputTokens }), tier])
  ]
  const columns = priceColumns<Line>(context, ([, prices]) => prices)
  return (
    <ItemTable
      caption={say("prices")}
      items={lines}
      columns={[{ title: say("prices"), cell: ([name]) => name }, ...columns]}
    />
  )
}

const modelFacts = ({ model: { terms }, context }: ModelProps): ReadonlyArray<Fact> => {
  const say = sayOf(context, "adminModels")
  const toolPrice = (micros: bigint | null = null) =>
    micros === null ? "–" : say("tool.price", { price: context.formats.usd(micros) })
  return [
    ...modelTermsOf(context).facts(terms),
    [say("web_search"), toolPrice(terms.price.tools?.webSearchMicros)],
    [say("file_search"), toolPrice(terms.price.tools?.fileSearchMicros)]
  ]
}

const TierRow = ({ row, state, context }: FormProps & { readonly row: number }) => (
  <div
    class="row gx-2 tier-row"
    role="group"
    aria-label={sayOf(context, "adminModels")("tiers.row", { number: row + 1 })}
  >
    {Object.values(pricesOf(context).tier.inputs(rowPrefix(row))).map((input) => (
      <div key={input.name} class={`${input.is === "integer" ? "col-12" : "col-6"} col-md`}>
        {/* A row may be empty: no cell of it is required. */}
        <Inputs state={state} inputs={[{ ...input, required: false }]} />
      </div>
    ))}
  </div>
)

const lengthTerms: ReadonlyArray<ModelTermName> = [
  "contextTokens",
  "maxOutputTokens",
  "defaultOutputTokens",
  "outputTokensPerSecond",
  "inputOverheadTokens",
  "imageTokensMax",
  "tokenizerMarginMicros"
]

const ModelFields = ({ state, context }: FormProps) => {
  const say = sayOf(context, "adminModels")
  const terms = modelTermsOf(context).inputs()
  const prices = pricesOf(context)
  const problem = state.problems["price_tiers"]
  return (
    <>
      <Group title={say("about")} hint={say("about.hint")}>
        <Inputs
          state={state}
          inputs={[[terms.vendor], terms.description, terms.capabilities, terms.reasoning]}
        />
      </Group>
      <Group title={say("prices")}>
        <Inputs state={state} inputs={[Object.values(prices.unit.inputs())]} />
      </Group>
      <Group name="price_tiers" title={say("tiers")} hint={say("tiers.hint")}>
        {problem === undefined
          ? null
          : <div id="field-price_tiers-problem" class="invalid-feedback d-block mb-2">{problem}</div>}
        {rowsShown(state.values).map((row) => <TierRow key={row} context={context} state={state} row={row} />)}
      </Group>
      <Group title={say("lengths")}>
        <Inputs state={state} inputs={[lengthTerms.map((name) => terms[name])]} />
      </Group>
      <Group title={say("tools")}>
        <Inputs
          state={state}
          inputs={[[terms.hostedTools, terms.toolCallsMax], Object.values(prices.tool.inputs())]}
        />
      </Group>
    </>
  )
}

const PAGE_SIZE = 100

const list = Effect.fnUntraced(function*(context: UserContext) {
  const { query } = context
  const asked = {
    text: searchText(query, "q"),
    state: enabledIn(context),
    after: query.get("after") ?? undefined
  }
  const found = yield* (yield* ModelAdmin).list({ ...asked, limit: PAGE_SIZE + 1 })
  const say = sayOf(context, "adminModels")
  const { count } = context.formats
  const imported = { created: Number(query.get("created")), changed: Number(query.get("changed")) }
  return listPage<AdminModel>({
    context,
    path: "/admin/models",
    title: say("title"),
    lead: say("lead"),
    actions: (
      <div class="btn-list">
        <a class="btn" href="/admin/models/import">{say("import")}</a>
        <NewLink href="/admin/models/new" text={say("new")} />
      </div>
    ),
    done: { imported: say("done.imported", imported) },
    ...listedOf(found, PAGE_SIZE),
    order: "first",
    cursor: { name: "after", of: ({ id }) => id },
    filter: [{ is: "text", name: "q", label: say("search"), value: asked.text }, enabledFilter(context, say)],
    empty: { icon: "model", title: say("empty"), text: say("empty.text") },
    none: say("none.model"),
    columns: [
      {
        title: say("model"),
        cell: (model) => (
          <>
            <a class="break-anywhere" href={modelPaths(model.id).edit}>
              <code>{model.id}</code>
            </a>{" "}
            <ModelBadges context={context} model={model} />
          </>
        )
      },
      ...priceColumns<AdminModel>(context, ({ terms }) => terms.price, true),
      {
        title: say("context"),
        number: true,
        wide: true,
        cell: ({ terms: { contextTokens } }) => contextTokens === null ? "–" : count(contextTokens)
      },
      { title: say("outputLimit"), number: true, wide: true, cell: ({ terms }) => count(terms.maxOutputTokens) },
      { title: say("channels"), wide: true, cell: (model) => <Channels context={context} model={model} /> }
    ]
  })
})

const refused = (context: UserContext) => ({ fields }: ModelRefused) => refuse(modelProblems(context, fields))

const create = pageForm({
  show: (context, state) => {
    const say = sayOf(context, "adminModels")
    const id = { name: "id", label: say("id"), hint: say("id.hint"), maxlength: MODEL_ID_CHARACTERS_MAX }
    return Effect.succeed(newRowPage({
      context,
      state,
      say,
      list: "/admin/models",
      lead: say("lead"),
      inputs: [{ ...id, required: true, autofocus: true }],
      children: <ModelFields context={context} state={state} />
    }))
  },
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = (fields.get("id") ?? "").trim()
      const wrong = isModelId(id) ? {} : modelProblems(context, ["id"])
      const terms = yield* Effect.mapError(
        Effect.fromResult(readModelForm(fields)),
        (found) => refuse({ ...wrong, ...formProblems(context, found) })
      )
      yield* (yield* ModelAdmin).create(actorOf(context), { id, ...terms })
      return redirect(withDone(modelPaths(id).edit, "created"))
    }).pipe(
      Effect.catchTags({
        ModelRefused: refused(context),
        ModelExists: () => refuse({ id: sayOf(context, "adminModels")("id.exists") }, 409)
      })
    )
})

const model = rowPages({
  at: { edit: "/admin/models/edit", disable: "/admin/models/disable", enable: "/admin/models/enable" },
  find: ({ query }) => Effect.flatMap(ModelAdmin, (models) => models.get(query.get("id") ?? "")),
  paths: ({ id }: AdminModel) => modelPaths(id),
  say: (context) => sayOf(context, "adminModels"),
  formOf: ({ terms }) => toModelForm(terms),
  show: (edited) => {
    const { row, state, context } = edited
    const { channels, disabledAt, id } = row
    const say = sayOf(context, "adminModels")
    return Effect.succeed(page(
      id,
      <EditPage
        {...edited}
        title={id}
        lead={
          <>
            <ModelBadges context={context} model={row} />
            {channels.length === 0 ? null : `${say("channels")}: ${channels.join(", ")}`}
          </>
        }
        table={<PriceTable context={context} model={row} />}
        facts={modelFacts({ context, model: row })}
        above={channels.length === 0 && disabledAt === null
          ? <Notice kind="warning">{say("channels.hint")}</Notice>
          : null}
      >
        <ModelFields context={context} state={state} />
      </EditPage>
    ))
  },
  disableText: (context, { id }) => sayOf(context, "adminModels")("disable.text", { id }),
  save: ({ revision, row: { id, terms: kept }, context }, fields) =>
    Effect.gen(function*() {
      const terms = yield* Effect.mapError(
        Effect.fromResult(readModelForm(fields, kept)),
        (found) => refuse(formProblems(context, found))
      )
      yield* (yield* ModelAdmin).edit(actorOf(context), { id, revision }, terms)
    }).pipe(Effect.catchTag("ModelRefused", refused(context))),
  setEnabled: ({ revision, row: { id }, context }, enabled) =>
    Effect.flatMap(ModelAdmin, (models) => models.setEnabled(actorOf(context), { id, revision }, enabled))
})

export const AdminModelsRoutes = routes(
  adminPage("/admin/models", list),
  adminFormPage("/admin/models/new", create),
  model.routes
)
