/**
 * The list of all models with their prices.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import { enabledFilter, List } from "../../kit/List.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Badge, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
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
  const { count, usd } = visit.formats
  const imported = visit.query.get("done") === "imported"
    ? { created: Number(visit.query.get("created")), changed: Number(visit.query.get("changed")) }
    : undefined
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <Actions visit={visit} />
      </PageHeading>
      {imported === undefined ? null : <Notice kind="success">{say("done.imported", imported)}</Notice>}
      <List
        visit={visit}
        path="/admin/models"
        caption={say("title")}
        items={models}
        hasMore={hasMore}
        order="first"
        cursor={{ name: "after", of: ({ id }) => id }}
        filter={[
          { is: "text", name: "q", label: say("search"), value: query.text },
          enabledFilter(say, query.state)
        ]}
        empty={{ icon: "model", title: say("empty"), text: say("empty.text") }}
        none={say("none")}
        columns={[
          {
            title: say("model"),
            cell: (model) => (
              <>
                <a class="break-anywhere" href={`/admin/models/edit?${new URLSearchParams({ id: model.id })}`}>
                  <code>{model.id}</code>
                </a>{" "}
                <ModelBadges visit={visit} model={model} />
              </>
            )
          },
          { title: say("input"), number: true, cell: ({ terms }) => usd(terms.price.inputMicrosPer1m) },
          {
            title: say("cached"),
            number: true,
            wide: true,
            cell: ({ terms }) => usd(terms.price.cachedInputMicrosPer1m)
          },
          {
            title: say("write"),
            number: true,
            wide: true,
            cell: ({ terms: { price } }) =>
              price.cacheWriteMicrosPer1m === null ? "–" : usd(price.cacheWriteMicrosPer1m)
          },
          { title: say("output"), number: true, cell: ({ terms }) => usd(terms.price.outputMicrosPer1m) },
          {
            title: say("context"),
            number: true,
            wide: true,
            cell: ({ terms: { contextTokens } }) => contextTokens === null ? "–" : count(contextTokens)
          },
          { title: say("limit"), number: true, wide: true, cell: ({ terms }) => count(terms.maxOutputTokens) },
          { title: say("channels"), wide: true, cell: (model) => <Channels visit={visit} model={model} /> }
        ]}
      />
    </>
  )
}
