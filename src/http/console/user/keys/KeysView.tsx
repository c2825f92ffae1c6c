/**
 * The list of a user's API keys.
 */
import type { ListedApiKey } from "../../../../identity/ApiKeys.ts"
import { amountColumn } from "../../kit/Columns.tsx"
import { Done } from "../../kit/Done.tsx"
import { keyColumns } from "../../kit/KeyParts.tsx"
import { List } from "../../kit/List.tsx"
import { NewLink } from "../../kit/NewLink.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { PageHeading } from "../../ui/Parts.tsx"

/** So many models are named in the list. */
const MODELS_NAMED_MAX = 2

interface KeysProps {
  readonly context: UserContext
  readonly keys: ReadonlyArray<ListedApiKey>
}

const modelsOf = (context: UserContext, { allowedModels }: ListedApiKey) => {
  const say = sayOf(context, "keys")
  if (allowedModels === null) return say("models.all")
  const rest = allowedModels.length - MODELS_NAMED_MAX
  return (
    <span title={allowedModels.join("\n")}>
      {allowedModels.slice(0, MODELS_NAMED_MAX).map((id) => [<code class="break-anywhere">{id}</code>, " "])}
      {rest > 0 ? say("models.more", { count: rest }) : null}
    </span>
  )
}

export const KeysView = ({ keys, context }: KeysProps) => {
  const say = sayOf(context, "keys")
  const { date, time, usd } = context.formats
  const columns = keyColumns<ListedApiKey>(context, "/keys")
  const newLink = <NewLink href="/keys/new" text={say("new")} />
  /** A day; its title says the time. */
  const dayColumn = (title: string, atOf: (key: ListedApiKey) => Date | null) => ({
    title,
    wide: true,
    cell: (key: ListedApiKey) => {
      const at = atOf(key)
      return at === null
        ? say("never")
        : <time class="nowrap" dateTime={at.toISOString()} title={time(at)}>{date(at)}</time>
    }
  })
  const limitText = ({ spendLimitMicros }: ListedApiKey) =>
    spendLimitMicros === null ? say("limit.none") : usd(spendLimitMicros)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>{keys.length === 0 ? undefined : newLink}</PageHeading>
      <Done context={context} texts={{ revoked: say("done.revoked") }} />
      <List
        context={context}
        path="/keys"
        caption={say("title")}
        columns={[
          columns.name,
          columns.state,
          { ...amountColumn(say("limit"), limitText), wide: true },
          { title: say("models"), wide: true, cell: (key) => modelsOf(context, key) },
          dayColumn(say("lastUsed"), ({ lastUsedAt }) => lastUsedAt),
          dayColumn(say("expires"), ({ expiresAt }) => expiresAt),
          dayColumn(say("created"), ({ createdAt }) => createdAt),
          columns.action
        ]}
        items={keys}
        empty={{ icon: "key", title: say("empty"), text: say("empty.text"), action: newLink }}
      />
    </>
  )
}
