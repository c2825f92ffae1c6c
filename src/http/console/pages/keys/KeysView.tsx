/**
 * The list of a user's API keys, and the question before one is revoked.
 */
import type { ListedApiKey } from "../../../../identity/ApiKeys.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { NewLink } from "../../kit/NewLink.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { keysText } from "./KeysText.ts"

/** So many models are named in the list. */
const MODELS_NAMED_MAX = 2

interface KeyProps {
  readonly visit: UserVisit
  readonly apiKey: ListedApiKey
}

type KeyState = "active" | "expired" | "revoked"

const stateOf = ({ expiresAt, revokedAt }: ListedApiKey, now: Date): KeyState =>
  revokedAt !== null ? "revoked" : expiresAt !== null && expiresAt <= now ? "expired" : "active"

const StateBadge = ({ apiKey, visit }: KeyProps) => {
  const say = sayOf(visit, keysText)
  switch (stateOf(apiKey, visit.now)) {
    case "active":
      return <Badge tone="green">{say("state.active")}</Badge>
    case "expired":
      return <Badge tone="yellow">{say("state.expired")}</Badge>
    case "revoked":
      return <Badge tone="secondary">{say("state.revoked")}</Badge>
  }
}

const Models = ({ apiKey: { allowedModels }, visit }: KeyProps) => {
  const say = sayOf(visit, keysText)
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
const Day = ({ at, visit }: { readonly visit: UserVisit; readonly at: Date }) => (
  <time class="nowrap" dateTime={at.toISOString()} title={visit.formats.time(at)}>{visit.formats.date(at)}</time>
)

const RevokeLink = ({ apiKey, visit }: KeyProps) => {
  const say = sayOf(visit, keysText)
  const { hint, id, name } = apiKey
  return stateOf(apiKey, visit.now) === "active"
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

const KeysTable = ({ keys, visit }: { readonly visit: UserVisit; readonly keys: ReadonlyArray<ListedApiKey> }) => {
  const say = sayOf(visit, keysText)
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: say("key") },
        { title: say("state") },
        { title: say("limit"), number: true, wide: true },
        { title: say("models"), wide: true },
        { title: say("used"), wide: true },
        { title: say("expires"), wide: true },
        { title: say("created"), wide: true },
        { title: say("action"), number: true }
      ]}
      rows={keys.map((apiKey) => [
        <>
          <div class="key-name">{apiKey.name === "" ? "–" : apiKey.name}</div>
          <code class="nowrap">{apiKey.hint}</code>
        </>,
        <StateBadge visit={visit} apiKey={apiKey} />,
        apiKey.spendLimitMicros === null ? say("limit.none") : visit.formats.usd(apiKey.spendLimitMicros),
        <Models visit={visit} apiKey={apiKey} />,
        apiKey.lastUsedAt === null ? say("never") : <Day visit={visit} at={apiKey.lastUsedAt} />,
        apiKey.expiresAt === null ? say("never") : <Day visit={visit} at={apiKey.expiresAt} />,
        <Day visit={visit} at={apiKey.createdAt} />,
        <RevokeLink visit={visit} apiKey={apiKey} />
      ])}
    />
  )
}

export const KeysView = (
  { keys, visit }: { readonly visit: UserVisit; readonly keys: ReadonlyArray<ListedApiKey> }
) => {
  const say = sayOf(visit, keysText)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        {keys.length === 0 ? undefined : <NewLink href="/keys/new" text={say("new")} />}
      </PageHeading>
      {visit.query.get("done") === "revoked" ? <Notice kind="success">{say("done.revoked")}</Notice> : null}
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
          : <KeysTable visit={visit} keys={keys} />}
      </Card>
    </>
  )
}

export const RevokeKeyView = ({ key, visit }: { readonly visit: UserVisit; readonly key: ListedApiKey }) => {
  const say = sayOf(visit, keysText)
  return (
    <ConfirmPage
      visit={visit}
      title={say("revoke.title")}
      text={say("revoke.text", { name: key.name, hint: key.hint })}
      submit={say("revoke.submit")}
      cancel={say("revoke.cancel")}
      action={`/keys/${key.id}/revoke`}
      back="/keys"
    />
  )
}
