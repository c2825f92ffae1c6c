/**
 * Where credit is bought: the balance, amounts at one click, any other amount with what it gives, and the latest orders.
 */
import type { Balance } from "../../../../accounts/AccountOverview.ts"
import { formatDecimal } from "../../../../domain/Money.ts"
import type { Order } from "../../../../orders/Order.ts"
import { creditOf } from "../../../../orders/Orders.ts"
import type { Gift } from "../../../../redemption/RedemptionBatch.ts"
import type { FormState } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { OrderTable } from "../../ui/OrderParts.tsx"
import { Card, Figure, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { GivenNotice, RedeemCard } from "../redeem/RedeemCard.tsx"

/** What can be bought, and for what. Amounts in fen. */
export interface TopupTerms {
  readonly minFen: bigint
  readonly maxFen: bigint
  readonly usdPerCny: string
  /** Some way of paying is on. */
  readonly payable: boolean
  /** Calls are paid from the balance. */
  readonly isOfUse: boolean
}

/** Offered at one click, in fen, as far as they are within the bounds. */
const presetsFen = [1_000n, 3_000n, 5_000n, 10_000n, 20_000n, 50_000n]

/** What an amount gives, as it is typed; says nothing of one that is none. */
export const CreditPreview = (
  { amountFen, terms, context }: {
    readonly context: PageContext
    readonly terms: TopupTerms
    readonly amountFen: bigint | undefined
  }
) => {
  const say = sayOf(context, "topup")
  const isWithin = amountFen !== undefined && amountFen >= terms.minFen && amountFen <= terms.maxFen
  return (
    <p id="credit-preview" class="mb-3 fw-medium" aria-live="polite">
      {isWithin
        ? say("preview", { credit: context.formats.usd(creditOf(amountFen, terms.usdPerCny)) })
        : say("rate", { credit: context.formats.usd(creditOf(100n, terms.usdPerCny)) })}
    </p>
  )
}

const Presets = ({ terms, context }: { readonly context: PageContext; readonly terms: TopupTerms }) => {
  const say = sayOf(context, "topup")
  const offered = presetsFen.filter((fen) => fen >= terms.minFen && fen <= terms.maxFen)
  return (
    <PostForm context={context} action="/topup/create">
      <div class="row g-2">
        {offered.map((fen) => {
          const amount = context.formats.cny(fen)
          const credit = context.formats.usd(creditOf(fen, terms.usdPerCny))
          return (
            <div class="col-6 col-sm-4" key={fen}>
              <button
                class="btn btn-outline-primary preset"
                type="submit"
                name="amount_cny"
                value={formatDecimal(fen, 2, 2)}
              >
                <span class="preset-amount">{amount}</span>
                <span class="preset-credit">{say("gives", { credit })}</span>
              </button>
            </div>
          )
        })}
      </div>
    </PostForm>
  )
}

const OtherAmount = (
  { state, terms, context }: { readonly context: PageContext; readonly terms: TopupTerms; readonly state: FormState }
) => {
  const say = sayOf(context, "topup")
  const { formats } = context
  return (
    <PostForm context={context} action="/topup/create">
      <Field
        state={state}
        name="amount_cny"
        label={say("amount")}
        hint={say("amount.hint", { min: formats.cny(terms.minFen), max: formats.cny(terms.maxFen) })}
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

export const TopupView = (
  { balance, gift, orders, state, terms, context }: {
    readonly context: PageContext
    readonly balance: Balance
    readonly terms: TopupTerms
    readonly orders: ReadonlyArray<Order>
    /** What a code has just given. */
    readonly gift: Gift | undefined
    readonly state: FormState
  }
) => {
  const say = sayOf(context, "topup")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <FormAlert state={state} />
      <GivenNotice context={context} gift={gift} />
      {balance.owedMicros > 0n
        ? <Notice kind="warning">{say("owed", { amount: context.formats.usd(balance.owedMicros) })}</Notice>
        : null}
      <div class="row g-3">
        <div class="col-lg-4 align-self-start">
          <Figure
            label={say("balance")}
            value={context.formats.usd(balance.usdMicros)}
            hint={say("rate", { credit: context.formats.usd(creditOf(100n, terms.usdPerCny)) })}
            icon="topup"
          />
        </div>
        <div class="col-lg-8">
          {terms.payable && terms.isOfUse
            ? (
              <Card title={say("presets")}>
                <div class="card-body">
                  <Presets context={context} terms={terms} />
                  <h3 class="mt-4">{say("other")}</h3>
                  <OtherAmount context={context} terms={terms} state={state} />
                </div>
              </Card>
            )
            : <Notice kind="info">{terms.isOfUse ? say("off") : say("useless")}</Notice>}
        </div>
        <div class="col-lg-4">
          <RedeemCard context={context} action="/topup/redeem" state={state} />
        </div>
        <div class="col-lg-8">
          <Card title={say("recent")} class="h-100" actions={<a href="/orders">{say("recent.all")}</a>}>
            {orders.length === 0
              ? <Nothing icon="order" title={say("recent.none")} text={say("recent.none.text")} />
              : <OrderTable context={context} caption={say("recent")} orders={orders} />}
          </Card>
        </div>
      </div>
    </>
  )
}
