/**
 * The first page of the administration, as root sees it: what is missing, how the service does today and in thirty days, what
 * waits for somebody, and the channels.
 */
import type { FirstStep, StepState } from "../../../../settings/FirstSteps.ts"
import type { UsageReport } from "../../../../usage/AllUsage.ts"
import type { ChannelsReport } from "../../../../usage/ChannelReports.ts"
import type { ClampedReport } from "../../../../usage/ClampedCalls.ts"
import { OPEN_CALLS_COUNTED_MAX, type ServiceFigures } from "../../../../usage/ServiceOverview.ts"
import { mayOpen, sayOf, type UserContext } from "../../PageContext.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { Icon, type IconName } from "../../ui/Icon.tsx"
import { Card, Figure, PageHeading } from "../../ui/Parts.tsx"
import { Freshness, MomentsChart } from "../usage/AllUsageView.tsx"
import { ChannelsCard } from "../usage/ChannelsCard.tsx"
import { ClampedCard } from "../usage/ClampedCard.tsx"

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

const Figures = ({ figures, usage, context }: OverviewProps) => {
  const say = sayOf(context, "overview")
  const { formats } = context
  const today = usage.moments.at(-1) ?? usage.totals
  const paid = (of: ServiceFigures["today"]) => formats.cny(of.topupsFen + of.plansFen)
  return (
    <>
      <div class="col-sm-6 col-lg-3">
        <Figure
          label={say("charged")}
          value={formats.usd(today.chargedMicros)}
          hint={say("month", { value: formats.usd(usage.totals.chargedMicros) })}
          icon="usage"
        />
      </div>
      <div class="col-sm-6 col-lg-3">
        <Figure
          label={say("callsToday")}
          value={formats.count(today.calls)}
          hint={say("month", { value: formats.count(usage.totals.calls) })}
          icon="model"
        />
      </div>
      <div class="col-sm-6 col-lg-3">
        <Figure
          label={say("users")}
          value={formats.count(figures.today.newUsers)}
          hint={say("users.all", {
            month: formats.count(figures.month.newUsers),
            all: formats.count(figures.users)
          })}
          icon="users"
        />
      </div>
      <div class="col-sm-6 col-lg-3">
        <Figure
          label={say("income")}
          value={paid(figures.today)}
          hint={say("income.parts", { month: paid(figures.month), plans: formats.cny(figures.month.plansFen) })}
          icon="topup"
        />
      </div>
    </>
  )
}

const Waiting = ({ figures, toConfirm, toReview, context }: OverviewProps) => {
  const say = sayOf(context, "overview")
  const { count } = context.formats
  const open = `${count(figures.callsOpen)}${figures.callsOpen >= OPEN_CALLS_COUNTED_MAX ? "+" : ""}`
  const items: ReadonlyArray<readonly [label: string, value: string, href: string, icon: IconName, isUrgent: boolean]> =
    [
      [
        say("waiting.reviews"),
        count(toReview),
        "/admin/payments",
        "alert",
        toReview > 0
      ],
      // Most installations have no limits: the figure is there once something waits.
      ...toConfirm === 0
        ? []
        : [[say("waiting.confirmations"), count(toConfirm), "/admin/confirmations", "check", true] as const],
      [say("waiting.orders"), count(figures.ordersPending), "/admin/orders?state=pending", "order", false],
      [say("waiting.calls"), open, "/admin/usage/calls?state=reserved", "clock", false]
    ]
  return (
    <>
      {items.map(([label, value, href, icon, isUrgent]) => (
        <div key={href} class={items.length > 3 ? "col-sm-6 col-lg-3" : "col-sm-4"}>
          <Figure
            label={label}
            value={isUrgent ? <span class="text-danger">{value}</span> : value}
            hint={
              <AdminLink context={context} href={href} aria-label={`${say("look")}: ${label}`}>{say("look")}</AdminLink>
            }
            icon={icon}
          />
        </div>
      ))}
    </>
  )
}

const Steps = ({ publicUrl, steps, context }: OverviewProps) => {
  const say = sayOf(context, "overview")
  const told: Readonly<Record<FirstStep, readonly [title: string, text: string, href: string]>> = {
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
          const [title, text, href] = told[step]
          return (
            <li key={step} class="list-group-item d-flex gap-3 align-items-start">
              <span class={isDone ? "text-success" : "text-secondary"}>
                <Icon name={isDone ? "check" : "arrow"} />
              </span>
              <div>
                {isDone
                  ? (
                    <>
                      {title} <span class="text-secondary">· {say("step.done")}</span>
                    </>
                  )
                  : (
                    <>
                      <a href={href}>{title}</a>
                      <div class="text-secondary break-anywhere">{text}</div>
                    </>
                  )}
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
      <div class="row g-3 mb-3">
        <Figures {...props} />
        <Waiting {...props} />
        <div class="col-12">
          <MomentsChart
            context={context}
            report={usage}
            query="range=30d"
            title={say("spend.month")}
            actions={<a href="/admin/usage">{say("details")}</a>}
          />
        </div>
        <div class="col-12">
          <ChannelsCard context={context} report={channels} />
        </div>
      </div>
      <Freshness context={context} report={usage} />
    </>
  )
}
