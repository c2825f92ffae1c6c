/**
 * `/account`: who a user is here, how the console looks to them, their password, and where they are signed in.
 */
import { Effect, Redacted } from "effect"
import type { ComponentChildren, ComponentProps } from "preact"
import { buyerCharactersMax, type BuyerField, type BuyerTerms, buyerTerms } from "../../../domain/BuyerTerms.ts"
import { languages } from "../../../domain/Language.ts"
import { BuyerDetails } from "../../../identity/BuyerDetails.ts"
import { deviceOf } from "../../../identity/Device.ts"
import { EmailAddresses } from "../../../identity/EmailAddresses.ts"
import { ExternalLogins } from "../../../identity/ExternalLogins.ts"
import { Login } from "../../../identity/Login.ts"
import { type ListedSession, LoginSessions } from "../../../identity/LoginSessions.ts"
import { isStaff } from "../../../identity/Roles.ts"
import { SignInProviders } from "../../../identity/SignInProviders.ts"
import { NoticePreferences } from "../../../notices/NoticePreferences.ts"
import { emptyForm, type FormState, redirect, refuse } from "../Answer.ts"
import { routes, SECOND_FACTOR_PATH, userForm, userPage, visitorForm } from "../ConsoleRoute.ts"
import { ButtonForm, FormAlert, headedPage, InputForm } from "../kit/Forms.tsx"
import { TableCard, timeColumn } from "../kit/List.tsx"
import { Badge, Facts, Grid, Panel } from "../kit/Parts.tsx"
import { LANGUAGE_COOKIE, sayOf, THEME_COOKIE, themes, type UserContext } from "../PageContext.ts"
import { localPath } from "../Params.ts"
import { codeInput, refusePassword, refuseProof, roleNames } from "../text/SharedTexts.ts"
import { EmailState } from "./EmailAddress.tsx"
import { IdentitiesCard } from "./Identities.tsx"
import { passkeyProof, proofOf } from "../kit/ProofForms.tsx"

const Profile = ({ context, ...state }: ComponentProps<typeof EmailState>) => {
  const say = sayOf(context, "account")
  const { createdAt, role } = context.user
  return (
    <Panel title={say("profile")} class="h-100">
      <Facts
        facts={[
          [say("email"), <EmailState context={context} {...state} />],
          [say("role"), roleNames(context)[role]],
          [say("since"), <time dateTime={createdAt.toISOString()}>{context.formats.date(createdAt)}</time>]
        ]}
      />
    </Panel>
  )
}

const Look = ({ context }: { readonly context: UserContext }) => {
  const { language, say, theme } = context
  const languages = [["en", "English"], ["zh", "中文"]] as const
  const themes = [["auto", say("look.auto")], ["light", say("look.light")], ["dark", say("look.dark")]] as const
  return (
    <Panel title={sayOf(context, "account")("look")} class="h-100">
      <InputForm
        context={context}
        action="/look"
        fields={{ next: "/account?done=look" }}
        inputs={[[
          { is: "select", name: "language", label: say("look.language"), initial: language, options: languages },
          { is: "select", name: "theme", label: say("look.theme"), initial: theme, options: themes }
        ]]}
        look=""
        submit={say("action.save")}
      />
    </Panel>
  )
}

/** Whether there is a second factor, and where it is set up. */
const SecondFactor = ({ context }: { readonly context: UserContext }) => {
  const say = sayOf(context, "account")
  const { secondFactor } = context.session
  return (
    <Panel
      title={say("secondFactor")}
      actions={
        <a class="btn btn-sm" href={SECOND_FACTOR_PATH}>{say(secondFactor ? "secondFactor.manage" : "setUp")}</a>
      }
    >
      <Badge tone={secondFactor ? "green" : "secondary"}>{say(secondFactor ? "on" : "secondFactor.off")}</Badge>
      <p class="text-secondary mt-2 mb-0">{say("secondFactor.lead")}</p>
    </Panel>
  )
}

interface PasswordProps {
  readonly context: UserContext
  readonly state: FormState
  /** In place of a code. */
  readonly passkey: ComponentChildren
}

const Password = ({ passkey, state, context }: PasswordProps) => {
  const say = sayOf(context, "account")
  const hint = sayOf(context, "password")("rules")
  return (
    <Panel title={say("password")}>
      <InputForm
        context={context}
        action="/account/password"
        state={state}
        inputs={[[
          { is: "password", name: "current", label: say("password.current"), required: true },
          { is: "secret", name: "next", label: say("password.next"), hint, required: true }
        ], ...(context.session.secondFactor ? [[codeInput(context)], [passkey]] : [])]}
        submit={say("password.submit")}
      >
        <FormAlert state={state} />
        <p class="text-secondary">{say(isStaff(context.user.role) ? "password.lead.staff" : "password.lead")}</p>
      </InputForm>
    </Panel>
  )
}

interface BuyerProps {
  readonly context: UserContext
  readonly state: FormState
  readonly buyer: BuyerTerms
}

/** Whom receipts name, which each order keeps from when it is paid. */
const Buyer = ({ buyer, state, context }: BuyerProps) => {
  const say = sayOf(context, "account")
  const inputs = [
    { name: buyerTerms.keys.companyName, label: say("company"), initial: buyer.companyName },
    { name: buyerTerms.keys.taxId, label: say("taxId"), initial: buyer.taxId }
  ]
  return (
    <div id="buyer">
      <Panel title={say("receipts")}>
        <InputForm
          context={context}
          action="/account/buyer"
          state={state}
          inputs={[inputs]}
          look=""
          submit={context.say("action.save")}
        >
          <FormAlert state={state} />
          <p class="text-secondary">{say("receipts.lead")}</p>
        </InputForm>
      </Panel>
    </div>
  )
}

interface SessionsProps {
  readonly context: UserContext
  readonly sessions: ReadonlyArray<ListedSession>
}

const Sessions = ({ sessions, context }: SessionsProps) => {
  const say = sayOf(context, "account")
  const end = { action: "/account/sessions", confirm: say("sessions.confirm"), button: say("sessions.end") }
  const device = ({ current, userAgent }: ListedSession) => (
    <>
      <span title={userAgent}>{deviceOf(userAgent) ?? say("device.unknown")}</span>{" "}
      {current ? <Badge tone="green">{say("here")}</Badge> : null}
    </>
  )
  const address = ({ address }: ListedSession) => address === "" ? "–" : <span class="break-anywhere">{address}</span>
  return (
    <TableCard
      class=""
      title={say("sessions")}
      actions={sessions.length < 2 ? undefined : <ButtonForm context={context} look="btn-sm" {...end} />}
      items={sessions}
      columns={[
        { title: say("device"), cell: device },
        { title: say("address"), wide: true, cell: address },
        timeColumn(context, say("opened"), ({ createdAt }: ListedSession) => createdAt),
        { ...timeColumn(context, say("seen"), ({ lastSeenAt }: ListedSession) => lastSeenAt), wide: false }
      ]}
    />
  )
}

/** The state of each form: a problem of one is not shown at the other. */
interface States {
  readonly password?: FormState
  readonly buyer?: FormState
}

const show = Effect.fnUntraced(function*(context: UserContext, states: States = {}) {
  const say = sayOf(context, "account")
  const buyer = yield* (yield* BuyerDetails).of(context.user.id)
  const emails = yield* EmailAddresses
  const address = yield* emails.of(context.user.id)
  const sessions = yield* (yield* LoginSessions).list(context.user.id, context.session.token)
  return headedPage({
    context,
    title: say("title"),
    done: {
      password: say(isStaff(context.user.role) ? "done.password.staff" : "done.password"),
      buyer: say("done.buyer"),
      sessions: say("done.sessions"),
      look: say("done.look"),
      connected: sayOf(context, "signIn")("done.connected"),
      disconnected: sayOf(context, "signIn")("done.removed"),
      verified: sayOf(context, "emailAddress")("done.verified"),
      email: sayOf(context, "emailAddress")("done.changed")
    },
    children: (
      <Grid
        cells={[
          ["col-lg-6", <Profile context={context} address={address} canMail={yield* emails.configured} />],
          ["col-lg-6", <Look context={context} />],
          [
            "col-12",
            <Password context={context} state={states.password ?? emptyForm} passkey={yield* passkeyProof(context)} />
          ],
          ["col-12", <SecondFactor context={context} />],
          [
            "col-12",
            <IdentitiesCard
              context={context}
              offered={(yield* SignInProviders).offered()}
              identities={yield* (yield* ExternalLogins).list(context.user.id)}
            />
          ],
          ["col-12", <Buyer context={context} state={states.buyer ?? emptyForm} buyer={buyer} />],
          ["col-12", <Sessions context={context} sessions={sessions} />]
        ]}
      />
    )
  })
})

const changePassword = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const session = yield* (yield* Login).changePassword({
    ...proofOf(context, fields, "current"),
    next: Redacted.make(fields.get("next") ?? "")
  }).pipe(
    Effect.catchTags({
      ...refuseProof(context, "current"),
      PasswordRefused: refusePassword(context, "next")
    })
  )
  return redirect("/account?done=password", { session })
})

const saveBuyer = Effect.fnUntraced(function*(context: UserContext, form: URLSearchParams) {
  const refused = (fields: ReadonlyArray<BuyerField>) =>
    refuse(Object.fromEntries(fields.map((field) => {
      const max = buyerCharactersMax[field]
      return [buyerTerms.keys[field], sayOf(context, "term")("problem.text.optional", { max })]
    })))
  const terms = yield* Effect.mapError(Effect.fromResult(buyerTerms.readForm(form)), refused)
  yield* (yield* BuyerDetails).save(context.user.id, terms).pipe(
    Effect.catchTag("BuyerRefused", ({ fields }) => refused(fields))
  )
  return redirect("/account?done=buyer")
})

const closeSessions = Effect.fnUntraced(function*({ session, user }: UserContext) {
  yield* (yield* LoginSessions).closeOthers(user.id, session.token)
  return redirect("/account?done=sessions")
})

/** Leads back to the page that it was made on. */
const lookForm = visitorForm("/look", {
  run: ({ user }, fields) =>
    Effect.gen(function*() {
      const language = languages.find((known) => known === fields.get("language"))
      const theme = themes.find((known) => known === fields.get("theme"))
      // Notices are written in it from now on.
      if (user !== undefined && language !== undefined) {
        yield* (yield* NoticePreferences).speak(user.id, language)
      }
      return redirect(localPath(fields.get("next")) ?? "/", {
        choices: {
          ...(language === undefined ? {} : { [LANGUAGE_COOKIE]: language }),
          ...(theme === undefined ? {} : { [THEME_COOKIE]: theme })
        }
      })
    })
})

export const AccountRoutes = routes(
  userPage("/account", show),
  userForm("/account/password", {
    run: changePassword,
    again: (context, password) => show(context, { password })
  }),
  userForm("/account/buyer", { run: saveBuyer, again: (context, buyer) => show(context, { buyer }) }),
  userForm("/account/sessions", { run: closeSessions }),
  lookForm
)
