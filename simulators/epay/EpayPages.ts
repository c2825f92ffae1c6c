/**
 * The pages of the simulated EPay gateway: its cashier, and what it says when a submitted form is wrong.
 */
import { html, page, type SimulatorHtml } from "../http/SimulatorHtml.ts"
import { moneyText } from "./EpayMoney.ts"
import type { EpayOrder } from "./EpayOrders.ts"

const TITLE = "Simulated EPay cashier"
const PREFIX = "/cashier/"

export const cashierPath = (order: EpayOrder): string => PREFIX + order.tradeNo

/** The gateway's number of the order that a page is about. */
export const tradeNoOf = (path: string): string | undefined =>
  path.startsWith(PREFIX) ? path.slice(PREFIX.length) : undefined

const payForm = (type: string): SimulatorHtml =>
  html`<form method="post"><button name="type" value="${type}">Pay with ${type}</button></form>
`

/** `returnUrl`: where a browser goes that has paid. */
export function cashierPage(order: EpayOrder, types: ReadonlyArray<string>, returnUrl: string): string {
  const offered = order.type === "" ? types : [order.type]
  return page(
    TITLE,
    html`<p>${order.name}</p>
<p><strong>¥${moneyText(order.fen, "20.00")}</strong></p>
${order.paidFen === 0 ? html`${offered.map(payForm)}` : html`<p>Paid. <a href="${returnUrl}">Back to the shop</a></p>`}`
  )
}

export const errorPage = (message: string): string => page(TITLE, html`<p>${message}</p>`)
