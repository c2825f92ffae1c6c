/**
 * `/account/second-factor`: an authenticator app is set up, and turned off; recovery codes are replaced. Each form asks for the
 * password and a code. What is shown once - the app's secret, the recovery codes - is in the answer of the form alone.
 */
import { Effect, Redacted } from "effect"
import type { ComponentChildren } from "preact"
import { Passkeys } from "../../../identity/Passkeys.ts"
import { type Enrolment, SecondFactors, type SecondFactorView } from "../../../identity/SecondFactors.ts"
import { Settings } from "../../../settings/Settings.ts"
import { lacksSecondFactor } from "../../AdminPolicy.ts"
import { emptyForm, type FormState, redirect, refusing } from "../Answer.ts"
import { routes, SECOND_FACTOR_PATH, userForm, userPage } from "../ConsoleRoute.ts"
import { askPage, FormAlert, headedPage, InputForm } from "../kit/Forms.tsx"
import { Copyable, FactsCard, Notice, Panel } from "../kit/Parts.tsx"
import { QrCode } from "../kit/QrCode.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"
import { codeInput, refuseProof } from "../text/SharedTexts.ts"
import { PasskeysCard } from "./Passkeys.tsx"
import { passkeyProof, proofInputs, proofOf } from "../kit/ProofForms.tsx"
import { addedAnswer, codesPage } from "./RecoveryCodesPage.tsx"

const paths = {
  setUp: `${SECOND_FACTOR_PATH}/set-up`,
  codes: `${SECOND_FACTOR_PATH}/codes`,
  remove: `${SECOND_FACTOR_PATH}/remove`
} as const

interface SetUpProps {
  readonly context: UserContext
  readonly state: FormState
  readonly enrolment: Enrolment
  /** In place of the code of the factor that there is. */
  readonly passkey: ComponentChildren
}

const SetUp = ({ enrolment: { sealed, secret, uri }, passkey, state, context }: SetUpProps) => {
  const appCode = codeInput(context, { name: "app_code", label: sayOf(context, "secondFactor")("app.code") })
  const say = sayOf(context, "secondFactor")
  return (
    <Panel title={say("app")} class="mb-3">
      <FormAlert state={state} />
      <div class="row g-4">
        <div class="col-md-5">
          <p>{say("scan")}</p>
          <QrCode text={Redacted.value(uri)} label={say("qr")} />
          <p class="text-secondary small mt-2 mb-1">{say("type")}</p>
          <Copyable id="totp-secret" text={Redacted.value(secret)} label={say("copy")} copied={say("copied")} />
        </div>
        <div class="col-md-7">
          <p>{say("prove")}</p>
          <InputForm
            context={context}
            action={paths.setUp}
            state={state}
            fields={{ sealed }}
            inputs={[appCode, ...proofInputs(context), [passkey]]}
            submit={say("turnOn")}
          />
        </div>
      </div>
    </Panel>
  )
}

interface ManageProps {
  readonly context: UserContext
  readonly view: SecondFactorView
}

const Manage = ({ view: { recoveryCodes, totpSince }, context }: ManageProps) => {
  const say = sayOf(context, "secondFactor")
  const { formats } = context
  return (
    <>
      {recoveryCodes === 0 ? <Notice kind="warning">{say("codes.none")}</Notice> : null}
      <FactsCard
        title={say("title")}
        facts={[
          [say("app"), totpSince === null ? say("notSet") : say("since", { at: formats.date(totpSince) })],
          [say("codes.left"), formats.count(BigInt(recoveryCodes))]
        ]}
        footer={
          <div class="btn-list">
            <a class="btn" href={paths.codes}>{say("codes.renew")}</a>
            <a class="btn" href={paths.remove}>{say("turnOff")}</a>
          </div>
        }
      />
    </>
  )
}

const enrollerOf = (context: UserContext) =>
  Effect.map(Settings, (settings) => ({
    userId: context.user.id,
    email: context.user.email,
    issuer: settings.current().site.name
  }))

/** What is set up in the form; something new for any other form. */
const enrolmentOf = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const factors = yield* SecondFactors
  const enroller = yield* enrollerOf(context)
  return yield* factors.resume(enroller, state.values.get("sealed") ?? "").pipe(
    Effect.catchTag("EnrolmentInvalid", () => factors.begin(enroller))
  )
})

const show = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const say = sayOf(context, "secondFactor")
  const passkeys = yield* Passkeys
  const view = yield* (yield* SecondFactors).view(context.user.id)
  const isNeeded = lacksSecondFactor(yield* (yield* Settings).get, context.user, context.session)
  const form = view.totpSince === null
    ? { enrolment: yield* enrolmentOf(context, state), passkey: yield* passkeyProof(context) }
    : undefined
  return headedPage({
    context,
    title: say("title"),
    lead: say("lead"),
    done: {
      removed: say("done.removed"),
      app: say("done.on"),
      passkey: sayOf(context, "passkeys")("done.added"),
      passkey_removed: sayOf(context, "passkeys")("done.removed")
    },
    children: (
      <>
        {isNeeded ? <Notice kind="warning">{say("needed")}</Notice> : null}
        {context.session.secondFactor ? <Manage context={context} view={view} /> : null}
        <PasskeysCard
          context={context}
          party={passkeys.party()}
          passkeys={yield* passkeys.list(context.user.id)}
        />
        {form === undefined ? null : <SetUp context={context} state={state} {...form} />}
      </>
    )
  })
})

interface Question {
  readonly path: string
  readonly title: string
  readonly text: string
  readonly submit: string
  readonly danger?: boolean
}

/** Asks for the password and a code; leads back where there is no second factor. */
const ask = Effect.fnUntraced(function*(context: UserContext, { path, ...question }: Question, state: FormState) {
  if (state === emptyForm && !context.session.secondFactor) return redirect(SECOND_FACTOR_PATH)
  const form = { inputs: proofInputs(context), children: yield* passkeyProof(context) }
  return askPage({ context, state, action: path, back: SECOND_FACTOR_PATH, ...form, ...question })
})

const askCodes = (context: UserContext, state = emptyForm) => {
  const say = sayOf(context, "secondFactor")
  const question = { title: say("codes"), text: say("codes.lead"), submit: say("codes.renew") }
  return ask(context, { path: paths.codes, ...question }, state)
}

const askRemove = (context: UserContext, state = emptyForm) => {
  const say = sayOf(context, "secondFactor")
  const question = { title: say("turnOff"), text: say("off.lead"), submit: say("turnOff"), danger: true }
  return ask(context, { path: paths.remove, ...question }, state)
}

/** It was done elsewhere meanwhile: the page shows how it is now. */
const elsewhere = () => Effect.succeed(redirect(SECOND_FACTOR_PATH))

const setUp = (context: UserContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const given = { sealed: fields.get("sealed") ?? "", appCode: fields.get("app_code") ?? "" }
    const added = yield* (yield* SecondFactors).setUp({ ...proofOf(context, fields), ...given })
    return addedAnswer(context, added, { done: "app", title: sayOf(context, "secondFactor")("done.on") })
  }).pipe(
    Effect.catchTags({
      ...refuseProof(context),
      AppCodeWrong: refusing({ app_code: sayOf(context, "secondFactor")("code.wrong") }),
      EnrolmentInvalid: refusing({ form: context.say("form.expired") }),
      SecondFactorExists: elsewhere
    })
  )

const renew = (context: UserContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const codes = yield* (yield* SecondFactors).renewCodes(proofOf(context, fields))
    return codesPage(context, codes, sayOf(context, "secondFactor")("done.codes"))
  }).pipe(Effect.catchTags({ ...refuseProof(context), SecondFactorMissing: elsewhere }))

const remove = (context: UserContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const session = yield* (yield* SecondFactors).remove(proofOf(context, fields))
    return redirect(`${SECOND_FACTOR_PATH}?done=removed`, { session })
  }).pipe(Effect.catchTags({ ...refuseProof(context), SecondFactorMissing: elsewhere }))

export const SecondFactorRoutes = routes(
  userPage(SECOND_FACTOR_PATH, show),
  userForm(paths.setUp, { run: setUp, again: show }),
  userPage(paths.codes, askCodes),
  userForm(paths.codes, { run: renew, again: askCodes }),
  userPage(paths.remove, askRemove),
  userForm(paths.remove, { run: remove, again: askRemove })
)
