/**
 * The list of all models with their prices.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import { enabledFilter, List } from "../../kit/List.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Badge, PageHeading } from "../../ui/Parts.tsx"

export interface ModelQuery {
  readonly text: string
  readonly state: "enabled" | "disabled" | undefined
  readonly after: string | undefined
}

/** So many channels are named in the list. */
const CHANNELS_NAMED_MAX = 3

export const ModelBadges = ({ model, context }: { readonly context: UserContext; readonly model: AdminModel }) => {
  const say = sayOf(context, "adminModels")
  return (
    <>
      {model.disabledAt === null ? null : <Badge tone="secondary">{say("state.disabled")}</Badge>}{" "}
      {model.declared ? <Badge tone="blue">{say("configYaml")}</Badge> : null}{" "}
      {model.terms.reasoning ? <Badge tone="purple">{say("reasoning")}</Badge> : null}{" "}
      {model.terms.price.tiers === undefined ? null : <Badge tone="secondary">{say("tiers")}</Badge>}
    </>
  )
}

const Channels = ({ model, context }: { readonly context: UserContext; readonly model: AdminModel }) => {
  const say = sayOf(context, "adminModels")
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

const Actions = ({ context }: { readonly context: UserContext }) => {
  const say = sayOf(context, "adminModels")
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
  { hasMore, models, query, context }: {
    readonly context: UserContext
    readonly models: ReadonlyArray<AdminModel>
    readonly query: ModelQuery
    readonly hasMore: boolean
  }
) => {
  const say = sayOf(context, "adminModels")
  const { count, usd } = context.formats
  const imported = context.query.get("done") === "imported"
    ? { created: Number(context.query.get("created")), changed: Number(context.query.get("changed")) }
    : undefined
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <Actions context={context} />
      </PageHeading>
      {imported === undefined ? null : <Notice kind="success">{say("done.imported", imported)}</Notice>}
      <List
        context={context}
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
                <ModelBadges context={context} model={model} />
              </>
            )
          },
          { title: say("input"), number: true, cell: ({ terms }) => usd(terms.price.inputMicrosPer1m) },
          {
            title: say("cachedInput"),
            number: true,
            wide: true,
            cell: ({ terms }) => usd(terms.price.cachedInputMicrosPer1m)
          },
          {
            title: say("cacheWrite"),
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
          { title: say("outputLimit"), number: true, wide: true, cell: ({ terms }) => count(terms.maxOutputTokens) },
          { title: say("channels"), wide: true, cell: (model) => <Channels context={context} model={model} /> }
        ]}
      />
    </>
  )
}
