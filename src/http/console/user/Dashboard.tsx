/**
 * `/` for those who are signed in: what there is to spend, what was spent, and how to begin. Today's figures are the last day of the
 * last thirty, so that one report serves both.
 */
import { Effect } from "effect"
import { AccountOverview, type AccountView } from "../../../accounts/AccountOverview.ts"
import type { Model } from "../../../catalog/Catalog.ts"
import { sampleModel } from "../../../catalog/ModelSearch.ts"
import { PublicAddress } from "../../../platform/PublicAddress.ts"
import { type EndedSubscription, SubscriptionList } from "../../../subscriptions/SubscriptionList.ts"
import { presetRange } from "../../../usage/UsageRange.ts"
import { UsageReports } from "../../../usage/UsageReports.ts"
import { inputOf, type UsageSums } from "../../../usage/UsageSums.ts"
import { servedModels } from "../../ServedModels.ts"
import { visitorPage } from "../ConsoleRoute.ts"
import { headedPage } from "../kit/Forms.tsx"
import { Card, Copyable, Figures, Grid, Nothing, Notice, Panel, Usd } from "../kit/Parts.tsx"
import { curlLine, KEY_VARIABLE } from "../kit/Snippets.ts"
import { isUserContext, type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { showLanding } from "./Landing.tsx"
import { SubscriptionCard, SuspendedNotices } from "./Subscription.tsx"
import { DaysChart } from "./Usage.tsx"

interface DashboardProps {
  readonly context: PageContext
  readonly account: AccountView
}

const Summary = (
  { account: { heldMicros, owedMicros, usdMicros }, today, context }: DashboardProps & { readonly today: UsageSums }
) => {
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
          hint: (
            <>
              {hints.map((hint) => <div key={hint}>{hint}</div>)}
              <a href="/topup">{context.say("nav.topup")}</a> · <a href="/ledger">{say("ledger")}</a>
            </>
          ),
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

/** Says which plans have ended lately, and why. */
const EndedNotices = (
  { ended, context }: { readonly context: PageContext; readonly ended: ReadonlyArray<EndedSubscription> }
) => {
  const say = sayOf(context, "dashboard")
  const texts = {
    over: ["info", "ended.over"],
    refunded: ["warning", "ended.refunded"],
    withdrawn: ["warning", "ended.withdrawn"]
  } as const
  return (
    <>
      {ended.map(({ endedAt, id, planName: plan, why }) => {
        const [kind, key] = texts[why]
        return (
          <Notice key={id} kind={kind}>
            {say(key, { plan, at: context.formats.date(endedAt) })} <a href="/subscription">{say("plans.choose")}</a>
          </Notice>
        )
      })}
    </>
  )
}

interface QuickStartProps {
  readonly context: PageContext
  /** Without a trailing slash. */
  readonly publicUrl: string
  /** A model that can be called; undefined: there is no such model. */
  readonly model: Model | undefined
}

const QuickStart = ({ model, publicUrl, context }: QuickStartProps) => {
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
          <Copyable id="first-call" text={curlLine({ publicUrl, model })} {...copy} />
        </>
      )}
    </Panel>
  )
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const range = presetRange("30d", context.now, context.formats.timeZone)
  const reports = yield* UsageReports
  const { account, ended, models, month } = yield* Effect.all({
    account: (yield* AccountOverview).view(context.user.id),
    month: reports.overview(context.user.id, range, context.formats.timeZone).pipe(
      Effect.catchTag("UsageRefused", Effect.die)
    ),
    ended: (yield* SubscriptionList).ended(context.user.id),
    models: servedModels
  }, { concurrency: "unbounded" })
  const { subscriptions, suspended, usdMicros } = account
  const isEmpty = usdMicros === 0n && subscriptions.length === 0 && suspended.length === 0 && account.openCalls === 0
  const publicUrl = (yield* PublicAddress).url()
  const say = sayOf(context, "dashboard")
  const chart = { context, page: { path: "/", query: "range=30d" }, overview: month, title: say("spend.month") }
  return headedPage({
    context,
    title: say("title"),
    children: (
      <>
        <EndedNotices context={context} ended={ended} />
        {isEmpty ? <Notice kind="info">{say("empty")}</Notice> : null}
        <Summary context={context} account={account} today={month.moments.at(-1) ?? month.totals} />
        <Grid
          cells={[
            ["col-lg-8", <DaysChart {...chart} actions={<a href="/usage">{say("details")}</a>} />],
            ["col-lg-4", [
              <h2 class="visually-hidden">{say("plans")}</h2>,
              <Plans context={context} account={account} />
            ]],
            ["col-12", <QuickStart context={context} publicUrl={publicUrl} model={sampleModel(models)} />]
          ]}
        />
      </>
    )
  })
})

export const DashboardRoutes = visitorPage(
  "/",
  Effect.fnUntraced(function*(context) {
    return isUserContext(context) ? yield* show(context) : yield* showLanding(context)
  })
)
