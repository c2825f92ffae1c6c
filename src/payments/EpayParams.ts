/**
 * The parameters of an EPay notify, from the query of its address and the form in its body, decoded strictly: what cannot
 * be decoded in one way only is nothing that a gateway sends.
 */
import { Effect, Result } from "effect"
import type { EpayParams } from "./EpaySignature.ts"
import { NotVerified } from "./PaymentError.ts"

/** Query and form together. */
const CHARACTERS_MAX = 16_384

/** `+` is a space. Undefined for a `%` without two digits, bytes that are no UTF-8, and NUL, which no text has. */
const decode = (text: string): string | undefined => {
  const decoded = Result.getOrUndefined(Result.try(() => decodeURIComponent(text.replaceAll("+", " "))))
  return decoded?.includes("\0") === true ? undefined : decoded
}

const pairOf = (part: string): readonly [string, string] | undefined => {
  const at = part.indexOf("=")
  const name = decode(at === -1 ? part : part.slice(0, at))
  const value = at === -1 ? "" : decode(part.slice(at + 1))
  return name === undefined || value === undefined ? undefined : [name, value]
}

/** In order, the query's first, names that come twice included. `query` with or without its `?`. */
export const parseParams = (query: string, formBody = ""): Effect.Effect<EpayParams, NotVerified> => {
  if (query.length + formBody.length > CHARACTERS_MAX) {
    return Effect.fail(new NotVerified({ reason: "too_large", why: "the parameters are too long" }))
  }
  const parts = [...query.replace(/^\?/, "").split("&"), ...formBody.split("&")].filter((part) => part !== "")
  const pairs = parts.map(pairOf).filter((pair) => pair !== undefined)
  return pairs.length === parts.length
    ? Effect.succeed(pairs)
    : Effect.fail(new NotVerified({ reason: "unreadable", why: "a parameter cannot be decoded" }))
}
