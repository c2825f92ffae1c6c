/**
 * The first page that a user sees: what there is to spend, what was spent, and how to begin.
 */
import type { AccountView } from "../../../../accounts/AccountOverview.ts"
import type { UsageOverview } from "../../../../usage/UsageReports.ts"
import { inputOf, type UsageSums } from "../../../../usage/UsageSums.ts"
import { Figures } from "../../kit/Figures.tsx"
import { Grid } from "../../kit/Grid.tsx"
import { Panel } from "../../kit/Panel.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { curlLine } from "../../ui/CurlLine.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Card, Copyable, Nothing, PageHeading, Usd } from "../../ui/Parts.tsx"
import { SubscriptionCard, SuspendedNotices } from "../../ui/SubscriptionParts.tsx"
import { DaysChart } from "../usage/UsageView.tsx"

export interface DashboardProps {
  readonly context: PageContext
  readonly account: AccountView
  readonly month: UsageOverview
  readonly today: UsageSums
  /** Without a trailing slash. */
  readonly publicUrl: string
  /** A model that can be called; undefined: there is no such model. */
  readonly model: string | undefined
}

const KEY_VARIABLE = "REALMS_KEY"

const Summary = ({ account: { heldMicros, owedMicros, usdMicros }, today, context }: DashboardProps) => {
  const say = sayOf(context, "dashboard")
  const { count, usd } = context.formats
  const [input, output] = [inputOf(today), today.outputTokens]
  const hints = [
    ...(heldMicros === 0n ? [] : [say("held", { amount: usd(heldMicros) })]),
    ...(owedMicros === 0n ? [] : [say("owed", { amount: usd(owedMicros) })])
  ]
  return (
    <Figures
      figures={[
        {
          label: say("balance"),
          value: <Usd context={context} micros={usdMicros} />,
          hint: hints.length === 0 ? <a href="/topup">{say("topup")}</a> : hints.join(" · "),
          icon: "topup"
        },
        { label: say("today"), value: <Usd context={context} micros={today.chargedMicros} />, icon: "usage" },
        { label: say("callsToday"), value: count(today.calls), icon: "clock" },
        {
          label: say("tokens"),
          value: count(input + output),
          hint: say("tokens.parts", { input: count(input), output: count(output) }),
          icon: "model"
        }
      ]}
    />
  )
}

const Plans = ({ account: { subscriptions, suspended }, context }: DashboardProps) => {
  const say = sayOf(context, "dashboard")
  const choose = <a class="btn" href="/subscription">{say("plans.choose")}</a>
  return subscriptions.length === 0 && suspended.length === 0
    ? (
      <Card class="h-100">
        <Nothing icon="plan" title={say("plans.none")} text={say("plans.none.text")} action={choose} />
      </Card>
    )
    : (
      <div class="d-flex flex-column gap-3">
        <SuspendedNotices context={context} suspended={suspended} />
        {subscriptions.map((subscription) => (
          <SubscriptionCard key={subscription.id} context={context} subscription={subscription} />
        ))}
      </div>
    )
}

const QuickStart = ({ model, publicUrl, context }: DashboardProps) => {
  const say = sayOf(context, "dashboard")
  const copy = { label: say("copy"), copied: say("copied") }
  return (
    <Panel title={say("start")} actions={<a class="btn btn-sm" href="/keys">{say("apiKeys")}</a>}>
      <h3 class="h4">{say("start.base")}</h3>
      <Copyable id="base-url" text={`${publicUrl}/v1`} {...copy} />
      {model === undefined ? null : (
        <>
          <h3 class="h4 mt-4">{say("start.call")}</h3>
          <p class="text-secondary">{say("start.key", { name: `$${KEY_VARIABLE}` })}</p>
          <Copyable id="first-call" text={curlLine(publicUrl, { variable: KEY_VARIABLE }, model)} {...copy} />
        </>
      )}
    </Panel>
  )
}

export const DashboardView = (props: DashboardProps) => {
  const { account, month, context } = props
  const say = sayOf(context, "dashboard")
  const isEmpty = account.usdMicros === 0n && account.subscriptions.length === 0 && account.suspended.length === 0 &&
    account.openCalls === 0
  const chart = { context, query: "range=30d", overview: month, title: say("spend.month") }
  return (
    <>
      <PageHeading title={say("title")} />
      {isEmpty ? <Notice kind="info">{say("empty")}</Notice> : null}
      <Summary {...props} />
      <Grid
        cells={[
          ["col-lg-8", <DaysChart {...chart} actions={<a href="/usage">{say("details")}</a>} />],
          ["col-lg-4", [<h2 class="visually-hidden">{say("plans")}</h2>, <Plans {...props} />]],
          ["col-12", <QuickStart {...props} />]
        ]}
      />
    </>
  )
}
