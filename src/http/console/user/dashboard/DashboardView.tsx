/**
 * The first page that a user sees: what there is to spend, what was spent, and how to begin.
 */
import type { AccountView } from "../../../../accounts/AccountOverview.ts"
import type { UsageOverview } from "../../../../usage/UsageReports.ts"
import type { UsageSums } from "../../../../usage/UsageSums.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { curlLine } from "../../ui/CurlLine.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Card, Copyable, Figure, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { SubscriptionCard, SuspendedNotices } from "../../ui/SubscriptionParts.tsx"
import { DaysChart } from "../usage/UsageView.tsx"

export interface DashboardProps {
  readonly context: PageContext
  readonly account: AccountView
  readonly month: UsageOverview
  readonly today: UsageSums
  /** Without a trailing slash. */
  readonly publicUrl: string
  /** One that can be called; undefined where there is none. */
  readonly model: string | undefined
}

const KEY_VARIABLE = "REALMS_KEY"

const Figures = ({ account, today, context }: DashboardProps) => {
  const say = sayOf(context, "dashboard")
  const { formats } = context
  const input = today.inputTokens + today.cachedInputTokens + today.cacheWriteTokens
  const hints = [
    ...(account.heldMicros === 0n ? [] : [say("held", { amount: formats.usd(account.heldMicros) })]),
    ...(account.owedMicros === 0n ? [] : [say("owed", { amount: formats.usd(account.owedMicros) })])
  ]
  return (
    <>
      <div class="col-sm-6 col-lg-3">
        <Figure
          label={say("balance")}
          value={formats.usd(account.usdMicros)}
          hint={hints.length === 0 ? <a href="/topup">{say("topup")}</a> : hints.join(" · ")}
          icon="topup"
        />
      </div>
      <div class="col-sm-6 col-lg-3">
        <Figure label={say("today")} value={formats.usd(today.chargedMicros)} icon="usage" />
      </div>
      <div class="col-sm-6 col-lg-3">
        <Figure label={say("callsToday")} value={formats.count(today.calls)} icon="clock" />
      </div>
      <div class="col-sm-6 col-lg-3">
        <Figure
          label={say("tokens")}
          value={formats.count(input + today.outputTokens)}
          hint={say("tokens.parts", { input: formats.count(input), output: formats.count(today.outputTokens) })}
          icon="model"
        />
      </div>
    </>
  )
}

const Plans = ({ account, context }: DashboardProps) => {
  const say = sayOf(context, "dashboard")
  if (account.subscriptions.length === 0 && account.suspended.length === 0) {
    return (
      <Card class="h-100">
        <Nothing
          icon="plan"
          title={say("plans.none")}
          text={say("plans.none.text")}
          action={<a class="btn" href="/subscription">{say("plans.choose")}</a>}
        />
      </Card>
    )
  }
  return (
    <div class="d-flex flex-column gap-3">
      <SuspendedNotices context={context} suspended={account.suspended} />
      {account.subscriptions.map((subscription) => (
        <SubscriptionCard key={subscription.id} context={context} subscription={subscription} />
      ))}
    </div>
  )
}

const QuickStart = ({ model, publicUrl, context }: DashboardProps) => {
  const say = sayOf(context, "dashboard")
  const [copy, copied] = [say("copy"), say("copied")]
  return (
    <Card title={say("start")} actions={<a class="btn btn-sm" href="/keys">{say("apiKeys")}</a>}>
      <div class="card-body">
        <h3 class="h4">{say("start.base")}</h3>
        <Copyable id="base-url" text={`${publicUrl}/v1`} label={copy} copied={copied} />
        {model === undefined ? null : (
          <>
            <h3 class="h4 mt-4">{say("start.call")}</h3>
            <p class="text-secondary">{say("start.key", { name: `$${KEY_VARIABLE}` })}</p>
            <Copyable
              id="first-call"
              text={curlLine(publicUrl, { variable: KEY_VARIABLE }, model)}
              label={copy}
              copied={copied}
            />
          </>
        )}
      </div>
    </Card>
  )
}

export const DashboardView = (props: DashboardProps) => {
  const { account, month, context } = props
  const say = sayOf(context, "dashboard")
  const isEmpty = account.usdMicros === 0n && account.subscriptions.length === 0 && account.suspended.length === 0 &&
    account.openCalls === 0
  return (
    <>
      <PageHeading title={say("title")} />
      {isEmpty ? <Notice kind="info">{say("empty")}</Notice> : null}
      <div class="row g-3">
        <Figures {...props} />
        <div class="col-lg-8">
          <Card title={say("spend.month")} actions={<a href="/usage">{say("details")}</a>} class="h-100">
            <DaysChart context={context} query="range=30d" overview={month} title={say("spend.month")} />
          </Card>
        </div>
        <div class="col-lg-4">
          <h2 class="visually-hidden">{say("plans")}</h2>
          <Plans {...props} />
        </div>
        <div class="col-12">
          <QuickStart {...props} />
        </div>
      </div>
    </>
  )
}
