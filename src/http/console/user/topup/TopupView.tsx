/**
 * Where credit is bought: the balance, amounts at one click, any other amount with what it gives, and the latest orders.
 */
import type { Balance } from "../../../../accounts/AccountOverview.ts"
import { FEN_SCALE, formatDecimal } from "../../../../domain/Money.ts"
import type { Order } from "../../../../orders/Order.ts"
import { creditOf } from "../../../../orders/Orders.ts"
import type { Gift } from "../../../../redemption/RedemptionBatch.ts"
import type { FormState } from "../../Answer.ts"
import { Grid } from "../../kit/Grid.tsx"
import { ItemTable } from "../../kit/ItemTable.tsx"
import { orderColumns } from "../../kit/OrderColumns.tsx"
import { Panel } from "../../kit/Panel.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Card, Figure, Nothing, PageHeading, Usd } from "../../ui/Parts.tsx"
import { GivenNotice, RedeemCard } from "../redeem/RedeemCard.tsx"
import { canBuy, type TopupTerms } from "./TopupForm.ts"

export interface TopupProps {
  readonly context: PageContext
  readonly balance: Balance
  readonly terms: TopupTerms
  readonly orders: ReadonlyArray<Order>
  /** What a code has just given. */
  readonly gift: Gift | undefined
  readonly state: FormState
}

type Terms = Pick<TopupProps, "context" | "terms">

/** Offered at one click, in fen, as far as they are within the bounds. */
const presetsFen = [1_000n, 3_000n, 5_000n, 10_000n, 20_000n, 50_000n]

const creditText = ({ terms, context }: Terms, fen: bigint): string =>
  context.formats.usd(creditOf(fen, terms.usdPerCny))

const rateText = (props: Terms): string => sayOf(props.context, "topup")("rate", { credit: creditText(props, 100n) })

/** What an amount gives, as it is typed; the rate while there is no amount that can be bought. */
export const CreditPreview = ({ amountFen, ...props }: Terms & { readonly amountFen: bigint | undefined }) => (
  <p id="credit-preview" class="mb-3 fw-medium" aria-live="polite">
    {amountFen !== undefined && canBuy(props.terms, amountFen)
      ? sayOf(props.context, "topup")("preview", { credit: creditText(props, amountFen) })
      : rateText(props)}
  </p>
)

const Presets = (props: Terms) => {
  const { terms, context } = props
  const say = sayOf(context, "topup")
  return (
    <PostForm context={context} action="/topup/create">
      <div class="row g-2">
        {presetsFen.filter((fen) => canBuy(terms, fen)).map((fen) => (
          <div class="col-6 col-sm-4" key={fen}>
            <button
              class="btn btn-outline-primary preset"
              type="submit"
              name="amount_cny"
              value={formatDecimal(fen, FEN_SCALE, FEN_SCALE)}
            >
              <span class="preset-amount">{context.formats.cny(fen)}</span>
              <span class="preset-credit">{say("gives", { credit: creditText(props, fen) })}</span>
            </button>
          </div>
        ))}
      </div>
    </PostForm>
  )
}

const OtherAmount = ({ state, terms, context }: TopupProps) => {
  const say = sayOf(context, "topup")
  const { cny } = context.formats
  return (
    <PostForm context={context} action="/topup/create">
      <Field
        state={state}
        name="amount_cny"
        label={say("amount")}
        hint={say("amount.hint", { min: cny(terms.minFen), max: cny(terms.maxFen) })}
        inputmode="decimal"
        autocomplete="off"
        maxlength={20}
        prefix="¥"
        required
        live={{
          "hx-get": "/topup/preview",
          "hx-trigger": "input changed delay:200ms",
          "hx-target": "#credit-preview",
          "hx-swap": "outerHTML"
        }}
      />
      <CreditPreview context={context} terms={terms} amountFen={undefined} />
      <button class="btn btn-primary" type="submit">{say("continue")}</button>
    </PostForm>
  )
}

const Amounts = (props: TopupProps) => {
  const { terms: { isOfUse, payable }, context } = props
  const say = sayOf(context, "topup")
  if (!isOfUse || !payable) return <Notice kind="info">{isOfUse ? say("off") : say("useless")}</Notice>
  return (
    <Panel title={say("presets")}>
      <Presets {...props} />
      <h3 class="mt-4">{say("other")}</h3>
      <OtherAmount {...props} />
    </Panel>
  )
}

const RecentOrders = ({ orders, context }: TopupProps) => {
  const say = sayOf(context, "topup")
  return (
    <Card title={say("recent")} class="h-100" actions={<a href="/orders">{say("recent.all")}</a>}>
      {orders.length === 0
        ? <Nothing icon="order" title={say("recent.none")} text={say("recent.none.text")} />
        : <ItemTable caption={say("recent")} columns={orderColumns(context)} items={orders} />}
    </Card>
  )
}

export const TopupView = (props: TopupProps) => {
  const { balance: { owedMicros, usdMicros }, gift, state, context } = props
  const say = sayOf(context, "topup")
  const { usd } = context.formats
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <FormAlert state={state} />
      <GivenNotice context={context} gift={gift} />
      {owedMicros > 0n ? <Notice kind="warning">{say("owed", { amount: usd(owedMicros) })}</Notice> : null}
      <Grid
        cells={[
          [
            "col-lg-4 align-self-start",
            <Figure
              label={say("balance")}
              value={<Usd context={context} micros={usdMicros} />}
              hint={rateText(props)}
              icon="topup"
            />
          ],
          ["col-lg-8", <Amounts {...props} />],
          ["col-lg-4", <RedeemCard context={context} action="/topup/redeem" state={state} />],
          ["col-lg-8", <RecentOrders {...props} />]
        ]}
      />
    </>
  )
}
