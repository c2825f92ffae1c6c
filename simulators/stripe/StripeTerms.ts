/**
 * What a merchant asks of the simulated Stripe with a new Checkout Session: the parameters read and judged as Stripe
 * judges them. Amounts are in the currency's smallest unit and taken as they are, zero-decimal currencies included.
 */
import { type Form, integerAt, listAt, nodeAt, recordAt, textAt, textsAt } from "./StripeForm.ts"
import { invalid, missing, type StripeRefusal, StripeRefused } from "./StripeRefused.ts"
import { sessionShape } from "./StripeSessionShape.ts"
import { checkForm } from "./StripeShape.ts"

const EXPIRES_SECONDS_MIN = 30 * 60
const EXPIRES_SECONDS_MAX = 24 * 60 * 60
const AMOUNT_MAX = 99_999_999
const REFERENCE_CHARACTERS_MAX = 200
/** The API version from which a session no longer takes `payment_method_types`. */
const METHOD_TYPES_GONE = "2026-09-30"

export interface Metadata {
  readonly [name: string]: string
}

export interface SessionTerms {
  /** In lower case. */
  readonly currency: string
  readonly amountTotal: number
  readonly itemName: string
  readonly methods: ReadonlyArray<string>
  readonly clientReferenceId: string | null
  readonly customerEmail: string | null
  readonly metadata: Metadata
  readonly intentMetadata: Metadata
  readonly successUrl: string
  readonly cancelUrl: string | null
  readonly createdSeconds: number
  readonly expiresAtSeconds: number
}

/** Delayed ones are among them: money arrives days after the session is complete. */
const knownMethods = (
  "card alipay wechat_pay link paypal konbini sepa_debit us_bank_account customer_balance acss_debit " +
  "bacs_debit boleto oxxo multibanco ideal bancontact eps p24 klarna affirm afterpay_clearpay amazon_pay " +
  "cashapp grabpay fpx paynow promptpay pix revolut_pay twint"
).split(" ")
const defaultMethods = ["card", "link", "alipay", "wechat_pay"]

/** In the smallest unit; Stripe asks for about half a dollar. */
const minimums: ReadonlyMap<string, number> = new Map(
  Object.entries({ usd: 50, eur: 50, gbp: 30, hkd: 400, jpy: 50, sgd: 50, aud: 50, cad: 50, chf: 50 })
)

const currencies: ReadonlySet<string> = new Set(
  Intl.supportedValuesOf("currency").map((currency) => currency.toLowerCase())
)

const refuse = (refusal: StripeRefusal): never => {
  throw new StripeRefused(refusal)
}

/** The parameter of that time: a version that does not know it says so. */
function checkMethodTypes(form: Form, apiVersion: string): void {
  const isGone = apiVersion.slice(0, METHOD_TYPES_GONE.length) >= METHOD_TYPES_GONE
  const unknown = isGone ? "payment_method_types" : "allowed_payment_method_types"
  if (form.has(unknown)) refuse(invalid(`Received unknown parameter: ${unknown}`, "parameter_unknown", unknown))
  if (textsAt(form, "payment_method_types").includes("wechat_pay")) {
    if (textAt(form, "payment_method_options", "wechat_pay", "client") === undefined) {
      refuse(missing("payment_method_options[wechat_pay][client]"))
    }
  }
}

function methodsOf(form: Form, apiVersion: string): ReadonlyArray<string> {
  checkMethodTypes(form, apiVersion)
  for (const name of ["payment_method_types", "allowed_payment_method_types", "excluded_payment_method_types"]) {
    const strange = textsAt(form, name).find((method) => !knownMethods.includes(method))
    if (strange !== undefined) {
      refuse(invalid(`Invalid ${name}: must be one of ${knownMethods.join(", ")}`, undefined, name))
    }
  }
  const asked = [...textsAt(form, "payment_method_types"), ...textsAt(form, "allowed_payment_method_types")]
  const excluded = textsAt(form, "excluded_payment_method_types")
  const methods = (asked.length === 0 ? defaultMethods : asked).filter((method) => !excluded.includes(method))
  return methods.length > 0 ? methods : refuse(invalid("No valid payment method types for this Checkout Session."))
}

function currencyOf(form: Form): string {
  const items = listAt(form, "line_items").filter((item) => typeof item === "object")
  const named = [...new Set(items.map((item) => (textAt(item, "price_data", "currency") ?? "").toLowerCase()))]
  const [currency = ""] = named
  if (!currencies.has(currency)) {
    refuse(invalid(`Invalid currency: ${currency}.`, undefined, "line_items[0][price_data][currency]"))
  }
  return named.length === 1
    ? currency
    : refuse(invalid("All line items must use the same currency.", undefined, "line_items"))
}

function totalOf(form: Form, currency: string): number {
  let total = 0
  for (const [index, item] of listAt(form, "line_items").entries()) {
    if (typeof item === "string") continue
    const amount = integerAt(item, "price_data", "unit_amount") ?? 0
    const quantity = integerAt(item, "quantity") ?? 0
    const name = `line_items[${index}]`
    if (amount < 0) {
      refuse(invalid("Invalid non-negative integer", "parameter_invalid_integer", `${name}[price_data][unit_amount]`))
    }
    if (quantity < 1) refuse(invalid("Invalid positive integer", "parameter_invalid_integer", `${name}[quantity]`))
    total += amount * quantity
  }
  const minimum = minimums.get(currency) ?? 1
  if (total < minimum) {
    refuse(
      invalid(
        `The Checkout Session's total amount due must add up to at least ${minimum} ${currency}`,
        "amount_too_small"
      )
    )
  }
  return total <= AMOUNT_MAX
    ? total
    : refuse(invalid(`The total amount due must be no more than ${AMOUNT_MAX} ${currency}`, "amount_too_large"))
}

function expiryOf(form: Form, nowSeconds: number): number {
  const asked = integerAt(form, "expires_at")
  if (asked === undefined) return nowSeconds + EXPIRES_SECONDS_MAX
  const wrong = asked < nowSeconds + EXPIRES_SECONDS_MIN
    ? "at least 30 minutes"
    : asked > nowSeconds + EXPIRES_SECONDS_MAX
    ? "less than 24 hours"
    : undefined
  if (wrong === undefined) return asked
  return refuse(
    invalid(`The \`expires_at\` timestamp must be ${wrong} from Checkout Session creation.`, undefined, "expires_at")
  )
}

/** Reads the parameters of a new session; throws `StripeRefused`. */
export function termsOf(form: Form, apiVersion: string, nowSeconds: number): SessionTerms {
  checkForm(sessionShape, form)
  const reference = textAt(form, "client_reference_id") ?? null
  if (textAt(form, "mode") !== "payment") refuse(invalid("Only `payment` is simulated.", undefined, "mode"))
  if (reference !== null && reference.length > REFERENCE_CHARACTERS_MAX) {
    refuse(invalid(`At most ${REFERENCE_CHARACTERS_MAX} characters`, "parameter_invalid_string", "client_reference_id"))
  }
  if (listAt(form, "line_items").length === 0 || nodeAt(form, "line_items", "0") === undefined) {
    refuse(missing("line_items"))
  }
  const currency = currencyOf(form)
  return {
    currency,
    amountTotal: totalOf(form, currency),
    itemName: textAt(form, "line_items", "0", "price_data", "product_data", "name") ?? "",
    methods: methodsOf(form, apiVersion),
    clientReferenceId: reference,
    customerEmail: textAt(form, "customer_email") ?? null,
    metadata: recordAt(form, "metadata"),
    intentMetadata: recordAt(form, "payment_intent_data", "metadata"),
    successUrl: textAt(form, "success_url") ?? "",
    cancelUrl: textAt(form, "cancel_url") ?? null,
    createdSeconds: nowSeconds,
    expiresAtSeconds: expiryOf(form, nowSeconds)
  }
}
