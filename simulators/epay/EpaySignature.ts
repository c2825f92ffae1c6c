/**
 * The signature of EPay V1: all parameters but `sign`, `sign_type` and the empty ones, sorted by name, joined raw, and
 * hashed by MD5 with the merchant's key behind them.
 */
import { Buffer } from "node:buffer"
import { createHash, timingSafeEqual } from "node:crypto"

/** Decoded names and values. A name may be there twice, though it must not. */
export type EpayPairs = ReadonlyArray<readonly [name: string, value: string]>

export interface EpayParameters {
  readonly [name: string]: string
}

/** The text that is signed, without the key. */
export const epayText = (pairs: EpayPairs): string =>
  pairs.filter(([name, value]) => name !== "sign" && name !== "sign_type" && value !== "")
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, value]) => `${name}=${value}`)
    .join("&")

/** In lower-case hexadecimal. */
export const epaySign = (pairs: EpayPairs, key: string): string =>
  createHash("md5").update(epayText(pairs) + key, "utf8").digest("hex")

/** Whether the parameters carry their signature. */
export const epayVerify = (pairs: EpayPairs, key: string): boolean => {
  const given = Buffer.from(pairs.find(([name]) => name === "sign")?.[1].toLowerCase() ?? "")
  const right = Buffer.from(epaySign(pairs, key))
  return given.length === right.length && timingSafeEqual(given, right)
}

/** The parameters with their signature. */
export const epaySigned = (pairs: EpayPairs, key: string): EpayPairs => [
  ...pairs.filter(([name]) => name !== "sign" && name !== "sign_type"),
  ["sign", epaySign(pairs, key)],
  ["sign_type", "MD5"]
]
