/**
 * Signatures as the providers make them, written down once more from their protocols: the product's own are not asked.
 */
import { createHash, createHmac } from "node:crypto"

export type Pairs = ReadonlyArray<readonly [name: string, value: string]>

/** EPay V1: the parameters without empty ones, by name, joined, the key behind; MD5 in lower-case hex. */
export const epaySigned = (pairs: Pairs, key: string): Pairs => {
  const signed = [...new Map(pairs)].filter(([, value]) => value !== "").toSorted(([a], [b]) => a < b ? -1 : 1)
  const text = signed.map(([name, value]) => `${name}=${value}`).join("&")
  return [...pairs, ["sign", createHash("md5").update(text + key).digest("hex")], ["sign_type", "MD5"]]
}

/** The header of Stripe: the time and an HMAC-SHA256 of the time, a dot and the body. */
export const stripeSignature = (body: string, secret: string, atSeconds: number): string =>
  `t=${atSeconds},v1=${createHmac("sha256", secret).update(`${atSeconds}.${body}`).digest("hex")}`

/** What EPay says of a paid order of 10.00, in its own names; `more` replaces any of it. */
export const paidNotify = (pid: string, reference: string, more: Readonly<Record<string, string>> = {}) => ({
  pid,
  trade_no: `T${reference}`,
  out_trade_no: reference,
  type: "alipay",
  name: "Realms",
  money: "10.00",
  trade_status: "TRADE_SUCCESS",
  ...more
})
