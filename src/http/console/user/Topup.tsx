/**
 * `/topup`: the balance, amounts at one click, any other amount with what it gives, and the latest orders. Credit is ordered here, and paid
 * for on the order's own page. Codes are redeemed here too.
 */
import { Effect } from "effect"
import { AccountOverview } from "../../../accounts/AccountOverview.ts"
import { formatCny } from "../../../domain/Money.ts"
import { bonusFor, percentOf } from "../../../domain/TopupBonus.ts"
import type { Order } from "../../../orders/Order.ts"
import { Orders } from "../../../orders/Orders.ts"
import { amountOf, canBuy, creditOf, termsOf, topupCredit, type TopupTerms } from "../../../orders/TopupTerms.ts"
import { Settings } from "../../../settings/Settings.ts"
import { emptyForm, type FormState, part, redirect, refuse } from "../Answer.ts"
import { routes, userForm, userPage } from "../ConsoleRoute.ts"
import { headedPage, PostForm } from "../kit/Forms.tsx"
import { Inputs } from "../kit/Inputs.tsx"
import { TableCard } from "../kit/List.tsx"
import { orderColumns } from "../kit/Orders.tsx"
import { Badge, Figure, Grid, Notice, Panel, Usd } from "../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { givenNotice, orderingRefusals, RedeemCard, redeemOn } from "./Redeem.tsx"

interface Terms {
  readonly context: PageContext
  readonly terms: TopupTerms
}

const rateText = ({ terms, context }: Terms): string =>
  sayOf(context, "topup")("rate", { credit: context.formats.usd(creditOf(100n, terms.usdPerCny)) })

/** What an amount gives, with its bonus. */
const previewText = ({ terms, context }: Terms, fen: bigint): string => {
  const say = sayOf(context, "topup")
  const { usd } = context.formats
  const { bonusMicros, creditMicros } = topupCredit(fen, terms)
  return bonusMicros === 0n
    ? say("preview", { credit: usd(creditMicros) })
    : say("preview.bonus", { credit: usd(creditMicros), bonus: usd(bonusMicros) })
}

/** From which amounts on there is a bonus. */
const BonusSteps = ({ terms: { bonuses }, context }: Terms) =>
  bonuses.length === 0 ? null : (
    <ul class="list-inline text-secondary mt-3 mb-0">
      {bonuses.toSorted((a, b) => a.fromFen < b.fromFen ? -1 : 1).map((bonus) => (
        <li key={bonus.fromFen} class="list-inline-item">
          {sayOf(context, "topup")("bonus.from", {
            amount: context.formats.cny(bonus.fromFen),
            percent: percentOf(bonus)
          })}
        </li>
      ))}
    </ul>
  )

/** What an amount gives, as it is typed; the rate while there is no amount that can be bought. */
export const CreditPreview = ({ amountFen, ...props }: Terms & { readonly amountFen: bigint | undefined }) => (
  <p id="credit-preview" class="mb-3 fw-medium" aria-live="polite">
    {amountFen !== undefined && canBuy(props.terms, amountFen)
      ? previewText(props, amountFen)
      : rateText(props)}
  </p>
)

const Preset = ({ fen, terms, context }: Terms & { readonly fen: bigint }) => {
  const say = sayOf(context, "topup")
  const bonus = bonusFor(fen, terms.bonuses)
  return (
    <button class="btn btn-outline-primary preset" type="submit" name="amount_cny" value={formatCny(fen)}>
      <span class="preset-amount">{context.formats.cny(fen)}</span>
      <span class="preset-credit">
        {say("gives", { credit: context.formats.usd(topupCredit(fen, terms).creditMicros) })}
      </span>
      {bonus === undefined ? null : <Badge tone="green">{say("bonus", { percent: percentOf(bonus) })}</Badge>}
    </button>
  )
}

const Presets = (props: Terms) => (
  <PostForm context={props.context} action="/topup/create">
    <div class="row g-2">
      {props.terms.presetsFen.map((fen) => (
        <div class="col-6 col-sm-4" key={fen}>
          <Preset {...props} fen={fen} />
        </div>
      ))}
    </div>
    <BonusSteps {...props} />
  </PostForm>
)

const OtherAmount = ({ state, terms, context }: Terms & { readonly state: FormState }) => {
  const say = sayOf(context, "topup")
  const { cny } = context.formats
  return (
    <PostForm context={context} action="/topup/create">
      <Inputs
        state={state}
        inputs={[{
          is: "cny",
          name: "amount_cny",
          label: say("amount"),
          hint: say("amount.hint", { min: cny(terms.minFen), max: cny(terms.maxFen) }),
          maxlength: 20,
          required: true,
          live: {
            "hx-get": "/topup/preview",
            "hx-trigger": "input changed delay:200ms",
            "hx-target": "#credit-preview",
            "hx-swap": "outerHTML"
          }
        }]}
      />
      <CreditPreview context={context} terms={terms} amountFen={undefined} />
      <button class="btn btn-primary" type="submit">{say("continue")}</button>
    </PostForm>
  )
}

const Amounts = (props: Terms & { readonly state: FormState }) => {
  const { terms: { isOfUse, payable, presetsFen }, context } = props
  const say = sayOf(context, "topup")
  if (!isOfUse || !payable) return <Notice kind="info">{isOfUse ? say("off") : say("useless")}</Notice>
  return (
    <Panel title={say("presets")}>
      {presetsFen.length === 0 ? <BonusSteps {...props} /> : (
        <>
          <Presets {...props} />
          <h3 class="mt-4">{say("other")}</h3>
        </>
      )}
      <OtherAmount {...props} />
    </Panel>
  )
}

const recentOrders = (context: PageContext, orders: ReadonlyArray<Order>) => {
  const say = sayOf(context, "topup")
  return (
    <TableCard
      title={say("recent")}
      class="h-100"
      actions={<a href="/orders">{say("recent.all")}</a>}
      items={orders}
      columns={orderColumns(context)}
      empty={{ icon: "order", title: say("recent.none"), text: say("recent.none.text") }}
    />
  )
}

const RECENT_MAX = 5

const currentTerms = Effect.map(Settings, (settings) => termsOf(settings.current()))

const show = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const { owedMicros, usdMicros } = yield* (yield* AccountOverview).balance(context.user.id)
  const orders = yield* (yield* Orders).list(context.user.id, { limit: RECENT_MAX })
  const terms = yield* currentTerms
  const given = yield* givenNotice(context)
  const say = sayOf(context, "topup")
  const balance = {
    label: say("balance"),
    value: <Usd context={context} micros={usdMicros} />,
    hint: rateText({ context, terms }),
    icon: "topup"
  } as const
  return headedPage({
    context,
    title: say("title"),
    lead: say("lead"),
    state,
    children: (
      <>
        {given}
        {owedMicros > 0n
          ? <Notice kind="warning">{say("owed", { amount: context.formats.usd(owedMicros) })}</Notice>
          : null}
        <Grid
          cells={[
            ["col-lg-4 align-self-start", <Figure {...balance} />],
            ["col-lg-8", <Amounts context={context} terms={terms} state={state} />],
            ["col-lg-4", <RedeemCard context={context} action="/topup/redeem" state={state} />],
            ["col-lg-8", recentOrders(context, orders)]
          ]}
        />
      </>
    )
  })
})

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "topup")
  const { cny } = context.formats
  if (!(yield* currentTerms).isOfUse) return yield* refuse({ form: say("useless") })
  const amountFen = amountOf(fields.get("amount_cny"))
  if (amountFen === undefined) return yield* refuse({ amount_cny: say("amount.none") })
  const order = yield* (yield* Orders).topup(context.user.id, amountFen).pipe(
    Effect.catchTags({
      ...orderingRefusals(context),
      AmountOutOfRange: ({ maxFen, minFen }) =>
        Effect.fail(refuse({ amount_cny: say("amount.range", { min: cny(minFen), max: cny(maxFen) }) }))
    })
  )
  return redirect(`/pay/topup/${order.id}`)
})

/** What an amount would give, as it is typed. */
const preview = (context: UserContext) =>
  Effect.map(
    currentTerms,
    (terms) => part(CreditPreview({ context, terms, amountFen: amountOf(context.query.get("amount_cny")) }))
  )

export const TopupRoutes = routes(
  userPage("/topup", show),
  userPage("/topup/preview", preview),
  userForm("/topup/create", { run: create, again: show }),
  userForm("/topup/redeem", { run: redeemOn("/topup"), again: show })
)
