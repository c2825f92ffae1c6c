/**
 * Makes the hold of a call: the ceiling of its input and the output that it admits. Where the funds do not cover that, the
 * text's part is held at a count of its tokens with a margin - one such call at a time - so that a small balance is not turned
 * away for a bound that real text never reaches.
 *
 * @internal
 */
import { Effect } from "effect"
import { FundsHeld, type InsufficientFunds } from "../accounts/AccountError.ts"
import type { Accounts, ReserveError } from "../accounts/Accounts.ts"
import type { Reservation, Reserve } from "../accounts/AccountState.ts"
import { boundMicros, unmultiplied } from "../accounts/HoldBound.ts"
import type { UserId } from "../domain/Ids.ts"
import { type CallRefused, refusalOf } from "./CallError.ts"
import {
  defaultOutputOf,
  type HoldPlan,
  needsContextLeft,
  type OutputPlan,
  planHold,
  planOutput,
  reserveOf
} from "./HoldPlan.ts"
import { countInput } from "./InputCount.ts"
import { type LimitDefaults, limitsOf, rateHeaders } from "./Limits.ts"
import type { TokenCounter } from "./meter/TokenCounter.ts"
import { type CallBasics, OpenCall } from "./OpenCall.ts"

/** No text has fewer tokens than bytes divided by this: where even that does not fit, counting is of no use. */
const BYTES_PER_TOKEN_MAX = 8

/** A counted bound is at least the bytes divided by this. */
const BYTES_PER_TOKEN_MIN = 3

const TOKENIZER_MARGIN_ONE = 1_000_000

export interface HoldServices {
  readonly accounts: Accounts["Service"]
  /** What limits calls of whom nothing else is said. */
  readonly limits: () => LimitDefaults
  readonly counter: TokenCounter["Service"]
  readonly now: () => number
  /** Where users top up. */
  readonly topUpUrl: () => string
}

/** The users whose texts are being counted. */
export type Counting = Set<UserId>

/** Tokens of the call's text, for one call of a user at a time; undefined for the others. */
const countAlone = (
  services: HoldServices,
  counting: Counting,
  basics: CallBasics
): Effect.Effect<number | undefined> => {
  const { userId } = basics.context.key
  if (counting.has(userId)) return Effect.succeed(undefined)
  return Effect.acquireUseRelease(
    Effect.sync(() => counting.add(userId)),
    () => countInput(services.counter, basics.context.call),
    () => Effect.sync(() => counting.delete(userId))
  )
}

const withMargin = ({ model }: CallBasics, tokens: number): number =>
  Math.ceil((tokens * model.tokenizerMarginMicros) / TOKENIZER_MARGIN_ONE)

/** What the context leaves for output by the input's ceiling; undefined where that leaves less than the default, and a count may help. */
const leftByCeiling = ({ billing, bounds: { input }, context, model }: CallBasics): number | undefined => {
  const { contextTokens } = model
  if (!needsContextLeft(context.call, model) || contextTokens === null) return model.maxOutputTokens
  const left = contextTokens - input.heldText - input.heldRest
  return left >= defaultOutputOf(model, billing) ? left : undefined
}

/** What the context leaves for output by a count. */
const leftByCount = (services: HoldServices, counting: Counting, basics: CallBasics): Effect.Effect<number> => {
  const { billing, bounds: { input }, model } = basics
  const wanted = defaultOutputOf(model, billing)
  const contextTokens = model.contextTokens ?? 0
  return Effect.map(countAlone(services, counting, basics), (counted) => {
    const text = counted ?? Math.ceil(input.textBytes / BYTES_PER_TOKEN_MIN)
    const byMargin = contextTokens - withMargin(basics, text) - input.heldRest
    if (byMargin >= wanted) return byMargin
    // What plainly remains; where nothing does, the upstream judges.
    const plain = contextTokens - text - input.heldRest
    return plain >= 1 ? Math.min(wanted, plain) : wanted
  })
}

const commandOf = (services: HoldServices, basics: CallBasics, plan: HoldPlan, counted: boolean): Reserve =>
  reserveOf(basics.context.call, plan, basics.model, basics.billing, {
    id: basics.context.requestId,
    keyId: basics.context.key.keyId,
    atMs: services.now(),
    counted,
    claim: basics.context.claim,
    limits: limitsOf(services.limits(), basics.context.key, estimatedTokens(basics, plan))
  })

/** Bytes of text that are taken for one token until the usage of a call is known. */
const BYTES_PER_TOKEN = 4

/** What a call's tokens count as toward its limits until its usage is known. */
const estimatedTokens = ({ bounds: { input }, context: { call } }: CallBasics, plan: HoldPlan): number =>
  Math.ceil(input.textBytes / BYTES_PER_TOKEN) + input.integers + input.heldRest + call.n * plan.tokensDefault

const reserve = (
  services: HoldServices,
  basics: CallBasics,
  command: Reserve
): Effect.Effect<Reservation, ReserveError> =>
  services.accounts.reserve(basics.context.key.userId, command, () => basics.signal.stop("lease_lost"))

/** Makes the hold, or says why there is none. */
export const hold = (
  services: HoldServices,
  counting: Counting,
  basics: CallBasics
): Effect.Effect<OpenCall, CallRefused> => {
  const left = leftByCeiling(basics)
  return left === undefined
    ? Effect.flatMap(
      leftByCount(services, counting, basics),
      (tokens) => holdWithin(services, counting, basics, tokens)
    )
    : holdWithin(services, counting, basics, left)
}

const holdWithin = (
  services: HoldServices,
  counting: Counting,
  basics: CallBasics,
  leftTokens: number
): Effect.Effect<OpenCall, CallRefused> => {
  const { bounds, context: { call }, model } = basics
  const output = planOutput(call, model, basics.billing, leftTokens)
  const plan = planHold(call, model.price, output, bounds, bounds.input.held)
  return Effect.matchEffect(reserve(services, basics, commandOf(services, basics, plan, false)), {
    onSuccess: (reservation) => Effect.succeed(openOf(basics, plan, bounds.input.held, reservation)),
    onFailure: (error) => holdCounted(services, counting, basics, output, error)
  })
}

/** Where the funds do not cover the ceiling: the hold by a count of the text, or why there is none. */
const holdCounted = Effect.fnUntraced(function*(
  services: HoldServices,
  counting: Counting,
  basics: CallBasics,
  output: OutputPlan,
  error: ReserveError
) {
  const { bounds, context, model } = basics
  const { input } = bounds
  const planFor = (inputTokens: number) => planHold(context.call, model.price, output, bounds, inputTokens)
  const refuse = (error: ReserveError) => refusalOf(error, { nowMs: services.now(), topUpUrl: services.topUpUrl() })
  if (error._tag !== "InsufficientFunds" && !(error._tag === "FundsHeld" && !error.counted)) return yield* refuse(error)
  const textLeast = bytesBound(input.textBytes) + input.integers
  const least = commandOf(services, basics, planFor(input.heldRest + textLeast), true)
  if (input.heldText === 0 || !mayFit(error, least)) return yield* refuse(error)
  if (counting.has(context.key.userId)) return yield* refuse(oneAtATime(error))
  const tokens = yield* countAlone(services, counting, basics)
  if (tokens === undefined) return yield* refuse(error)
  const bound = input.integers +
    Math.max(withMargin(basics, tokens), Math.ceil(input.textBytes / BYTES_PER_TOKEN_MIN))
  const text = Math.min(input.heldText, bound)
  if (text === input.heldText) return yield* refuse(error)
  const held = input.heldRest + text
  const counted = planFor(held)
  const reservation = yield* Effect.mapError(
    reserve(services, basics, commandOf(services, basics, counted, true)),
    refuse
  )
  return openOf(basics, counted, held, reservation)
})

const bytesBound = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN_MAX)

/** False where not even the least that the text can be fits into any funding. */
const mayFit = (error: InsufficientFunds | FundsHeld, least: Reserve): boolean =>
  error.roomMicros >= boundMicros(least, least.tokensMin, unmultiplied)

const oneAtATime = (error: InsufficientFunds | FundsHeld): FundsHeld =>
  new FundsHeld({
    neededMicros: error.neededMicros,
    availableMicros: error.availableMicros,
    roomMicros: error.roomMicros,
    openHolds: error._tag === "FundsHeld" ? error.openHolds : 1,
    counted: true
  })

const openOf = (basics: CallBasics, plan: HoldPlan, heldInputTokens: number, reservation: Reservation): OpenCall => {
  const open = new OpenCall(basics, plan, heldInputTokens)
  if (reservation.report !== undefined) {
    for (const [name, value] of rateHeaders(reservation.report)) basics.reply.setHeader(name, value)
  }
  open.advance({ _tag: "WasHeld", reservation })
  return open
}
