/**
 * Facts about EPay payments, alike whether the gateway told of one by itself or was asked: the same trade in the same
 * state is the same event.
 * @internal
 */
import type { EpayConfig } from "../config/Config.ts"
import { hostOf } from "./EpayGateway.ts"
import { parseFen } from "./EpayMoney.ts"
import { digestOf, eventKeyOf, isId, wordOf } from "./FactBounds.ts"
import type { FactIdentity, PaymentFact } from "./PaymentFact.ts"

/** The one state that is money. */
export const TRADE_SUCCESS = "TRADE_SUCCESS"

/**
 * The trade is over and cannot be refunded any more. It says that it was paid, long ago, and has no sum that a settlement may
 * rely on: normally `TRADE_SUCCESS` came before.
 */
export const TRADE_FINISHED = "TRADE_FINISHED"

/** What a gateway says of a trade; what it does not say is empty. */
export interface EpayTrade {
  readonly pid: string
  readonly trade: string
  readonly reference: string
  readonly method: string
  readonly money: string
  readonly status: string
}

/** The first characters of it, which tell events apart. */
const shortDigest = (text: string): string => digestOf(text).slice(0, 16)

const identityOf = (config: EpayConfig, told: EpayTrade, ...more: ReadonlyArray<string>): FactIdentity => ({
  provider: "epay",
  eventKey: eventKeyOf([hostOf(config), told.pid, told.trade, told.status, ...more].join(":")),
  kind: wordOf(told.status),
  payment: isId(told.trade) ? told.trade : null,
  gateway: hostOf(config),
  account: wordOf(told.pid),
  reference: isId(told.reference) ? told.reference : null,
  atSeconds: 0
})

/**
 * A telling that cannot be read is an event by its whole content, so that it never stands in the way of one of the same
 * trade that can.
 */
const unreadable = (config: EpayConfig, told: EpayTrade, why: string): PaymentFact => ({
  ...identityOf(config, told, "unreadable", shortDigest(JSON.stringify(Object.entries(told)))),
  _tag: "Unreadable",
  why
})

/** What follows from a telling that is known to be the gateway's. */
export const factOf = (config: EpayConfig, told: EpayTrade): PaymentFact => {
  if (told.pid === "" || told.pid !== config.partnerId) return unreadable(config, told, "the pid is another merchant's")
  if (told.status === TRADE_FINISHED) {
    return unreadable(config, told, "the trade is finished (TRADE_FINISHED): look at the gateway whether it was paid")
  }
  if (told.status !== TRADE_SUCCESS) {
    return { ...identityOf(config, told), _tag: "Nothing", why: `the trade is not paid: ${wordOf(told.status)}` }
  }
  if (told.trade === "" || told.reference === "") {
    return unreadable(config, told, "trade_no or out_trade_no is missing")
  }
  if (!isId(told.trade) || !isId(told.reference)) {
    return unreadable(config, told, "trade_no or out_trade_no is too long")
  }
  const fen = parseFen(told.money)
  if (fen === undefined) return unreadable(config, told, "the money is no amount")
  return {
    // The same trade with another reference or amount is another event: it must not pass for a repetition.
    ...identityOf(config, told, shortDigest(`${told.reference}\n${fen}`)),
    _tag: "Paid",
    merchant: told.pid,
    method: told.method === "" ? null : wordOf(told.method),
    amountMinor: fen,
    currency: "cny"
  }
}
