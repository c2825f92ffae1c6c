/**
 * The first page of the administration, as root sees it: what is missing, how the service does today and in thirty days, what
 * waits for somebody, and the channels.
 */
import type { FirstStep, StepState } from "../../../../settings/FirstSteps.ts"
import type { UsageReport } from "../../../../usage/AllUsage.ts"
import type { ChannelsReport } from "../../../../usage/ChannelReports.ts"
import type { ClampedReport } from "../../../../usage/ClampedCalls.ts"
import { OPEN_CALLS_COUNTED_MAX, type ServiceFigures } from "../../../../usage/ServiceOverview.ts"
import { Icon, type IconName } from "../../kit/Icon.tsx"
import { AdminLink, Card, Figures, Grid, PageHeading, Usd } from "../../kit/Parts.tsx"
import { mayOpen, sayOf, type UserContext } from "../../PageContext.ts"
import { Freshness, MomentsChart } from "../usage/AllUsage.tsx"
import { ChannelsCard, ClampedCard } from "../usage/Channels.tsx"

export interface OverviewProps {
  readonly context: UserContext
  readonly usage: UsageReport
  readonly figures: ServiceFigures
  /** Payment events that the review queue shows. */
  readonly toReview: number
  /** What waits for a second person. */
  readonly toConfirm: number
  readonly channels: ChannelsReport
  readonly clamped: ClampedReport | undefined
  readonly steps: ReadonlyArray<StepState>
  /** Without a trailing slash. */
  readonly publicUrl: string
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
        look(say("waiting.reviews"), count(toReview), "alert", "/admin/payments", toReview > 0),
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
    payment: [say("step.payment"), say("step.payment.text"), "/admin/settings"],
    address: [say("step.address"), say("step.address.text", { url: publicUrl }), "/admin/settings"]
  }
  return (
    <Card title={say("steps")} class="mb-3">
      <div class="card-body border-bottom text-secondary">{say("steps.lead")}</div>
      <ol class="list-group list-group-flush m-0 p-0">
        {steps.map(({ isDone, step }) => {
          const [title, text, href] = texts[step]
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

export const OverviewView = (props: OverviewProps) => {
  const { channels, clamped, steps, usage, context } = props
  const say = sayOf(context, "overview")
  return (
    <>
      <PageHeading title={context.say("nav.admin")} />
      {steps.every(({ isDone }) => isDone) || !mayOpen(context, "/admin/settings") ? null : <Steps {...props} />}
      <ClampedCard context={context} report={clamped} />
      <Service {...props} />
      <Waiting {...props} />
      <Grid
        class="mb-3"
        cells={[
          [
            "col-12",
            <MomentsChart
              context={context}
              report={usage}
              query="range=30d"
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
