/**
 * Where payment providers post: decode, one call, encode. `200` and `success` are said only of what is on record; what could
 * not be settled now is answered so that the provider comes again; what is not verified is refused without saying why.
 */
import { ByteSize, Effect, Layer } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Callbacks } from "../../events/Callbacks.ts"
import { NotVerified } from "../../payments/PaymentError.ts"
import { readNotifyForm } from "./NotifyForm.ts"
import { makeNoteUnverified, type NoteUnverified } from "./UnverifiedCallbacks.ts"

/** Stripe's largest events are far below. */
const STRIPE_BODY_BYTES_MAX = 1_048_576

/** A notify is a dozen short parameters. */
const EPAY_BODY_BYTES_MAX = 16_384

/** The body has to be here within this, in milliseconds. */
const BODY_MS_MAX = 10_000

/** A body that was not taken to its end. */
const cutShort = new NotVerified({ reason: "too_large", why: "the body is too large, came too slowly or broke off" })

/** Reads a body within bounds; fails with {@link cutShort} past them. */
const limited = <A, R>(body: Effect.Effect<A, unknown, R>, bytesMax: number) =>
  body.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bytesMax)),
    Effect.timeout(BODY_MS_MAX),
    Effect.mapError((error) => error instanceof NotVerified ? error : cutShort)
  )

/** Its connection is useless for another request. */
const tooLarge = HttpServerResponse.text("request body refused\n", { status: 413, headers: { connection: "close" } })

const stripeAnswer = (received: boolean, status: number, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.jsonUnsafe({ received }, { status, headers })

const stripeLater = stripeAnswer(false, 503, { "retry-after": "5" })

const stripe = (note: NoteUnverified) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const callbacks = yield* Callbacks
    const body = yield* limited(request.arrayBuffer, STRIPE_BODY_BYTES_MAX)
    yield* callbacks.stripe(new Uint8Array(body), request.headers["stripe-signature"])
    return stripeAnswer(true, 200)
  }).pipe(
    Effect.catchTags({
      NotVerified: (error) =>
        Effect.as(note("stripe", error), error === cutShort ? tooLarge : stripeAnswer(false, 400)),
      ProviderOff: () =>
        Effect.as(note("stripe", { reason: "no_key", why: "no webhook secret is set" }), stripeAnswer(false, 404)),
      DatabaseUnavailable: () => Effect.succeed(stripeLater),
      ProviderUnavailable: () => Effect.succeed(stripeLater)
    })
  )

/** Also 200 where the notify is refused would read as a wrong answer to some gateways: the text alone counts for all. */
const fail = (status: number) => HttpServerResponse.text("fail", { status })

const epay = <R>(note: NoteUnverified, form: Effect.Effect<string | undefined, NotVerified, R>) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const callbacks = yield* Callbacks
    const query = request.url.includes("?") ? request.url.slice(request.url.indexOf("?") + 1) : ""
    yield* callbacks.epay(query, yield* form)
    return HttpServerResponse.text("success")
  }).pipe(
    Effect.catchTags({
      NotVerified: (error) => Effect.as(note("epay", error), error === cutShort ? tooLarge : fail(400)),
      DatabaseUnavailable: () => Effect.succeed(fail(503)),
      ProviderUnavailable: () => Effect.succeed(fail(503))
    })
  )

const notifyPath = "/api/pay/epay/notify"

export const PaymentRoutes = Layer.unwrap(Effect.map(makeNoteUnverified, (note) =>
  Layer.mergeAll(
    HttpRouter.add("POST", "/api/pay/stripe/webhook", stripe(note)),
    HttpRouter.add("GET", notifyPath, epay(note, Effect.undefined)),
    HttpRouter.add("POST", notifyPath, epay(note, limited(readNotifyForm, EPAY_BODY_BYTES_MAX)))
  )))
