/**
 * What an EPay gateway tells of a payment, from the parameters of its notify: verified over all of them first, then read.
 */
import { Effect, Redacted } from "effect"
import type { EpayConfig } from "../config/Config.ts"
import { factOf } from "./EpayFacts.ts"
import { type EpayParams, verify } from "./EpaySignature.ts"
import { evidenceOfParams } from "./Evidence.ts"
import { NotVerified } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"

export { TRADE_FINISHED } from "./EpayFacts.ts"

const PARAMS_MAX = 64
/** All names and values together. */
const CHARACTERS_MAX = 16_384

/** A name that comes twice with the same value says one thing; undefined where its values differ, which no gateway sends. */
const merged = (params: EpayParams): EpayParams | undefined => {
  const values = new Map<string, string>()
  for (const [name, value] of params) {
    if ((values.get(name) ?? value) !== value) return undefined
    values.set(name, value)
  }
  return [...values]
}

const refused = (reason: NotVerified["reason"], why: string) => Effect.fail(new NotVerified({ reason, why }))

/** The parameters when they are the gateway's, each name once. */
const verified = (params: EpayParams, key: string): Effect.Effect<EpayParams, NotVerified> => {
  if (key === "") return refused("no_key", "there is no key to verify with")
  if (params.length > PARAMS_MAX) return refused("too_large", "too many parameters")
  if (params.reduce((sum, [name, value]) => sum + name.length + value.length, 0) > CHARACTERS_MAX) {
    return refused("too_large", "the parameters are too long")
  }
  const once = merged(params)
  if (once === undefined) return refused("contradictory", "a parameter is given twice with different values")
  return verify(once, key) ? Effect.succeed(once) : refused("signature", "the signature is missing or wrong")
}

/** Needs a key and does not ask whether the provider is on: what was started while it was on still settles. */
export const readNotify = (params: EpayParams, config: EpayConfig): Effect.Effect<PaymentFact, NotVerified> =>
  Effect.map(verified(params, Redacted.value(config.key)), (once) => {
    const told = new Map(once)
    const text = (name: string): string => told.get(name) ?? ""
    const fact = factOf(config, {
      pid: text("pid"),
      trade: text("trade_no"),
      reference: text("out_trade_no"),
      method: text("type"),
      money: text("money"),
      status: text("trade_status")
    })
    return { ...fact, evidence: evidenceOfParams(once) }
  })
