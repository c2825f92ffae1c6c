/**
 * How a request for a second person reads: what is asked for, what it is worth, how it stands, and what comes of it.
 */
import type { ComponentChildren } from "preact"
import type { ActionRefused, Confirmation, ConfirmationState } from "../../../../confirmations/Confirmations.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import type { ConfirmationFacts, ConfirmedAction } from "../../../../platform/SecondPerson.ts"
import type { Fact, States } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { oneOf } from "../../Params.ts"
import type { TextKey } from "../../text/Texts.ts"
import { minorText, sourceName, sources } from "../payments/EventParts.tsx"

const actions: Readonly<Record<ConfirmedAction, TextKey<"confirmations">>> = {
  "balance.adjust": "action.adjust",
  "debt.waive": "action.waive",
  "codes.create": "action.codes",
  "plan.grant": "action.grant",
  "payment.accept": "action.accept",
  "payment.credit": "action.credit",
  "payment.refund": "action.refund_payment",
  "order.complete": "action.complete",
  "order.refund": "action.refund",
  "refund.fail": "action.fail",
  "settings.limits": "action.limits"
}

export const requestName = (context: PageContext, { action, id }: Confirmation): string =>
  `#${id} ${sayOf(context, "confirmations")(actions[action])}`

/** What it is worth; a text where that has no bound. */
export const worthText = (context: PageContext, { action, fen, usdMicros }: Confirmation): string => {
  const amounts = [
    ...(usdMicros === null ? [] : [context.formats.usd(usdMicros)]),
    ...(fen === null ? [] : [context.formats.cny(fen)])
  ]
  if (amounts.length > 0) return amounts.join(" / ")
  return action === "settings.limits" ? "–" : sayOf(context, "confirmations")("unbounded")
}

export const states: States<ConfirmationState, TextKey<"confirmations">> = {
  pending: ["yellow", "waiting"],
  confirmed: ["green", "state.confirmed"],
  rejected: ["red", "state.rejected"],
  expired: ["secondary", "expired"]
}

/** Why an action is not possible any more, by its refusal. */
const refusals = new Map<string, TextKey<"confirmations">>([
  ["DoneBefore", "why.done"],
  ["AdjustmentReused", "why.done"],
  ["WaiverReused", "why.done"],
  ["BatchReused", "why.done"],
  ["GrantReused", "why.done"],
  ["RefundReused", "why.done"],
  ["DebitRefused", "why.balance"],
  ["DebtExceeded", "why.balance"],
  ["ChangedMeanwhile", "why.changed"],
  ["OrderClosed", "why.changed"],
  ["OrderProcessing", "why.changed"],
  ["EventClosed", "why.changed"],
  ["PaymentUsed", "why.changed"],
  ["RefundNotPossible", "why.changed"]
])

/** A refusal that is not in the table is said in the words of the one who refused. */
export const refusedText = (context: Pick<PageContext, "language">, { code, reason }: ActionRefused): string => {
  const key = refusals.get(code)
  return key === undefined ? reason : sayOf(context, "confirmations")(key)
}

/** Shows the text of one fact. What is not of its kind is shown as it is stored. */
type Show = (text: string, context: PageContext, facts: ConfirmationFacts) => ComponentChildren

const plain: Show = (text) => text
const code: Show = (text) => <code>{text === "" ? "–" : text}</code>
const amount =
  (show: (amount: bigint, context: PageContext, facts: ConfirmationFacts) => string): Show => (text, ...of) =>
    /^-?\d{1,20}$/.test(text) ? show(BigInt(text), ...of) : text
const usd = amount((micros, { formats }) => formats.usd(micros))
const cny = amount((fen, { formats }) => formats.cny(fen))
const minor = amount((units, context, { currency }) =>
  minorText(context, units, typeof currency === "string" ? currency : null)
)
const rate = amount((micros) => formatDecimal(micros, { scale: MICROS_SCALE }))
const linkTo = (path: string): Show => (text) => <a href={`${path}/${text}`}>#{text}</a>
const source: Show = (text, context, facts) => {
  const known = oneOf(sources, text)
  return known === undefined ? code(text, context, facts) : sourceName(context, known)
}

/** Where there is no limit, that is said instead. */
const limit = (none: string, show: Show): Show => (text, context, facts) =>
  text === none ? sayOf(context, "confirmations")("fact.no_limit") : show(text, context, facts)
const usdLimit = limit("0", usd)
const countLimit = limit("0", (text, { formats }) => formats.count(Number(text)))

/** What is known of requests, in the order in which it is read; anything else follows as it is stored. */
const known = new Map<string, readonly [label: TextKey<"confirmations">, show: Show]>([
  ["user_id", ["user", linkTo("/admin/users")]],
  ["order_id", ["order", linkTo("/admin/orders")]],
  ["event_id", ["fact.event", linkTo("/admin/payments")]],
  ["amount_micros", ["amount", usd]],
  ["amount_minor", ["amount", minor]],
  ["amount_fen", ["fact.order_amount", cny]],
  ["credit_micros", ["fact.credit", usd]],
  ["name", ["name", plain]],
  ["plan", ["plan", plain]],
  ["refund_id", ["refund", (text) => `#${text}`]],
  ["usd_micros", ["fact.each", usd]],
  ["price_fen", ["price", cny]],
  ["paid_minor", ["fact.paid", minor]],
  ["currency", ["currency", (text) => text.toUpperCase()]],
  ["in_review", ["fact.in_review", (text, { say }) => say(text === "true" ? "yes" : "no")]],
  ["payment", ["fact.payment", code]],
  ["provider", ["fact.provider", source]],
  ["plan_code", ["fact.plan_code", code]],
  ["duration_days", ["fact.days", plain]],
  ["limit_5h_micros", ["fact.limit_5h", usdLimit]],
  ["limit_1d_micros", ["fact.limit_1d", usdLimit]],
  ["limit_7d_micros", ["fact.limit_7d", usdLimit]],
  ["limit_30d_micros", ["fact.limit_30d", usdLimit]],
  ["multiplier_micros", ["multiplier", rate]],
  ["group_code", ["group", code]],
  ["requests_per_minute", ["fact.requests", countLimit]],
  ["tokens_per_minute", ["fact.tokens", countLimit]],
  ["concurrent_calls", ["fact.concurrent", countLimit]],
  ["codes", ["fact.codes", plain]],
  ["uses_max", ["fact.uses", plain]],
  ["expires_at", ["fact.expires", (text, context) => text || sayOf(context, "confirmations")("fact.never")]],
  ["finance.confirm_above_usd", ["fact.usd_limit", limit("", (text) => `$${text}`)]],
  ["finance.confirm_above_usd.before", ["fact.usd_before", limit("", (text) => `$${text}`)]],
  ["finance.confirm_above_cny", ["fact.cny_limit", limit("", (text) => `¥${text}`)]],
  ["finance.confirm_above_cny.before", ["fact.cny_before", limit("", (text) => `¥${text}`)]]
])

/** A fact in words; undefined where it is none that is known. */
export const factOf = (
  context: PageContext,
  field: string,
  text: string,
  facts: ConfirmationFacts
): { readonly label: string; readonly text: ComponentChildren } | undefined => {
  const found = known.get(field)
  if (found === undefined) return undefined
  const [label, show] = found
  return { label: sayOf(context, "confirmations")(label), text: show(text, context, facts) }
}

/** What a request would do, fact by fact. */
export const factsOf = (context: PageContext, facts: ConfirmationFacts): ReadonlyArray<Fact> => {
  const keys = [...known.keys()].filter((key) => key in facts)
  const others = Object.keys(facts).filter((key) => !known.has(key))
  return [...keys, ...others].map((key) => {
    const text = String(facts[key] ?? "")
    const fact = factOf(context, key, text, facts) ?? { label: key, text: code(text, context, facts) }
    return [fact.label, <span class="break-anywhere">{fact.text}</span>]
  })
}
