/**
 * The identities at providers by which a user signs in, on the account page; `/account/identities/{provider}/connect`, which asks for the
 * password before it leads to the provider, and the question before one is removed.
 */
import { Effect } from "effect"
import { IdentityId } from "../../../domain/Ids.ts"
import { type ConnectedIdentity, ExternalLogins } from "../../../identity/ExternalLogins.ts"
import { type OfferedProvider, SignInProviders } from "../../../identity/SignInProviders.ts"
import { emptyForm, orNotFound, page, PageNotFound, redirect } from "../Answer.ts"
import { routes, userForm, userPage } from "../ConsoleRoute.ts"
import { askPage } from "../kit/Forms.tsx"
import { dayColumn, TableCard, textColumn } from "../kit/List.tsx"
import { Notice, PageHeading, Panel } from "../kit/Parts.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"
import { refuseProof } from "../text/SharedTexts.ts"
import { passkeyProof, proofInputs, proofOf, proveSender } from "../kit/ProofForms.tsx"
import { providerAway, theProvider } from "./SignInWith.tsx"

const PATH = "/account/identities"

interface CardProps {
  readonly context: UserContext
  readonly identities: ReadonlyArray<ConnectedIdentity>
  readonly offered: ReadonlyArray<OfferedProvider>
}

export const IdentitiesCard = ({ identities, offered, context }: CardProps) => {
  const say = sayOf(context, "signIn")
  if (identities.length === 0 && offered.length === 0) return null
  const actions = (
    <div class="btn-list">
      {offered.map(({ id, name }) => (
        <a key={id} class="btn btn-sm" href={`${PATH}/${id}/connect`}>{say("connect", { name })}</a>
      ))}
    </div>
  )
  return identities.length === 0
    ? (
      <Panel title={say("title")} actions={actions}>
        <p class="text-secondary mb-0">{say("lead")}</p>
      </Panel>
    )
    : (
      <TableCard
        class=""
        title={say("title")}
        actions={actions}
        items={identities}
        columns={[
          textColumn(say("provider"), ({ issuer }: ConnectedIdentity) => issuer),
          dayColumn(context, say("created"), ({ createdAt }: ConnectedIdentity) => createdAt),
          dayColumn(context, say("lastUsed"), ({ lastUsedAt }: ConnectedIdentity) => lastUsedAt, say("never")),
          {
            title: say("action"),
            number: true,
            cell: ({ id, issuer }: ConnectedIdentity) => (
              <a class="btn btn-sm" href={`${PATH}/${id}/remove`} aria-label={say("remove.label", { issuer })}>
                {say("remove")}
              </a>
            )
          }
        ]}
      />
    )
}

const offeredHere = Effect.gen(function*() {
  const provider = yield* theProvider
  const found = (yield* SignInProviders).offered().find(({ id }) => id === provider)
  return found ?? (yield* new PageNotFound())
})

const showConnect = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const say = sayOf(context, "signIn")
  const { id, name } = yield* offeredHere
  return askPage({
    context,
    state,
    title: say("connect", { name }),
    lead: say("connect.lead"),
    submit: say("next"),
    action: `${PATH}/${id}/connect`,
    back: "/account",
    inputs: proofInputs(context),
    children: yield* passkeyProof(context)
  })
})

/** A link leads on: a form's redirect to another site is forbidden to every page. */
const connect = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "signIn")
  const { id, name } = yield* offeredHere
  yield* proveSender(context, fields)
  const about = { purpose: "link" as const, visitor: context.secret.value }
  return yield* (yield* SignInProviders).start(id, about).pipe(
    Effect.map((url) =>
      page(
        say("connect", { name }),
        <>
          <PageHeading title={say("connect", { name })} />
          <Notice kind="info">{say("connect.go", { name })}</Notice>
          <a class="btn btn-primary" href={url} rel="noreferrer">{say("with", { name })}</a>
        </>
      )
    ),
    Effect.catchTag("ProviderUnavailable", providerAway(context, id))
  )
})

const theIdentity = Effect.fnUntraced(function*({ user }: UserContext) {
  const id = yield* pathId("id", IdentityId)
  const found = (yield* (yield* ExternalLogins).list(user.id)).find((identity) => identity.id === id)
  return found ?? (yield* new PageNotFound())
})

const showRemove = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const say = sayOf(context, "signIn")
  const { id, issuer } = yield* theIdentity(context)
  return askPage({
    context,
    state,
    title: say("remove.title"),
    text: say("remove.text", { issuer }),
    submit: say("remove"),
    danger: true,
    action: `${PATH}/${id}/remove`,
    back: "/account",
    inputs: proofInputs(context),
    children: yield* passkeyProof(context)
  })
})

const remove = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const { id } = yield* theIdentity(context)
  const session = yield* (yield* ExternalLogins).remove(proofOf(context, fields), id).pipe(
    Effect.catchTags(refuseProof(context))
  )
  return redirect("/account?done=disconnected", { session })
}, orNotFound)

export const IdentitiesRoutes = routes(
  userPage(`${PATH}/:provider/connect`, showConnect),
  userForm(`${PATH}/:provider/connect`, { run: connect, again: showConnect }),
  userPage(`${PATH}/:id/remove`, showRemove),
  userForm(`${PATH}/:id/remove`, { run: remove, again: showRemove })
)
