/**
 * `/` for those who are not signed in: what this site offers, what it costs, and how to begin.
 */
import { Effect } from "effect"
import type { Model } from "../../../catalog/Catalog.ts"
import { sampleModel, vendorsOf } from "../../../catalog/ModelSearch.ts"
import { PublicAddress } from "../../../platform/PublicAddress.ts"
import { Settings, type SettingsValues } from "../../../settings/Settings.ts"
import { type PlanForSale, PlansForSale } from "../../../subscriptions/PlansForSale.ts"
import { servedModels } from "../../ServedModels.ts"
import { page } from "../Answer.ts"
import { TableCard } from "../kit/List.tsx"
import {
  AbilityBadges,
  ModelName,
  priceColumns,
  type PriceLine,
  type PriceTexts,
  priceTexts
} from "../kit/ModelPrices.tsx"
import { limitLines, methodName } from "../kit/Orders.tsx"
import { Card, Copyable, Grid, Nothing, Panel } from "../kit/Parts.tsx"
import { PlanCard } from "../kit/PlanCard.tsx"
import { curlLine } from "../kit/Snippets.ts"
import { type PageContext, sayOf } from "../PageContext.ts"

/** Shown of them, at most; each leads to all. */
const MODELS_SHOWN_MAX = 8
const PLANS_SHOWN_MAX = 3
const VENDORS_NAMED_MAX = 6

interface LandingProps {
  readonly context: PageContext
  readonly settings: SettingsValues
  readonly models: ReadonlyArray<Model>
  readonly plans: ReadonlyArray<PlanForSale>
  readonly texts: PriceTexts
  readonly publicUrl: string
}

const isOpen = ({ registration }: SettingsValues): boolean => registration.mode === "open"

const Hero = ({ models, settings, context }: LandingProps) => {
  const say = sayOf(context, "landing")
  const vendors = vendorsOf(models)
  const named = vendors.slice(0, VENDORS_NAMED_MAX).join(say("comma"))
  return (
    <div class="landing-hero">
      <h1>{settings.site.name}</h1>
      <p class="landing-lead">
        {models.length === 0
          ? say("lead")
          : vendors.length === 0
          ? say("lead.models", { count: models.length })
          : say(vendors.length > VENDORS_NAMED_MAX ? "lead.more" : "lead.vendors", {
            count: models.length,
            vendors: named
          })}
      </p>
      <div class="btn-list justify-content-center">
        {isOpen(settings) ? <a class="btn btn-primary" href="/register">{context.say("action.register")}</a> : null}
        <a class={`btn ${isOpen(settings) ? "" : "btn-primary"}`} href="/login">{context.say("action.login")}</a>
        <a class="btn" href="/models">{say("see")}</a>
      </div>
    </div>
  )
}

/** The ways of paying that are open, in words. */
const methodsOf = (context: PageContext, { payment: { epay, stripe } }: SettingsValues): ReadonlyArray<string> => [
  ...epay.enabled ? epay.types.map((type) => methodName(context, "epay", type)) : [],
  ...stripe.enabled ? [methodName(context, "stripe", null)] : []
]

const Start = ({ models, publicUrl, settings, context }: LandingProps) => {
  const say = sayOf(context, "landing")
  const methods = methodsOf(context, settings).join(say("comma"))
  const copy = { label: say("copy"), copied: say("copied") }
  const model = sampleModel(models)
  return (
    <Panel title={say("start")}>
      <ol class="landing-steps">
        <li>{say(isOpen(settings) ? "step.register" : "step.closed")}</li>
        {methods === "" ? null : <li>{say("step.pay", { methods })}</li>}
        <li>
          {say("step.call")}
          <Copyable id="landing-base" text={`${publicUrl}/v1`} {...copy} />
        </li>
      </ol>
      {model === undefined
        ? null
        : <Copyable id="landing-call" text={curlLine({ publicUrl, model })} {...copy} />}
    </Panel>
  )
}

const Offers = ({ context }: LandingProps) => {
  const say = sayOf(context, "landing")
  const offers = [
    [say("offer.one"), say("offer.one.text")],
    [say("offer.exact"), say("offer.exact.text")],
    [say("offer.limits"), say("offer.limits.text")]
  ] as const
  return (
    <Grid
      class="mb-3"
      cells={offers.map(([title, text]) => [
        "col-md-4",
        <section class="card h-100">
          <div class="card-body">
            <h2 class="h3">{title}</h2>
            <p class="text-secondary mb-0">{text}</p>
          </div>
        </section>
      ])}
    />
  )
}

const Models = ({ models, texts, context }: LandingProps) => {
  const say = sayOf(context, "landing")
  if (models.length === 0) {
    return (
      <Card>
        <Nothing icon="model" title={say("none")} text={say("none.text")} />
      </Card>
    )
  }
  return (
    <TableCard<PriceLine>
      class=""
      title={say("models")}
      actions={<a href="/models">{say("all", { count: models.length })}</a>}
      items={models.slice(0, MODELS_SHOWN_MAX).map((model) => ({ model, prices: model.price, above: undefined }))}
      columns={[
        { title: say("model"), cell: ({ model }) => <ModelName model={model} /> },
        { title: say("can"), wide: true, cell: ({ model }) => <AbilityBadges context={context} model={model} /> },
        ...priceColumns(context, texts, true).filter(({ wide }) => wide !== true)
      ]}
    >
      <div class="card-footer text-secondary">{say("unit")}</div>
    </TableCard>
  )
}

const Plans = ({ plans, context }: LandingProps) => {
  const say = sayOf(context, "landing")
  if (plans.length === 0) return null
  return (
    <section class="mt-3">
      <h2 class="h3">{say("plans")}</h2>
      <Grid
        cells={plans.slice(0, PLANS_SHOWN_MAX).map((plan) => [
          "col-md-4",
          <PlanCard context={context} plan={plan} lines={limitLines(context, plan.limits)} />
        ])}
      />
    </section>
  )
}

export const showLanding = Effect.fnUntraced(function*(context: PageContext) {
  const settings = (yield* Settings).current()
  const props: LandingProps = {
    context,
    settings,
    models: yield* servedModels,
    plans: settings.billing.enabled ? yield* (yield* PlansForSale).list : [],
    texts: yield* priceTexts(context),
    publicUrl: (yield* PublicAddress).url()
  }
  return page(
    sayOf(context, "landing")("title"),
    <>
      <Hero {...props} />
      <Offers {...props} />
      <Grid cells={[["col-lg-7", <Models {...props} />], ["col-lg-5", <Start {...props} />]]} />
      <Plans {...props} />
    </>
  )
})
