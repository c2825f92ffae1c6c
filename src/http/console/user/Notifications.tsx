/**
 * `/notifications`: what a user is told by e-mail, from which balance on, to which program of theirs, and what was sent.
 */
import { Effect } from "effect"
import { type NoticeTerms, noticeTerms } from "../../../domain/NoticeTerms.ts"
import { EmailAddresses } from "../../../identity/EmailAddresses.ts"
import { DeliveryList, type ListedDelivery } from "../../../notices/DeliveryList.ts"
import { Mailer } from "../../../notices/Mailer.ts"
import { mutableMailKinds, type NoticeKind, rootNoticeKinds, userNoticeKinds } from "../../../notices/NoticeKinds.ts"
import { kindsFor, mutedOf, NoticePreferences, type Preferences } from "../../../notices/NoticePreferences.ts"
import { type WebhookEndpoint, WebhookEndpoints } from "../../../notices/WebhookEndpoints.ts"
import { emptyForm, type FormState, redirect, refuse } from "../Answer.ts"
import { routes, userForm, userPage } from "../ConsoleRoute.ts"
import { FormAlert, headedPage, InputForm } from "../kit/Forms.tsx"
import type { InputEntry } from "../kit/Inputs.tsx"
import { byId, readListPage, TableCard } from "../kit/List.tsx"
import { deliveryColumns, kindTicks, WebhookCard, webhookDone, webhookForms } from "../kit/Notices.tsx"
import { Notice, Panel } from "../kit/Parts.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"

const PATH = "/notifications"

/** Deliveries that the page itself shows. */
const RECENT_MAX = 10

/** Names of the inputs that say which kinds are mailed. */
const MAIL = "mail"
const MAIL_OF_ROOT = "mail_root"

const isRoot = ({ user }: UserContext): boolean => user.role === "root"

interface ChoicesProps {
  readonly context: UserContext
  readonly preferences: Preferences
  /** Why nothing is mailed; undefined: it is. */
  readonly unmailed: "off" | "unverified" | undefined
  readonly state: FormState
}

const Choices = ({ unmailed, preferences, state, context }: ChoicesProps) => {
  const say = sayOf(context, "notices")
  const typed = Object.fromEntries(noticeTerms.toForm(preferences))
  const ticks = (name: string, kinds: ReadonlyArray<NoticeKind>, label: string): InputEntry =>
    kindTicks(context, { name, label, kinds, muted: preferences.mutedMail })
  return (
    <Panel title={say("choices")} class="mb-3">
      <InputForm
        context={context}
        action={PATH}
        state={state}
        inputs={[
          [
            {
              is: "usd",
              name: noticeTerms.inputOf("lowBalanceMicros"),
              label: say("lowBalance"),
              hint: say("lowBalance.hint"),
              initial: typed[noticeTerms.inputOf("lowBalanceMicros")] ?? ""
            },
            {
              is: "integer",
              name: noticeTerms.inputOf("planEndingDays"),
              label: say("planEnding"),
              hint: say("planEnding.hint"),
              initial: typed[noticeTerms.inputOf("planEndingDays")] ?? ""
            }
          ],
          ticks(MAIL, mutableMailKinds, say("mail", { email: context.user.email })),
          ...isRoot(context) ? [ticks(MAIL_OF_ROOT, rootNoticeKinds, say("mail.root"))] : []
        ]}
        submit={context.say("action.save")}
      >
        <FormAlert state={state} />
        {unmailed === "off" ? <Notice kind="info">{say("mail.off")}</Notice> : null}
        {unmailed === "unverified"
          ? (
            <Notice kind="warning">
              {say("mail.unverified")} <a class="text-decoration-underline" href="/account">{say("mail.verify")}</a>
            </Notice>
          )
          : null}
      </InputForm>
    </Panel>
  )
}

interface RecentProps {
  readonly context: UserContext
  readonly deliveries: ReadonlyArray<ListedDelivery>
}

const Recent = ({ deliveries, context }: RecentProps) => {
  const say = sayOf(context, "notices")
  return (
    <TableCard
      title={say("deliveries")}
      items={deliveries}
      columns={deliveryColumns(context, { hasRecipient: false })}
      actions={<a href={`${PATH}/deliveries`}>{say("deliveries.all")}</a>}
    />
  )
}

/** The state of each form: a problem of one is not shown at the other. */
interface FormStates {
  readonly choices?: FormState
  readonly webhook?: FormState
}

const show = Effect.fnUntraced(function*(context: UserContext, states: FormStates = {}) {
  const say = sayOf(context, "notices")
  const { user } = context
  const preferences = yield* (yield* NoticePreferences).of(user.id)
  const endpoint: WebhookEndpoint | undefined = yield* (yield* WebhookEndpoints).of(user.id)
  const deliveries = yield* (yield* DeliveryList).ofUser(user.id, { limit: RECENT_MAX })
  const { verifiedAt } = yield* (yield* EmailAddresses).of(user.id)
  const unmailed = !(yield* (yield* Mailer).configured)
    ? "off"
    : verifiedAt === null && !isRoot(context)
    ? "unverified"
    : undefined
  return headedPage({
    context,
    title: say("title"),
    lead: say("lead"),
    done: { choices: say("done.choices"), ...webhookDone(context) },
    children: (
      <>
        <Choices context={context} preferences={preferences} unmailed={unmailed} state={states.choices ?? emptyForm} />
        <WebhookCard
          context={context}
          path={`${PATH}/webhook`}
          kinds={userNoticeKinds}
          endpoint={endpoint}
          urlHint={say("webhook.url.hint")}
          state={states.webhook ?? emptyForm}
        />
        <Recent context={context} deliveries={deliveries} />
      </>
    )
  })
})

const save = Effect.fnUntraced(function*(context: UserContext, form: URLSearchParams) {
  const say = sayOf(context, "notices")
  const problems = { lowBalanceMicros: say("problem.lowBalance"), planEndingDays: say("problem.planEnding") }
  const refused = (fields: ReadonlyArray<keyof NoticeTerms>) =>
    refuse(Object.fromEntries(fields.map((field) => [noticeTerms.inputOf(field), problems[field]])))
  const terms = yield* Effect.mapError(Effect.fromResult(noticeTerms.readForm(form)), refused)
  const preferences = yield* NoticePreferences
  const kinds = kindsFor({ isRoot: isRoot(context) })
  yield* preferences.save(
    context.user.id,
    terms,
    mutedOf(kinds, [MAIL, MAIL_OF_ROOT].flatMap((name) => form.getAll(name)))
  ).pipe(
    Effect.catchTag("NoticeTermsRefused", ({ fields }) => refused(fields))
  )
  yield* preferences.speak(context.user.id, context.language)
  return redirect(`${PATH}?done=choices`)
})

const list = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "notices")
  const deliveries = yield* DeliveryList
  return yield* readListPage({
    context,
    read: (range) => deliveries.ofUser(context.user.id, range),
    path: `${PATH}/deliveries`,
    title: say("deliveries"),
    lead: say("deliveries.lead"),
    actions: <a class="btn" href={PATH}>{context.say("action.back")}</a>,
    cursor: byId,
    empty: { icon: "info", title: say("deliveries.none") },
    columns: deliveryColumns(context, { hasRecipient: false })
  })
})

const webhook = webhookForms({
  place: ({ user }) => ({ owner: user.id, kinds: userNoticeKinds, page: PATH }),
  again: (context, webhook) => show(context, { webhook })
})

export const NotificationRoutes = routes(
  userPage(PATH, show),
  userForm(PATH, { run: save, again: (context, choices) => show(context, { choices }) }),
  userForm(`${PATH}/webhook`, webhook.save),
  userForm(`${PATH}/webhook/rotate`, webhook.rotate),
  userForm(`${PATH}/webhook/remove`, webhook.remove),
  userForm(`${PATH}/webhook/test`, webhook.test),
  userPage(`${PATH}/deliveries`, list)
)
