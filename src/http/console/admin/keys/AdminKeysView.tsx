/**
 * The list of the administration's keys, the form of a new one, and the one page that ever shows it.
 */
import type { AdminKey } from "../../../../identity/AdminKeys.ts"
import type { FormState } from "../../Answer.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, Copyable, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"

interface KeyProps {
  readonly context: UserContext
  readonly apiKey: AdminKey
}

const isExpired = ({ expiresAt }: AdminKey, now: Date): boolean => expiresAt !== null && expiresAt <= now

const StateBadge = ({ apiKey, context }: KeyProps) => {
  const say = sayOf(context, "adminKeys")
  if (apiKey.revokedAt !== null) return <Badge tone="secondary">{say("revoked")}</Badge>
  return isExpired(apiKey, context.now)
    ? <Badge tone="yellow">{say("expired")}</Badge>
    : <Badge tone="green">{say("active")}</Badge>
}

const RevokeLink = ({ apiKey, context }: KeyProps) => {
  const say = sayOf(context, "adminKeys")
  return apiKey.revokedAt !== null || isExpired(apiKey, context.now) ? null : (
    <a
      class="btn btn-sm btn-ghost-danger"
      href={`/admin/keys/${apiKey.id}/revoke`}
      aria-label={say("revoke.label", { name: apiKey.name })}
    >
      {say("revoke")}
    </a>
  )
}

const KeysTable = ({ keys, context }: { readonly context: UserContext; readonly keys: ReadonlyArray<AdminKey> }) => {
  const say = sayOf(context, "adminKeys")
  const moment = (at: Date | null) => at === null ? say("never") : <Moment context={context} at={at} />
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: say("key") },
        { title: say("state") },
        { title: say("administrator"), wide: true },
        { title: say("lastUsed"), wide: true },
        { title: say("expiry"), wide: true },
        { title: say("created"), wide: true },
        { title: say("action"), number: true }
      ]}
      rows={keys.map((apiKey) => [
        <>
          <div class="key-name">{apiKey.name}</div>
          <code class="nowrap">{apiKey.hint}</code>
        </>,
        <StateBadge context={context} apiKey={apiKey} />,
        <span class="break-anywhere">{apiKey.email}</span>,
        moment(apiKey.lastUsedAt),
        moment(apiKey.expiresAt),
        moment(apiKey.createdAt),
        <RevokeLink context={context} apiKey={apiKey} />
      ])}
    />
  )
}

export const AdminKeysView = (
  { keys, state, context }: {
    readonly context: UserContext
    readonly keys: ReadonlyArray<AdminKey>
    readonly state: FormState
  }
) => {
  const say = sayOf(context, "adminKeys")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <a class="btn" href="/api/docs">{say("docs")}</a>
      </PageHeading>
      {!context.isForm && context.query.get("done") === "revoked"
        ? <Notice kind="success">{say("done.revoked")}</Notice>
        : null}
      <Card title={say("new")} class="mb-3">
        <PostForm context={context} action="/admin/keys" class="card-body">
          <FormAlert state={state} />
          <div class="row g-3">
            <div class="col-md-6">
              <Field
                state={state}
                name="name"
                label={say("name")}
                hint={say("name.hint")}
                autocomplete="off"
                required
              />
            </div>
            <div class="col-md-6">
              <Field
                state={state}
                name="expiry"
                type="date"
                label={say("expiry")}
                hint={say("expiry.hint", { zone: context.formats.timeZone })}
              />
            </div>
          </div>
          <button type="submit" class="btn btn-primary">{say("submit")}</button>
        </PostForm>
      </Card>
      <Card>
        {keys.length === 0 ? <Nothing icon="key" title={say("empty")} /> : <KeysTable context={context} keys={keys} />}
      </Card>
    </>
  )
}

export const RevokeAdminKeyView = ({ apiKey, context }: KeyProps) => {
  const say = sayOf(context, "adminKeys")
  return (
    <ConfirmPage
      context={context}
      title={say("revoke.title")}
      text={say("revoke.text", { name: apiKey.name, hint: apiKey.hint })}
      submit={say("revokeTheKey")}
      cancel={say("keepIt")}
      action={`/admin/keys/${apiKey.id}/revoke`}
      back="/admin/keys"
    />
  )
}

export const CreatedAdminKeyView = (
  { address, key, context }: { readonly context: UserContext; readonly key: string; readonly address: string }
) => {
  const say = sayOf(context, "adminKeys")
  const copy = { label: say("copy"), copied: say("copied") }
  return (
    <>
      <PageHeading title={say("created.title")} />
      <Notice kind="warning">{say("created.once")}</Notice>
      <Card class="mb-3">
        <div class="card-body">
          <Copyable id="new-admin-key" text={key} {...copy} />
        </div>
      </Card>
      <Card title={say("tryIt")} class="mb-3">
        <div class="card-body">
          <Copyable
            id="new-admin-key-curl"
            text={`curl ${address}/api/admin/me -H "Authorization: Bearer ${key}"`}
            {...copy}
          />
        </div>
      </Card>
      <a class="btn btn-primary" href="/admin/keys">{say("done")}</a>
    </>
  )
}
