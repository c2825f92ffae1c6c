/**
 * The list of all models with their prices.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import { enabledFilter, List, type Listed } from "../../kit/List.tsx"
import { Badge, NewLink, Notice, PageHeading, RowBadges } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { modelPath } from "./ModelPath.ts"
import { priceColumns } from "./PriceColumns.ts"

/** So many channels are named in the list. */
const CHANNELS_NAMED_MAX = 3

interface ModelProps {
  readonly context: UserContext
  readonly model: AdminModel
}

export const ModelBadges = ({ model, context }: ModelProps) => {
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

export const AdminModelsView = (
  { hasMore, items, query, context }: Listed<AdminModel> & {
    readonly context: UserContext
    readonly query: { readonly text: string | undefined; readonly state: "enabled" | "disabled" | undefined }
  }
) => {
  const say = sayOf(context, "adminModels")
  const { count } = context.formats
  const imported = context.query.get("done") === "imported"
    ? { created: Number(context.query.get("created")), changed: Number(context.query.get("changed")) }
    : undefined
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <div class="btn-list">
          <a class="btn" href="/admin/models/import">{say("import")}</a>
          <NewLink href="/admin/models/new" text={say("new")} />
        </div>
      </PageHeading>
      {imported === undefined ? null : <Notice kind="success">{say("done.imported", imported)}</Notice>}
      <List
        context={context}
        path="/admin/models"
        caption={say("title")}
        items={items}
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
                <a class="break-anywhere" href={modelPath("edit", model.id)}>
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
        ]}
      />
    </>
  )
}
