/**
 * How a request for a second person reads: what is asked for, what it is worth, how it stands, and what comes of it.
 */
import type { ComponentChildren } from "preact"
import type { Confirmation, ConfirmationState } from "../../../../confirmations/Confirmations.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import type { ConfirmationFacts, ConfirmedAction } from "../../../../platform/SecondPerson.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Badge, type Tone } from "../../ui/Parts.tsx"
import { sources } from "../orders/OrdersQuery.ts"
import { minorText, sourceName } from "../payments/EventParts.tsx"

export const actionName = (context: PageContext, action: ConfirmedAction): string => {
  const say = sayOf(context, "confirmations")
  return {
    "balance.adjust": say("action.adjust"),
    "debt.waive": say("action.waive"),
    "codes.create": say("action.codes"),
    "plan.grant": say("action.grant"),
    "payment.accept": say("action.accept"),
    "payment.credit": say("action.credit"),
    "payment.refund": say("action.refund_payment"),
    "order.complete": say("action.complete"),
    "order.refund": say("action.refund"),
    "refund.fail": say("action.fail"),
    "settings.limits": say("action.limits")
  }[action]
}

/** What it is worth; a text where that has no bound. */
export const worthText = (context: PageContext, { action, fen, usdMicros }: Confirmation): string => {
  const say = sayOf(context, "confirmations")
  const amounts = [
    ...(usdMicros === null ? [] : [context.formats.usd(usdMicros)]),
    ...(fen === null ? [] : [context.formats.cny(fen)])
  ]
  if (amounts.length > 0) return amounts.join(" / ")
  return action === "settings.limits" ? "–" : say("unbounded")
}

const tones: Readonly<Record<ConfirmationState, Tone>> = {
  pending: "yellow",
  confirmed: "green",
  rejected: "red",
  expired: "secondary"
}

export const StateBadge = (
  { state, context }: { readonly context: PageContext; readonly state: ConfirmationState }
) => {
  const say = sayOf(context, "confirmations")
  const names = {
    pending: say("waiting"),
    confirmed: say("state.confirmed"),
    rejected: say("state.rejected"),
    expired: say("expired")
  }
  return <Badge tone={tones[state]}>{names[state]}</Badge>
}

type Fact = readonly [label: string, value: ComponentChildren]

const isSource = (text: string): text is typeof sources[number] => sources.some((source) => source === text)

const amountPattern = /^-?\d{1,20}$/

/** Of one fact; what is not known here is shown as it is stored. */
const factOf = (context: PageContext, facts: ConfirmationFacts, key: string): Fact => {
  const say = sayOf(context, "confirmations")
  const text = String(facts[key] ?? "")
  const code = <code class="break-anywhere">{text === "" ? "–" : text}</code>
  const isAmount = amountPattern.test(text)
  const usd = isAmount ? context.formats.usd(BigInt(text)) : text
  const cny = isAmount ? context.formats.cny(BigInt(text)) : text
  const currency = facts["currency"]
  const minor = isAmount ? minorText(context, BigInt(text), typeof currency === "string" ? currency : null) : text
  const limit = text === "0" ? say("fact.no_limit") : usd
  const known: Readonly<Record<string, Fact>> = {
    user_id: [say("user"), <a href={`/admin/users/${text}`}>#{text}</a>],
    order_id: [say("order"), <a href={`/admin/orders/${text}`}>#{text}</a>],
    event_id: [say("fact.event"), <a href={`/admin/payments/${text}`}>#{text}</a>],
    refund_id: [say("refund"), `#${text}`],
    amount_micros: [say("amount"), usd],
    usd_micros: [say("fact.each"), usd],
    credit_micros: [say("fact.credit"), usd],
    amount_fen: [say("fact.order_amount"), cny],
    price_fen: [say("price"), cny],
    amount_minor: [say("amount"), minor],
    paid_minor: [say("fact.paid"), minor],
    currency: [say("currency"), text.toUpperCase()],
    in_review: [say("fact.in_review"), facts[key] === true ? say("yes") : say("no")],
    payment: [say("fact.payment"), code],
    provider: [say("fact.provider"), isSource(text) ? sourceName(context, text) : code],
    plan: [say("plan"), text],
    plan_code: [say("fact.plan_code"), code],
    duration_days: [say("fact.days"), text],
    limit_5h_micros: [say("fact.limit_5h"), limit],
    limit_1d_micros: [say("fact.limit_1d"), limit],
    limit_7d_micros: [say("fact.limit_7d"), limit],
    limit_30d_micros: [say("fact.limit_30d"), limit],
    multiplier_micros: [say("multiplier"), isAmount ? formatDecimal(BigInt(text), MICROS_SCALE, 0) : text],
    name: [say("name"), text],
    codes: [say("fact.codes"), text],
    uses_max: [say("fact.uses"), text],
    expires_at: [say("fact.expires"), text === "" ? say("fact.never") : text],
    "finance.confirm_above_usd": [say("fact.usd_limit"), text === "" ? say("fact.no_limit") : `$${text}`],
    "finance.confirm_above_usd.before": [say("fact.usd_before"), text === "" ? say("fact.no_limit") : `$${text}`],
    "finance.confirm_above_cny": [say("fact.cny_limit"), text === "" ? say("fact.no_limit") : `¥${text}`],
    "finance.confirm_above_cny.before": [say("fact.cny_before"), text === "" ? say("fact.no_limit") : `¥${text}`]
  }
  return known[key] ?? [key, code]
}

/** What is read first; the rest follows in the order in which it is stored. */
const first = [
  "user_id",
  "order_id",
  "event_id",
  "amount_micros",
  "amount_minor",
  "amount_fen",
  "credit_micros",
  "name",
  "plan"
]

const place = (key: string): number => first.includes(key) ? first.indexOf(key) : first.length

export const Facts = ({ facts, context }: { readonly context: PageContext; readonly facts: ConfirmationFacts }) => (
  <>
    {Object.keys(facts).toSorted((one, other) => place(one) - place(other)).map((key) => {
      const [label, value] = factOf(context, facts, key)
      return (
        <>
          <dt>{label}</dt>
          <dd class="break-anywhere">{value}</dd>
        </>
      )
    })}
  </>
)
