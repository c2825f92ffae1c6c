/**
 * The list of all models with their prices.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Badge, Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { FilterChoice, FilterText } from "../../ui/FilterParts.tsx"
import { adminModelsText } from "./AdminModelsText.ts"

export interface ModelQuery {
  readonly text: string
  readonly state: "enabled" | "disabled" | undefined
  readonly after: string | undefined
}

/** So many channels are named in the list. */
const CHANNELS_NAMED_MAX = 3

export const ModelBadges = ({ model, visit }: { readonly visit: UserVisit; readonly model: AdminModel }) => {
  const say = sayOf(visit, adminModelsText)
  return (
    <>
      {model.disabledAt === null ? null : <Badge tone="secondary">{say("state.disabled")}</Badge>}{" "}
      {model.declared ? <Badge tone="blue">{say("declared")}</Badge> : null}{" "}
      {model.terms.reasoning ? <Badge tone="purple">{say("reasoning")}</Badge> : null}{" "}
      {model.terms.price.tiers === undefined ? null : <Badge tone="secondary">{say("tiers")}</Badge>}
    </>
  )
}

const Channels = ({ model, visit }: { readonly visit: UserVisit; readonly model: AdminModel }) => {
  const say = sayOf(visit, adminModelsText)
  const { channels } = model
  if (channels.length === 0) {
    return model.disabledAt === null
      ? (
        <span title={say("channels.hint")}>
          <Badge tone="yellow">{say("channels.none")}</Badge>
        </span>
      )
      : <>–</>
  }
  const rest = channels.length - CHANNELS_NAMED_MAX
  return (
    <span class="break-anywhere" title={channels.join("\n")}>
      {channels.slice(0, CHANNELS_NAMED_MAX).join(", ")}
      {rest > 0 ? ` +${rest}` : null}
    </span>
  )
}

const ModelsTable = (
  { models, visit }: { readonly visit: UserVisit; readonly models: ReadonlyArray<AdminModel> }
) => {
  const say = sayOf(visit, adminModelsText)
  const { usd } = visit.formats
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: say("model") },
        { title: say("input"), number: true },
        { title: say("cached"), number: true, wide: true },
        { title: say("write"), number: true, wide: true },
        { title: say("output"), number: true },
        { title: say("context"), number: true, wide: true },
        { title: say("limit"), number: true, wide: true },
        { title: say("channels"), wide: true }
      ]}
      rows={models.map((model) => {
        const { contextTokens, maxOutputTokens, price } = model.terms
        return [
          <>
            <a class="break-anywhere" href={`/admin/models/edit?${new URLSearchParams({ id: model.id })}`}>
              <code>{model.id}</code>
            </a>{" "}
            <ModelBadges visit={visit} model={model} />
          </>,
          usd(price.inputMicrosPer1m),
          usd(price.cachedInputMicrosPer1m),
          price.cacheWriteMicrosPer1m === null ? "–" : usd(price.cacheWriteMicrosPer1m),
          usd(price.outputMicrosPer1m),
          contextTokens === null ? "–" : visit.formats.count(contextTokens),
          visit.formats.count(maxOutputTokens),
          <Channels visit={visit} model={model} />
        ]
      })}
    />
  )
}

const Filter = ({ query, visit }: { readonly visit: UserVisit; readonly query: ModelQuery }) => {
  const say = sayOf(visit, adminModelsText)
  return (
    <form method="get" action="/admin/models" class="card-body border-bottom">
      <div class="row g-2 align-items-end">
        <FilterText name="q" label={say("search")} value={query.text} />
        <FilterChoice
          name="state"
          label={say("state")}
          all={say("state.all")}
          chosen={query.state}
          options={[["enabled", say("state.enabled")], ["disabled", say("state.disabled")]]}
        />
        <div class="col-12 col-sm-auto">
          <button class="btn w-100" type="submit">{say("filter")}</button>
        </div>
      </div>
    </form>
  )
}

const Paging = (
  { hasMore, last, query, visit }: {
    readonly visit: UserVisit
    readonly query: ModelQuery
    readonly hasMore: boolean
    readonly last: string | undefined
  }
) => {
  const say = sayOf(visit, adminModelsText)
  const kept = { ...(query.text === "" ? {} : { q: query.text }), ...(query.state && { state: query.state }) }
  return query.after === undefined && !hasMore ? null : (
    <div class="card-footer btn-list">
      {query.after === undefined
        ? null
        : <a class="btn btn-sm" href={`/admin/models?${new URLSearchParams(kept)}`}>{say("first")}</a>}
      {hasMore && last !== undefined
        ? (
          <a class="btn btn-sm" href={`/admin/models?${new URLSearchParams({ ...kept, after: last })}`}>
            {say("more")}
          </a>
        )
        : null}
    </div>
  )
}

const Actions = ({ visit }: { readonly visit: UserVisit }) => {
  const say = sayOf(visit, adminModelsText)
  return (
    <div class="btn-list">
      <a class="btn" href="/admin/models/import">{say("import")}</a>
      <a class="btn btn-primary" href="/admin/models/new">
        <Icon name="plus" />
        {say("new")}
      </a>
    </div>
  )
}

export const AdminModelsView = (
  { hasMore, models, query, visit }: {
    readonly visit: UserVisit
    readonly models: ReadonlyArray<AdminModel>
    readonly query: ModelQuery
    readonly hasMore: boolean
  }
) => {
  const say = sayOf(visit, adminModelsText)
  const isWhole = query.text === "" && query.state === undefined && query.after === undefined
  const imported = visit.query.get("done") === "imported"
    ? { created: Number(visit.query.get("created")), changed: Number(visit.query.get("changed")) }
    : undefined
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <Actions visit={visit} />
      </PageHeading>
      {imported === undefined ? null : <Notice kind="success">{say("done.imported", imported)}</Notice>}
      <Card>
        {models.length === 0 && isWhole
          ? <Nothing icon="model" title={say("empty")} text={say("empty.text")} />
          : (
            <>
              <Filter visit={visit} query={query} />
              {models.length === 0
                ? <Nothing icon="filter" title={say("none")} />
                : <ModelsTable visit={visit} models={models} />}
              <Paging visit={visit} query={query} hasMore={hasMore} last={models.at(-1)?.id} />
            </>
          )}
      </Card>
    </>
  )
}
