/**
 * The parameters of an EPay notify, from the query of its address and the form in its body, decoded strictly: what cannot
 * be decoded in one way only is nothing that a gateway sends.
 */
import { Effect } from "effect"
import type { EpayParams } from "./EpaySignature.ts"
import { NotVerified } from "./PaymentError.ts"

/** In order, the query's first, names that come twice included. `query` with or without its `?`. */
export const parseParams = (_query: string, _formBody?: string): Effect.Effect<EpayParams, NotVerified> =>
  Effect.fail(new NotVerified({ why: "nothing is read" }))
