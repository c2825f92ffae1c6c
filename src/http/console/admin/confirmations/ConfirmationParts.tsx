/**
 * How a request for a second person reads: what is asked for, what it is worth, how it stands, and what comes of it.
 */
import type { ComponentChildren } from "preact"
import type { Confirmation, ConfirmationState } from "../../../../confirmations/Confirmations.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import type { ConfirmationFacts, ConfirmedAction } from "../../../../platform/SecondPerson.ts"
import { Badge, type Tone } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { sources } from "../orders/OrdersQuery.ts"
import { minorText, sourceName } from "../payments/EventParts.tsx"
import { confirmationsText } from "./ConfirmationsText.ts"

export const actionName = (visit: Visit, action: ConfirmedAction): string => {
  const say = sayOf(visit, confirmationsText)
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
export const worthText = (visit: Visit, { action, fen, usdMicros }: Confirmation): string => {
  const say = sayOf(visit, confirmationsText)
  const amounts = [
    ...(usdMicros === null ? [] : [visit.formats.usd(usdMicros)]),
    ...(fen === null ? [] : [visit.formats.cny(fen)])
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

export const StateBadge = ({ state, visit }: { readonly visit: Visit; readonly state: ConfirmationState }) => {
  const say = sayOf(visit, confirmationsText)
  const names = {
    pending: say("state.pending"),
    confirmed: say("state.confirmed"),
    rejected: say("state.rejected"),
    expired: say("state.expired")
  }
  return <Badge tone={tones[state]}>{names[state]}</Badge>
}

type Fact = readonly [label: string, value: ComponentChildren]

const isSource = (text: string): text is typeof sources[number] => sources.some((source) => source === text)

const amountPattern = /^-?\d{1,20}$/

/** Of one fact; what is not known here is shown as it is stored. */
const factOf = (visit: Visit, facts: ConfirmationFacts, key: string): Fact => {
  const say = sayOf(visit, confirmationsText)
  const text = String(facts[key] ?? "")
  const code = <code class="break-anywhere">{text === "" ? "–" : text}</code>
  const isAmount = amountPattern.test(text)
  const usd = isAmount ? visit.formats.usd(BigInt(text)) : text
  const cny = isAmount ? visit.formats.cny(BigInt(text)) : text
  const currency = facts["currency"]
  const minor = isAmount ? minorText(visit, BigInt(text), typeof currency === "string" ? currency : null) : text
  const limit = text === "0" ? say("fact.no_limit") : usd
  const known: Readonly<Record<string, Fact>> = {
    user_id: [say("fact.user"), <a href={`/admin/users/${text}`}>#{text}</a>],
    order_id: [say("fact.order"), <a href={`/admin/orders/${text}`}>#{text}</a>],
    event_id: [say("fact.event"), <a href={`/admin/payments/${text}`}>#{text}</a>],
    refund_id: [say("fact.refund"), `#${text}`],
    amount_micros: [say("fact.amount"), usd],
    usd_micros: [say("fact.each"), usd],
    credit_micros: [say("fact.credit"), usd],
    amount_fen: [say("fact.order_amount"), cny],
    price_fen: [say("fact.price"), cny],
    amount_minor: [say("fact.amount"), minor],
    paid_minor: [say("fact.paid"), minor],
    currency: [say("fact.currency"), text.toUpperCase()],
    in_review: [say("fact.in_review"), facts[key] === true ? say("fact.yes") : say("fact.no")],
    payment: [say("fact.payment"), code],
    provider: [say("fact.provider"), isSource(text) ? sourceName(visit, text) : code],
    plan: [say("fact.plan"), text],
    plan_code: [say("fact.plan_code"), code],
    duration_days: [say("fact.days"), text],
    limit_5h_micros: [say("fact.limit_5h"), limit],
    limit_1d_micros: [say("fact.limit_1d"), limit],
    limit_7d_micros: [say("fact.limit_7d"), limit],
    limit_30d_micros: [say("fact.limit_30d"), limit],
    multiplier_micros: [say("fact.multiplier"), isAmount ? formatDecimal(BigInt(text), MICROS_SCALE, 0) : text],
    name: [say("fact.name"), text],
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

export const Facts = ({ facts, visit }: { readonly visit: Visit; readonly facts: ConfirmationFacts }) => (
  <>
    {Object.keys(facts).toSorted((one, other) => place(one) - place(other)).map((key) => {
      const [label, value] = factOf(visit, facts, key)
      return (
        <>
          <dt>{label}</dt>
          <dd class="break-anywhere">{value}</dd>
        </>
      )
    })}
  </>
)
