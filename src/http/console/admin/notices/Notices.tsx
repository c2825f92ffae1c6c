/**
 * `/admin/notices`: the webhook of the installation, and everything that was sent to anybody. What each administrator is mailed is on
 * their own page of notifications, and the mail server among the settings.
 */
import { Effect } from "effect"
import { deliveryChannels, DeliveryList, deliveryStates } from "../../../../notices/DeliveryList.ts"
import { Mailer } from "../../../../notices/Mailer.ts"
import { rootNoticeKinds } from "../../../../notices/NoticeKinds.ts"
import { WebhookEndpoints } from "../../../../notices/WebhookEndpoints.ts"
import { emptyForm, type FormState } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { byId, readListPage } from "../../kit/List.tsx"
import { deliveryColumns, WebhookCard, webhookDone, webhookForms } from "../../kit/Notices.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf } from "../../Params.ts"

const PATH = "/admin/notices"

const show = Effect.fnUntraced(function*(context: UserContext, state: FormState = emptyForm) {
  const say = sayOf(context, "notices")
  const endpoint = yield* (yield* WebhookEndpoints).of(null)
  const hasMail = yield* (yield* Mailer).configured
  const deliveries = yield* DeliveryList
  const filter = {
    channel: oneOf(deliveryChannels, context.query.get("channel")),
    state: oneOf(deliveryStates, context.query.get("state"))
  }
  return yield* readListPage({
    context,
    read: (range) => deliveries.all(filter, range),
    path: PATH,
    title: say("admin.title"),
    lead: say("admin.lead"),
    actions: (
      <div class="btn-list">
        <a class="btn" href="/notifications">{say("admin.mine")}</a>
        <a class="btn" href="/admin/settings/mail">{say("admin.mail")}</a>
      </div>
    ),
    done: webhookDone(context),
    warning: hasMail ? undefined : say("admin.mail.off"),
    above: (
      <WebhookCard
        context={context}
        path={`${PATH}/webhook`}
        kinds={rootNoticeKinds}
        endpoint={endpoint}
        urlHint={say("admin.url.hint")}
        state={state}
      />
    ),
    cursor: byId,
    filter: [
      {
        is: "choice",
        name: "channel",
        label: say("channel"),
        value: filter.channel,
        options: deliveryChannels.map((channel) => [channel, say(`channel.${channel}`)])
      },
      {
        is: "choice",
        name: "state",
        label: say("state"),
        value: filter.state,
        options: deliveryStates.map((known) => [known, say(`state.${known}`)])
      }
    ],
    empty: { icon: "info", title: say("deliveries.none") },
    columns: deliveryColumns(context, { hasRecipient: true })
  })
})

const webhook = webhookForms({ place: () => ({ owner: null, kinds: rootNoticeKinds, page: PATH }), again: show })

export const AdminNoticesRoutes = routes(
  adminPage(PATH, show),
  adminForm(`${PATH}/webhook`, webhook.save),
  adminForm(`${PATH}/webhook/rotate`, webhook.rotate),
  adminForm(`${PATH}/webhook/remove`, webhook.remove),
  adminForm(`${PATH}/webhook/test`, webhook.test)
)
