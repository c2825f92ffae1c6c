/**
 * The list of a user's API keys, and the question before one is revoked.
 */
import type { ListedApiKey } from "../../../../identity/ApiKeys.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { NewLink } from "../../kit/NewLink.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"

/** So many models are named in the list. */
const MODELS_NAMED_MAX = 2

interface KeyProps {
  readonly context: UserContext
  readonly apiKey: ListedApiKey
}

type KeyState = "active" | "expired" | "revoked"

const stateOf = ({ expiresAt, revokedAt }: ListedApiKey, now: Date): KeyState =>
  revokedAt !== null ? "revoked" : expiresAt !== null && expiresAt <= now ? "expired" : "active"

const StateBadge = ({ apiKey, context }: KeyProps) => {
  const say = sayOf(context, "keys")
  switch (stateOf(apiKey, context.now)) {
    case "active":
      return <Badge tone="green">{say("active")}</Badge>
    case "expired":
      return <Badge tone="yellow">{say("expired")}</Badge>
    case "revoked":
      return <Badge tone="secondary">{say("revoked")}</Badge>
  }
}

const Models = ({ apiKey: { allowedModels }, context }: KeyProps) => {
  const say = sayOf(context, "keys")
  if (allowedModels === null) return <>{say("models.all")}</>
  const rest = allowedModels.length - MODELS_NAMED_MAX
  return (
    <span title={allowedModels.join("\n")}>
      {allowedModels.slice(0, MODELS_NAMED_MAX).map((id) => (
        <>
          <code key={id} class="break-anywhere">{id}</code>
          {" "}
        </>
      ))}
      {rest > 0 ? say("models.more", { count: rest }) : null}
    </span>
  )
}

/** A day, with the exact time for whoever points at it. */
const Day = ({ at, context }: { readonly context: UserContext; readonly at: Date }) => (
  <time class="nowrap" dateTime={at.toISOString()} title={context.formats.time(at)}>{context.formats.date(at)}</time>
)

const RevokeLink = ({ apiKey, context }: KeyProps) => {
  const say = sayOf(context, "keys")
  const { hint, id, name } = apiKey
  return stateOf(apiKey, context.now) === "active"
    ? (
      <a
        class="btn btn-sm btn-ghost-danger"
        href={`/keys/${id}/revoke`}
        aria-label={say("revoke.label", { name: name === "" ? hint : name })}
      >
        {say("revoke")}
      </a>
    )
    : null
}

const KeysTable = (
  { keys, context }: { readonly context: UserContext; readonly keys: ReadonlyArray<ListedApiKey> }
) => {
  const say = sayOf(context, "keys")
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: say("key") },
        { title: say("state") },
        { title: say("limit"), number: true, wide: true },
        { title: say("models"), wide: true },
        { title: say("lastUsed"), wide: true },
        { title: say("expires"), wide: true },
        { title: say("created"), wide: true },
        { title: say("action"), number: true }
      ]}
      rows={keys.map((apiKey) => [
        <>
          <div class="key-name">{apiKey.name === "" ? "–" : apiKey.name}</div>
          <code class="nowrap">{apiKey.hint}</code>
        </>,
        <StateBadge context={context} apiKey={apiKey} />,
        apiKey.spendLimitMicros === null ? say("limit.none") : context.formats.usd(apiKey.spendLimitMicros),
        <Models context={context} apiKey={apiKey} />,
        apiKey.lastUsedAt === null ? say("never") : <Day context={context} at={apiKey.lastUsedAt} />,
        apiKey.expiresAt === null ? say("never") : <Day context={context} at={apiKey.expiresAt} />,
        <Day context={context} at={apiKey.createdAt} />,
        <RevokeLink context={context} apiKey={apiKey} />
      ])}
    />
  )
}

export const KeysView = (
  { keys, context }: { readonly context: UserContext; readonly keys: ReadonlyArray<ListedApiKey> }
) => {
  const say = sayOf(context, "keys")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        {keys.length === 0 ? undefined : <NewLink href="/keys/new" text={say("new")} />}
      </PageHeading>
      {context.query.get("done") === "revoked" ? <Notice kind="success">{say("done.revoked")}</Notice> : null}
      <Card>
        {keys.length === 0
          ? (
            <Nothing
              icon="key"
              title={say("empty")}
              text={say("empty.text")}
              action={<NewLink href="/keys/new" text={say("new")} />}
            />
          )
          : <KeysTable context={context} keys={keys} />}
      </Card>
    </>
  )
}

export const RevokeKeyView = ({ key, context }: { readonly context: UserContext; readonly key: ListedApiKey }) => {
  const say = sayOf(context, "keys")
  return (
    <ConfirmPage
      context={context}
      title={say("revoke.title")}
      text={say("revoke.text", { name: key.name, hint: key.hint })}
      submit={say("revokeTheKey")}
      cancel={say("keepIt")}
      action={`/keys/${key.id}/revoke`}
      back="/keys"
    />
  )
}
