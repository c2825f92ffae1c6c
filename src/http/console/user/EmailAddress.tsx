/**
 * `/account/email`: another e-mail address, which is confirmed where the mail arrives; and the pages that mailed links lead to. A link
 * changes nothing by being opened - mail programs do that, too -, but by the button on its page, pressed by who is signed in.
 */
import { Effect } from "effect"
import { type EmailAddress, EmailAddresses } from "../../../identity/EmailAddresses.ts"
import { emptyForm, page, redirect, refusing } from "../Answer.ts"
import { routes, userForm, userPage } from "../ConsoleRoute.ts"
import { emailInput, linkToken } from "../kit/EntryPages.tsx"
import { askPage, ButtonForm } from "../kit/Forms.tsx"
import { Badge, Notice, PageHeading } from "../kit/Parts.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"
import { refuseBusy, refuseProof } from "../text/SharedTexts.ts"
import { mailsOf } from "./MailParts.ts"
import { passkeyProof, proofInputs, proofOf } from "../kit/ProofForms.tsx"

const PATH = "/account/email"

interface StateProps {
  readonly context: UserContext
  readonly address: EmailAddress
  /** Whether mail can be sent. */
  readonly canMail: boolean
}

/** The address, whether it is verified, and what can be done about it. */
export const EmailState = ({ address: { email, verifiedAt }, canMail, context }: StateProps) => {
  const say = sayOf(context, "emailAddress")
  const badge = verifiedAt === null
    ? canMail ? <Badge tone="yellow">{say("unverified")}</Badge> : null
    : <Badge tone="green">{say("verified")}</Badge>
  return (
    <>
      <span class="break-anywhere">{email}</span> {badge}
      {canMail
        ? (
          <div class="btn-list mt-2">
            <a class="btn btn-sm" href={PATH}>{say("change")}</a>
            {verifiedAt === null
              ? <ButtonForm context={context} action={`${PATH}/verify`} look="btn-sm" button={say("verify")} />
              : null}
          </div>
        )
        : null}
    </>
  )
}

const sentPage = (context: UserContext, text: string) => {
  const title = sayOf(context, "emailAddress")("sent.title")
  return page(
    title,
    <>
      <PageHeading title={title} />
      <Notice kind="info">{text}</Notice>
      <a class="btn" href="/account">{context.say("action.back")}</a>
    </>
  )
}

const invalidPage = (context: UserContext) => {
  const say = sayOf(context, "emailAddress")
  return page(
    say("invalid.title"),
    <>
      <PageHeading title={say("invalid.title")} />
      <Notice kind="warning">{say("invalid.text")}</Notice>
      <a class="btn" href="/account">{context.say("action.back")}</a>
    </>,
    { status: 404 }
  )
}

const showChange = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const say = sayOf(context, "emailAddress")
  if (state === emptyForm && !(yield* (yield* EmailAddresses).configured)) return redirect("/account")
  return askPage({
    context,
    state,
    title: say("change.title"),
    lead: say("change.lead"),
    submit: say("change.submit"),
    action: PATH,
    back: "/account",
    inputs: [emailInput(context, { label: say("new"), autofocus: state === emptyForm }), ...proofInputs(context)],
    children: yield* passkeyProof(context)
  })
})

const askChange = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "emailAddress")
  const emails = yield* EmailAddresses
  if (!(yield* emails.configured)) return redirect("/account")
  const { change: confirm, known } = yield* mailsOf(context)
  const email = fields.get("email") ?? ""
  yield* emails.askChange({ ...proofOf(context, fields), email, mails: { confirm, known } }).pipe(
    Effect.catchTags({
      ...refuseProof(context),
      // Too many mails, more often than too many proofs.
      TooManyAttempts: refuseBusy(context),
      InvalidEmail: refusing({ email: say("email.invalid") })
    })
  )
  return sentPage(context, say("change.sent", { email }))
})

const askVerification = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "emailAddress")
  const emails = yield* EmailAddresses
  const { email, id: userId } = context.user
  const mail = (yield* mailsOf(context)).verification
  yield* emails.askVerification({ userId, address: context.address, mail }).pipe(
    Effect.catchTag("TooManyAttempts", refuseBusy(context))
  )
  return sentPage(context, say("verify.sent", { email }))
})

/** One button, on the page of a link. */
const confirmPage = (context: UserContext, shown: { readonly title: string; readonly text: string }) =>
  askPage({
    context,
    state: emptyForm,
    submit: sayOf(context, "emailAddress")("confirm"),
    action: context.pathname,
    back: "/account",
    ...shown
  })

const showVerify = (context: UserContext) => {
  const say = sayOf(context, "emailAddress")
  return Effect.succeed(confirmPage(context, {
    title: say("verify.title"),
    text: say("verify.text", { email: context.user.email })
  }))
}

const verify = (context: UserContext) =>
  Effect.gen(function*() {
    yield* (yield* EmailAddresses).verify(context.user.id, yield* linkToken)
    return redirect("/account?done=verified")
  }).pipe(Effect.catchTag("MailLinkInvalid", () => Effect.succeed(invalidPage(context))))

const showConfirm = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "emailAddress")
  const to = yield* (yield* EmailAddresses).changeOf(context.user.id, yield* linkToken)
  if (to === undefined) return invalidPage(context)
  const text = say("confirm.text", { from: context.user.email, to })
  return confirmPage(context, { title: say("change.title"), text })
})

const confirm = (context: UserContext) =>
  Effect.gen(function*() {
    const { address, session, user } = context
    const asked = { userId: user.id, token: yield* linkToken, keepToken: session.token, address }
    const renewed = yield* (yield* EmailAddresses).change(asked)
    return redirect("/account?done=email", { session: renewed })
  }).pipe(
    Effect.catchTags({
      MailLinkInvalid: () => Effect.succeed(invalidPage(context)),
      EmailTaken: () => Effect.succeed(invalidPage(context))
    })
  )

export const EmailAddressRoutes = routes(
  userPage(PATH, showChange),
  userForm(PATH, { run: askChange, again: showChange }),
  userForm(`${PATH}/verify`, { run: askVerification }),
  userPage(`${PATH}/verify/:token`, showVerify),
  userForm(`${PATH}/verify/:token`, { run: verify }),
  userPage(`${PATH}/change/:token`, showConfirm),
  userForm(`${PATH}/change/:token`, { run: confirm })
)
