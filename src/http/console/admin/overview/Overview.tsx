/**
 * `/admin`: where the administration begins. What a fresh installation still lacks, how the service does today and in thirty days, what
 * waits for somebody, and the channels.
 */
import { Effect } from "effect"
import { ChannelKeyAdmin } from "../../../../channels/ChannelKeyAdmin.ts"
import { Confirmations } from "../../../../confirmations/Confirmations.ts"
import { PaymentEvents } from "../../../../events/PaymentEvents.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { type FirstStep, FirstSteps, type StepLack } from "../../../../settings/FirstSteps.ts"
import { AllUsage } from "../../../../usage/AllUsage.ts"
import { ChannelReports } from "../../../../usage/ChannelReports.ts"
import { OPEN_CALLS_COUNTED_MAX, type ServiceFigures, ServiceOverview } from "../../../../usage/ServiceOverview.ts"
import { presetRange } from "../../../../usage/UsageRange.ts"
import { page, redirect } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { ButtonForm } from "../../kit/Forms.tsx"
import { Icon, type IconName } from "../../kit/Icon.tsx"
import { AdminLink, Card, Figures, Grid, PageHeading, Usd } from "../../kit/Parts.tsx"
import { actorOf, mayOpen, sayOf, type UserContext } from "../../PageContext.ts"
import { OutKeysNotice } from "../channels/ChannelHealth.tsx"
import { AllMomentsChart, Freshness } from "../usage/AllUsage.tsx"
import { ChannelsCard, ClampedCard, readClamped } from "../usage/Channels.tsx"

/** Today's figures are the last day of the last thirty, so that one report serves both. */
const readOverview = Effect.fnUntraced(function*({ formats: { timeZone }, now }: UserContext) {
  const month = presetRange("30d", now, timeZone)
  const today = presetRange("today", now, timeZone)
  const found = yield* Effect.all({
    usage: (yield* AllUsage).report({ ...month, users: false }, timeZone).pipe(
      Effect.catchTag("UsageRefused", Effect.die)
    ),
    figures: (yield* ServiceOverview).figures(today.fromMs, month.fromMs),
    toReview: (yield* PaymentEvents).openCount,
    toConfirm: (yield* Confirmations).pending,
    channels: (yield* ChannelReports).report,
    clamped: readClamped,
    outKeys: (yield* ChannelKeyAdmin).outKeys(null),
    steps: (yield* FirstSteps).steps,
    isDismissed: (yield* FirstSteps).isDismissed
  }, { concurrency: "unbounded" })
  return { ...found, publicUrl: (yield* PublicAddress).url() }
})

interface OverviewProps extends Effect.Success<ReturnType<typeof readOverview>> {
  readonly context: UserContext
}

const Service = ({ figures: { month, today, users }, usage, context }: OverviewProps) => {
  const say = sayOf(context, "overview")
  const { cny, count } = context.formats
  const paid = (of: ServiceFigures["today"]) => cny(of.topupsFen + of.plansFen)
  const used = usage.moments.at(-1) ?? usage.totals
  return (
    <Figures
      figures={[
        {
          label: say("charged"),
          value: <Usd context={context} micros={used.chargedMicros} />,
          hint: say("month", { value: context.formats.usdRounded(usage.totals.chargedMicros) }),
          icon: "usage"
        },
        {
          label: say("callsToday"),
          value: count(used.calls),
          hint: say("month", { value: count(usage.totals.calls) }),
          icon: "model"
        },
        {
          label: say("users"),
          value: count(today.newUsers),
          hint: say("users.all", { month: count(month.newUsers), all: count(users) }),
          icon: "users"
        },
        {
          label: say("income"),
          value: paid(today),
          hint: say("income.parts", { month: paid(month), plans: cny(month.plansFen) }),
          icon: "topup"
        }
      ]}
    />
  )
}

const Waiting = ({ figures: { callsOpen, ordersPending }, toConfirm, toReview, context }: OverviewProps) => {
  const say = sayOf(context, "overview")
  const { count } = context.formats
  const look = (label: string, value: string, icon: IconName, href: string, isUrgent = false) => ({
    label,
    value: isUrgent ? <span class="text-danger">{value}</span> : value,
    hint: <AdminLink context={context} href={href} aria-label={`${say("look")}: ${label}`}>{say("look")}</AdminLink>,
    icon
  })
  const open = `${count(callsOpen)}${callsOpen >= OPEN_CALLS_COUNTED_MAX ? "+" : ""}`
  return (
    <Figures
      figures={[
        look(say("waiting.reviews"), count(toReview), "alert", "/admin/payments?view=review", toReview > 0),
        // Most installations have no limits: the figure is there once something waits.
        ...toConfirm === 0
          ? []
          : [look(say("waiting.confirmations"), count(toConfirm), "check", "/admin/confirmations", true)],
        look(say("waiting.orders"), count(ordersPending), "order", "/admin/orders?state=pending"),
        look(say("waiting.calls"), open, "clock", "/admin/usage/calls?state=reserved")
      ]}
    />
  )
}

const Steps = ({ publicUrl, steps, context }: OverviewProps) => {
  const say = sayOf(context, "overview")
  const texts: Readonly<Record<FirstStep, readonly [title: string, text: string, href: string]>> = {
    channel: [say("step.channel"), say("step.channel.text"), "/admin/channels"],
    model: [say("step.model"), say("step.model.text"), "/admin/models"],
    offer: [say("step.offer"), say("step.offer.text"), "/admin/plans"],
    payment: [say("step.payment"), say("step.payment.text"), "/admin/settings/epay"],
    address: [say("step.address"), say("step.address.text", { url: publicUrl }), "/admin/settings"]
  }
  const lackTexts: Readonly<Record<StepLack["what"], (name: string) => string>> = {
    key: (name) => say("lack.key", { name }),
    disabled: (name) => say("lack.disabled", { name }),
    unserved: (name) => say("lack.unserved", { name })
  }
  const dismiss = (
    <ButtonForm
      context={context}
      action="/admin/first-steps/dismiss"
      look="btn-sm btn-ghost-secondary"
      button={say("dismiss")}
    />
  )
  return (
    <Card title={say("steps")} class="mb-3" actions={dismiss}>
      <div class="card-body border-bottom text-secondary">{say("steps.lead")}</div>
      <ol class="list-group list-group-flush m-0 p-0">
        {steps.map(({ isDone, lacks, step }) => {
          const [title, about, page] = texts[step]
          // A key of the file is not entered here: what can be done here is another channel.
          const href = lacks?.what === "key" ? "/admin/channels/new" : page
          const text = lacks === undefined ? about : lackTexts[lacks.what](lacks.name)
          return (
            <li key={step} class="list-group-item d-flex gap-3 align-items-start">
              <span class={isDone ? "text-success" : "text-secondary"}>
                <Icon name={isDone ? "check" : "arrow"} />
              </span>
              <div>
                {isDone ? title : <a href={href}>{title}</a>}
                <div class="text-secondary break-anywhere">{isDone ? say("step.done") : text}</div>
              </div>
            </li>
          )
        })}
      </ol>
    </Card>
  )
}

const OverviewView = (props: OverviewProps) => {
  const { channels, clamped, isDismissed, outKeys, steps, usage, context } = props
  const hasSteps = !isDismissed && steps.some(({ isDone }) => !isDone) && mayOpen(context, "/admin/settings")
  const say = sayOf(context, "overview")
  return (
    <>
      <PageHeading title={context.say("nav.admin")} />
      {hasSteps ? <Steps {...props} /> : null}
      {mayOpen(context, "/admin/channels") ? <OutKeysNotice context={context} keys={outKeys} isOverview /> : null}
      <ClampedCard context={context} report={clamped} />
      <Service {...props} />
      <Waiting {...props} />
      <Grid
        class="mb-3"
        cells={[
          [
            "col-12",
            <AllMomentsChart
              context={context}
              report={usage}
              page={{ path: "/admin", query: "range=30d" }}
              title={say("spend.month")}
              actions={<a href="/admin/usage">{say("details")}</a>}
            />
          ],
          ["col-12", <ChannelsCard context={context} report={channels} />]
        ]}
      />
      <Freshness context={context} report={usage} />
    </>
  )
}

const show = (context: UserContext) =>
  Effect.map(readOverview(context), (found) => page(context.say("nav.admin"), OverviewView({ context, ...found })))

const dismiss = Effect.fnUntraced(function*(context: UserContext) {
  yield* (yield* FirstSteps).dismiss(actorOf(context))
  return redirect("/admin")
})

export const OverviewRoutes = routes(
  adminPage("/admin", show),
  adminForm("/admin/first-steps/dismiss", { run: dismiss })
)
