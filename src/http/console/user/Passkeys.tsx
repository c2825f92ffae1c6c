/**
 * Passkeys on the page of the second factor, `/account/passkeys/new`, and the question before one is removed. Where this installation is
 * reached by an IP address there are none, and the page says so.
 */
import { Effect } from "effect"
import { PasskeyId } from "../../../domain/Ids.ts"
import { type Passkey, Passkeys, PASSKEYS_MAX } from "../../../identity/Passkeys.ts"
import type { RelyingParty } from "../../../identity/RelyingParty.ts"
import { Settings } from "../../../settings/Settings.ts"
import { emptyForm, orNotFound, PageNotFound, redirect, refuse, refusing } from "../Answer.ts"
import { routes, SECOND_FACTOR_PATH, userForm, userPage } from "../ConsoleRoute.ts"
import { askPage } from "../kit/Forms.tsx"
import { dayColumn, TableCard } from "../kit/List.tsx"
import { PasskeyButton } from "../kit/PasskeyButton.tsx"
import { Badge, Panel, Small } from "../kit/Parts.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"
import { refuseProof } from "../text/SharedTexts.ts"
import { addedAnswer } from "./RecoveryCodesPage.tsx"
import { passkeyProof, proofInputs, proofOf } from "../kit/ProofForms.tsx"

const PATH = "/account/passkeys"

const offText = (context: UserContext, why: "address" | "http"): string => {
  const say = sayOf(context, "passkeys")
  return why === "address" ? say("off.address") : say("off.http")
}

interface CardProps {
  readonly context: UserContext
  readonly passkeys: ReadonlyArray<Passkey>
  readonly party: RelyingParty
}

export const PasskeysCard = ({ passkeys, party, context }: CardProps) => {
  const say = sayOf(context, "passkeys")
  const add = party._tag === "Party" && passkeys.length < PASSKEYS_MAX
    ? <a class="btn btn-sm" href={`${PATH}/new`}>{say("add")}</a>
    : undefined
  const off = party._tag === "NoParty" ? offText(context, party.why) : undefined
  if (passkeys.length === 0) {
    return (
      <Panel title={say("title")} class="mb-3" actions={add}>
        <p class="text-secondary mb-0">{off ?? say("lead")}</p>
      </Panel>
    )
  }
  const nameOf = ({ name, rpId }: Passkey) => (
    <>
      <span class="break-anywhere">{name}</span> {party._tag === "Party" && party.id === rpId
        ? null
        : <Badge tone="yellow">{say("elsewhere", { host: rpId })}</Badge>}
    </>
  )
  const removeLink = ({ id, name }: Passkey) => (
    <a class="btn btn-sm btn-ghost-danger" href={`${PATH}/${id}/remove`} aria-label={say("remove.label", { name })}>
      {say("remove")}
    </a>
  )
  return (
    <TableCard
      title={say("title")}
      actions={add}
      items={passkeys}
      columns={[
        { title: say("name"), cell: nameOf },
        dayColumn(context, say("created"), ({ createdAt }: Passkey) => createdAt),
        dayColumn(context, say("lastUsed"), ({ lastUsedAt }: Passkey) => lastUsedAt, say("never")),
        { title: say("action"), number: true, cell: removeLink }
      ]}
    >
      {off === undefined ? null : (
        <div class="card-footer">
          <Small>{off}</Small>
        </div>
      )}
    </TableCard>
  )
}

const showNew = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const say = sayOf(context, "passkeys")
  const passkeys = yield* Passkeys
  const { email, id: userId } = context.user
  const issuer = (yield* Settings).current().site.name
  const options = yield* passkeys.creation({ userId, email, issuer }, context.secret.value)
  if (options === undefined && state === emptyForm) return redirect(SECOND_FACTOR_PATH)
  return askPage({
    context,
    state,
    title: say("add"),
    lead: say("add.lead"),
    action: `${PATH}/new`,
    back: SECOND_FACTOR_PATH,
    inputs: [
      { name: "name", label: say("name"), hint: say("name.example"), maxlength: 100, required: true, autofocus: true },
      ...proofInputs(context)
    ],
    children: (
      <>
        {options === undefined
          ? null
          : <PasskeyButton context={context} does="create" options={options} text={say("create")} look="btn-primary" />}
        <noscript>
          <p class="text-secondary mb-0">{say("noScript")}</p>
        </noscript>
      </>
    )
  })
})

const add = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "passkeys")
  const { passkey: created, ...proof } = proofOf(context, fields)
  const problems = {
    name: { name: say("name.problem") },
    many: { form: say("many", { max: PASSKEYS_MAX }) },
    known: { form: say("known") }
  }
  const added = yield* (yield* Passkeys).add({ ...proof, created, name: fields.get("name") ?? "" }).pipe(
    Effect.catchTags({
      ...refuseProof(context),
      // Without a second factor no code was asked for: it is the passkey that is wrong.
      SecondFactorWrong: refusing(
        context.session.secondFactor ? { code: sayOf(context, "secondFactor")("code.wrong") } : { form: say("refused") }
      ),
      PasskeyRefused: ({ reason }) => refuse(problems[reason])
    })
  )
  return addedAnswer(context, added, { done: "passkey", title: say("done.added") })
})

const thePasskey = Effect.fnUntraced(function*({ user }: UserContext) {
  const id = yield* pathId("id", PasskeyId)
  const found = (yield* (yield* Passkeys).list(user.id)).find((passkey) => passkey.id === id)
  return found ?? (yield* new PageNotFound())
})

const showRemove = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const say = sayOf(context, "passkeys")
  const { id, name } = yield* thePasskey(context)
  return askPage({
    context,
    state,
    title: say("remove.title"),
    text: say("remove.text", { name }),
    submit: say("remove"),
    danger: true,
    action: `${PATH}/${id}/remove`,
    back: SECOND_FACTOR_PATH,
    inputs: proofInputs(context),
    children: yield* passkeyProof(context)
  })
})

const remove = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const { id } = yield* thePasskey(context)
  const session = yield* (yield* Passkeys).remove({ ...proofOf(context, fields), id }).pipe(
    Effect.catchTags(refuseProof(context))
  )
  return redirect(`${SECOND_FACTOR_PATH}?done=passkey_removed`, { session })
}, orNotFound)

export const PasskeysRoutes = routes(
  userPage(`${PATH}/new`, showNew),
  userForm(`${PATH}/new`, { run: add, again: showNew }),
  userPage(`${PATH}/:id/remove`, showRemove),
  userForm(`${PATH}/:id/remove`, { run: remove, again: showRemove })
)
