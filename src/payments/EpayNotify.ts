/**
 * What an EPay gateway tells of a payment, from the parameters of its notify: verified over all of them first, then read.
 */
import { Effect, Redacted } from "effect"
import type { EpayConfig } from "../platform/Config.ts"
import { factOf } from "./EpayFacts.ts"
import { type EpayParams, verify } from "./EpaySignature.ts"
import { NotVerified } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"

const PARAMS_MAX = 64
/** All names and values together. */
const CHARACTERS_MAX = 16_384

/** Why the parameters are not from the gateway, if they are not. */
const doubt = (params: EpayParams, key: string): string | undefined => {
  if (key === "") return "there is no key to verify with"
  if (params.length > PARAMS_MAX) return "too many parameters"
  if (params.reduce((sum, [name, value]) => sum + name.length + value.length, 0) > CHARACTERS_MAX) {
    return "the parameters are too long"
  }
  if (new Set(params.map(([name]) => name)).size < params.length) return "a parameter is given twice"
  return verify(params, key) ? undefined : "the signature is missing or wrong"
}

/** Needs a key and does not ask whether the provider is on: what was started while it was on still settles. */
export const readNotify = (params: EpayParams, config: EpayConfig): Effect.Effect<PaymentFact, NotVerified> => {
  const why = doubt(params, Redacted.value(config.key))
  if (why !== undefined) return Effect.fail(new NotVerified({ why }))
  const told = new Map(params)
  const text = (name: string): string => told.get(name) ?? ""
  return Effect.succeed(factOf(config, {
    pid: text("pid"),
    trade: text("trade_no"),
    reference: text("out_trade_no"),
    method: text("type"),
    money: text("money"),
    status: text("trade_status")
  }))
}
