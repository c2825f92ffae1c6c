/**
 * The pay page of the simulated Stripe: a button for each method, now or delayed, and after that what became of it.
 */
import { html, page, type SimulatorHtml } from "../http/SimulatorHtml.ts"
import type { SessionRecord } from "./StripeObjects.ts"

const PAGE_PREFIX = "/c/pay/"

export const pagePath = (sessionId: string): string => PAGE_PREFIX + sessionId

/** The session a page is about. */
export const sessionIdOf = (path: string): string | undefined =>
  path.startsWith(PAGE_PREFIX) ? path.slice(PAGE_PREFIX.length) : undefined

const currenciesWithout = new Set(
  "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" ")
)
const currenciesOfThousands = new Set("bhd jod kwd omr tnd".split(" "))

/** An amount for people; zero-decimal currencies have no fraction. */
export function amountText(amount: number, currency: string): string {
  const decimals = currenciesWithout.has(currency) ? 0 : currenciesOfThousands.has(currency) ? 3 : 2
  const digits = String(amount).padStart(decimals + 1, "0")
  const whole = digits.slice(0, digits.length - decimals)
  return `${decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`} ${currency.toUpperCase()}`
}

const button = (name: string, value: string, label: string): SimulatorHtml =>
  html`<button name="${name}" value="${value}">${label}</button> `

const methodForm = (method: string): SimulatorHtml =>
  html`<form method="post"><input type="hidden" name="method" value="${method}">${
    button("action", "pay", `Pay with ${method}`)
  }${button("action", "delayed", `Pay with ${method}, delayed`)}</form>
`

const openForms = ({ terms }: SessionRecord): SimulatorHtml =>
  html`${terms.methods.map(methodForm)}${
    terms.cancelUrl === null ? html`` : html`<p><a href="${terms.cancelUrl}">Back</a></p>`
  }`

const delayedForm = html`<p>The session is complete; the money is still to come.</p>
<form method="post">${button("action", "succeed", "The money arrives")}${
  button("action", "fail", "The payment fails")
}</form>`

const back = (session: SessionRecord): SimulatorHtml =>
  html`<p><a href="${successUrlOf(session)}">Back to the shop</a></p>`

/** Where the browser goes when the session is complete. */
export const successUrlOf = (session: SessionRecord): string =>
  session.terms.successUrl.replaceAll("{CHECKOUT_SESSION_ID}", session.id)

function stateOf(session: SessionRecord): SimulatorHtml {
  if (session.status === "open") return openForms(session)
  if (session.status === "expired") return html`<p>This session has expired.</p>`
  if (session.payment?.status === "processing") return html`${delayedForm}${back(session)}`
  const outcome = session.payment?.status === "succeeded" ? "Paid." : "The payment failed."
  return html`<p>${outcome}</p>${back(session)}`
}

export const payPage = (session: SessionRecord): string =>
  page(
    "Simulated Stripe Checkout",
    html`<p>${session.terms.itemName}</p>
<p><strong>${amountText(session.terms.amountTotal, session.terms.currency)}</strong></p>
${stateOf(session)}`
  )

export const problemPage = (message: string): string => page("Simulated Stripe Checkout", html`<p>${message}</p>`)
