/**
 * What users' page of notifications and root's page of notices have in common: the kinds to choose from, the webhook with its buttons,
 * and the list of deliveries.
 */
import { Effect, Option, Redacted } from "effect"
import type { UserId } from "../../../domain/Ids.ts"
import type { ListedDelivery } from "../../../notices/DeliveryList.ts"
import { isNoticeKind, type NoticeKind } from "../../../notices/NoticeKinds.ts"
import { mutedOf } from "../../../notices/NoticePreferences.ts"
import { textOfNotice } from "../../../notices/NoticeTexts.ts"
import { TESTS_A_DAY_MAX, type WebhookEndpoint, WebhookEndpoints } from "../../../notices/WebhookEndpoints.ts"
import { type Answer, type FormState, type PageProblem, redirect, refuse } from "../Answer.ts"
import { actorOf, type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { hasText } from "../text/Texts.ts"
import { ButtonForm, FormAlert, InputForm } from "./Forms.tsx"
import type { InputEntry } from "./Inputs.tsx"
import { newKeyPage } from "./Keys.tsx"
import { type ItemColumn, timeColumn } from "./List.tsx"
import { Notice, Small, StateBadge, type States } from "./Parts.tsx"

/** The name of a kind, as one chooses it. One that another version has written is shown as it is. */
const kindName = (context: Pick<PageContext, "language">, kind: string): string => {
  const key = `kind.${kind}`
  return hasText("notices", key) ? sayOf(context, "notices")(key) : kind
}

interface KindTicks {
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly kinds: ReadonlyArray<NoticeKind>
  readonly muted: ReadonlyArray<string>
}

/** Which of these kinds are wanted. */
export const kindTicks = (context: PageContext, { kinds, muted, ...input }: KindTicks): InputEntry => ({
  is: "ticks",
  ...input,
  initial: kinds.filter((kind) => !muted.includes(kind)),
  options: kinds.map((kind) => [kind, kindName(context, kind)])
})

interface WebhookProps {
  readonly context: UserContext
  /** Below which its forms are. */
  readonly path: string
  readonly kinds: ReadonlyArray<NoticeKind>
  readonly endpoint: WebhookEndpoint | undefined
  readonly urlHint: string
  readonly state: FormState
}

const WebhookButtons = ({ endpoint, path, context }: Pick<WebhookProps, "context" | "path" | "endpoint">) => {
  const say = sayOf(context, "notices")
  return endpoint === undefined ? null : (
    <div class="card-body border-top">
      <p class="text-secondary small">{say("webhook.secret", { at: context.formats.time(endpoint.secretAt) })}</p>
      <div class="btn-list">
        <ButtonForm context={context} action={`${path}/test`} button={say("webhook.test")} />
        <ButtonForm
          context={context}
          action={`${path}/rotate`}
          confirm={say("webhook.rotate.confirm")}
          button={say("webhook.rotate")}
        />
        <ButtonForm
          context={context}
          action={`${path}/remove`}
          confirm={say("webhook.remove.confirm")}
          look="btn-ghost-danger"
          button={say("webhook.remove")}
        />
      </div>
    </div>
  )
}

export const WebhookCard = ({ endpoint, kinds, path, state, urlHint, context }: WebhookProps) => {
  const say = sayOf(context, "notices")
  return (
    <section class="card mb-3" id="webhook">
      <div class="card-header">
        <h2 class="card-title">{say("webhook")}</h2>
      </div>
      <InputForm
        context={context}
        action={path}
        class="card-body"
        state={state}
        inputs={[
          { name: "url", label: say("webhook.url"), hint: urlHint, initial: endpoint?.url ?? "", required: true },
          kindTicks(context, { name: "kinds", label: say("webhook.kinds"), kinds, muted: endpoint?.muted ?? [] })
        ]}
        look={endpoint === undefined ? "btn-primary" : ""}
        submit={endpoint === undefined ? say("webhook.create") : context.say("action.save")}
      >
        <FormAlert state={state} />
        {endpoint === undefined || endpoint.disabledAt === null
          ? null
          : <Notice kind="warning">{say("webhook.gone", { at: context.formats.time(endpoint.disabledAt) })}</Notice>}
        <p class="text-secondary">{say("webhook.lead")}</p>
      </InputForm>
      <WebhookButtons context={context} path={path} endpoint={endpoint} />
    </section>
  )
}

/** Whose webhook it is and where its page is. Null: the installation's. */
export interface WebhookPlace {
  readonly owner: UserId | null
  readonly kinds: ReadonlyArray<NoticeKind>
  readonly page: string
}

const secretPage = (context: UserContext, { page }: WebhookPlace, secret: Redacted.Redacted<string>) =>
  newKeyPage({
    context,
    title: sayOf(context, "notices")("webhook.created"),
    apiKey: Redacted.value(secret),
    command: undefined,
    back: page
  })

const saveWebhook = Effect.fnUntraced(
  function*(context: UserContext, place: WebhookPlace, fields: URLSearchParams) {
    const say = sayOf(context, "notices")
    const secret = yield* (yield* WebhookEndpoints).save(actorOf(context), place.owner, {
      url: fields.get("url") ?? "",
      language: context.language,
      muted: mutedOf(place.kinds, fields.getAll("kinds"))
    }).pipe(
      Effect.catchTag("WebhookRefused", ({ problem }) => Effect.fail(refuse({ url: say(`problem.${problem}`) })))
    )
    return secret === undefined
      ? redirect(`${place.page}?done=webhook`)
      : secretPage(context, place, secret)
  }
)

const rotateWebhook = Effect.fnUntraced(function*(context: UserContext, place: WebhookPlace) {
  const rotated = (yield* WebhookEndpoints).rotate(actorOf(context), place.owner)
  return yield* rotated.pipe(
    Effect.map((secret) => secretPage(context, place, secret)),
    Effect.catchTag("WebhookMissing", () => Effect.succeed(redirect(place.page)))
  )
})

const removeWebhook = Effect.fnUntraced(function*(context: UserContext, place: WebhookPlace) {
  yield* (yield* WebhookEndpoints).remove(actorOf(context), place.owner)
  return redirect(`${place.page}?done=removed`)
})

const testWebhook = Effect.fnUntraced(function*({ owner, page }: WebhookPlace) {
  return yield* (yield* WebhookEndpoints).test(owner).pipe(
    Effect.as(redirect(`${page}?done=test`)),
    Effect.catchTags({
      WebhookMissing: () => Effect.succeed(redirect(page)),
      WebhookTestedJustNow: () => Effect.succeed(redirect(`${page}?done=tested`)),
      WebhookTestedOften: () => Effect.succeed(redirect(`${page}?done=tests`))
    })
  )
})

interface WebhookForms<R> {
  place(context: UserContext): WebhookPlace
  /** Shows the page again on which the webhook's form was refused. */
  again(context: UserContext, state: FormState): Effect.Effect<Answer, PageProblem, R>
}

/** What the forms of a webhook do. */
export const webhookForms = <R = never>({ again, place }: WebhookForms<R>) => ({
  save: {
    run: (context: UserContext, fields: URLSearchParams) => saveWebhook(context, place(context), fields),
    again
  },
  rotate: { run: (context: UserContext) => rotateWebhook(context, place(context)) },
  remove: { run: (context: UserContext) => removeWebhook(context, place(context)) },
  test: { run: (context: UserContext) => testWebhook(place(context)) }
})

/** What is said above the page after one of these. */
export const webhookDone = (context: PageContext) => {
  const say = sayOf(context, "notices")
  return {
    webhook: say("done.webhook"),
    removed: say("done.removed"),
    test: say("done.test"),
    tested: ["warning", say("done.tested")],
    tests: ["warning", say("done.tests", { count: TESTS_A_DAY_MAX })]
  } as const
}

const states: States<ListedDelivery["state"], `state.${ListedDelivery["state"]}`> = {
  waiting: ["yellow", "state.waiting"],
  sent: ["green", "state.sent"],
  failed: ["red", "state.failed"],
  dropped: ["secondary", "state.dropped"]
}

/** What it says, in the language of who looks. */
const titleOf = (context: PageContext, { data, kind }: ListedDelivery): string =>
  Option.getOrElse(
    Option.map(
      isNoticeKind(kind) ? textOfNotice(kind, data, context.language) : Option.none(),
      ({ title }) => title
    ),
    () => kindName(context, kind)
  )

/** What the mail server said, or what became of a request, in words. */
const problemOf = (context: PageContext, { channel, problem }: ListedDelivery): string => {
  const [code = "", ...detail] = problem.split(" ")
  const key = `why.${code}`
  return channel === "webhook" && hasText("notices", key)
    ? sayOf(context, "notices")(key, { detail: detail.join(" ") })
    : problem
}

const State = ({ context, item }: { readonly context: PageContext; readonly item: ListedDelivery }) => {
  const say = sayOf(context, "notices")
  const { attempts, nextAttemptAt, state } = item
  return (
    <>
      <StateBadge say={say} states={states} state={state} />
      <Small>{state === "sent" ? undefined : problemOf(context, item)}</Small>
      <Small>
        {state === "waiting" && attempts > 0
          ? say("next", { at: context.formats.time(nextAttemptAt) })
          : undefined}
      </Small>
    </>
  )
}

export const deliveryColumns = (
  context: PageContext,
  { hasRecipient }: { readonly hasRecipient: boolean }
): ReadonlyArray<ItemColumn<ListedDelivery>> => {
  const say = sayOf(context, "notices")
  const what = (item: ListedDelivery) => (
    <>
      <span class="break-anywhere">{titleOf(context, item)}</span>
      <Small>
        {say(`channel.${item.channel}`)}
        {hasRecipient && item.email !== null ? ` · ${item.email}` : ""}
      </Small>
    </>
  )
  return [
    { title: say("what"), cell: what },
    { title: say("state"), cell: (item) => <State context={context} item={item} /> },
    timeColumn(context, say("time"), ({ createdAt }) => createdAt)
  ]
}
