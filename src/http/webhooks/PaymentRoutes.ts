/**
 * Where payment providers post: decode, one call, encode. `200` and `success` are said only of what is on record; what could
 * not be settled now is answered so that the provider comes again; what is not verified is refused without saying why.
 */
import { ByteSize, Effect, Layer } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Callbacks } from "../../events/Callbacks.ts"

/** Stripe's largest events are far below. */
const STRIPE_BODY_BYTES_MAX = 1_048_576

/** A notify is a dozen short parameters. */
const EPAY_BODY_BYTES_MAX = 16_384

/** The body has to be here within this, in milliseconds. */
const BODY_MS_MAX = 10_000

const limited = <A, E, R>(body: Effect.Effect<A, E, R>, bytesMax: number) =>
  body.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bytesMax)),
    Effect.timeout(BODY_MS_MAX)
  )

/** A body that was not taken to its end leaves the connection useless for another request. */
const tooLarge = HttpServerResponse.text("request body refused\n", { status: 413, headers: { connection: "close" } })

const stripe = HttpRouter.add(
  "POST",
  "/api/pay/stripe/webhook",
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const callbacks = yield* Callbacks
    const body = yield* Effect.result(limited(request.arrayBuffer, STRIPE_BODY_BYTES_MAX))
    if (body._tag === "Failure") return tooLarge
    return yield* callbacks.stripe(new Uint8Array(body.success), request.headers["stripe-signature"]).pipe(
      Effect.as(HttpServerResponse.jsonUnsafe({ received: true })),
      Effect.catchTags({
        NotVerified: (error) =>
          Effect.as(
            Effect.logWarning("a Stripe webhook could not be verified", { why: error.why }),
            HttpServerResponse.jsonUnsafe({ received: false }, { status: 400 })
          ),
        ProviderOff: () => Effect.succeed(HttpServerResponse.jsonUnsafe({ received: false }, { status: 404 })),
        SettlementUnavailable: () =>
          Effect.succeed(
            HttpServerResponse.jsonUnsafe({ received: false }, { status: 503, headers: { "retry-after": "5" } })
          )
      })
    )
  })
)

/** Also 200 where the notify is refused would read as a wrong answer to some gateways: the text alone counts for all. */
const fail = (status: number) => HttpServerResponse.text("fail", { status })

const epayAnswer = Effect.fnUntraced(function*(form: string | undefined) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const callbacks = yield* Callbacks
  const query = request.url.includes("?") ? request.url.slice(request.url.indexOf("?") + 1) : ""
  return yield* callbacks.epay(query, form).pipe(
    Effect.as(HttpServerResponse.text("success")),
    Effect.catchTags({
      NotVerified: (error) =>
        Effect.as(Effect.logWarning("an EPay notify could not be verified", { why: error.why }), fail(400)),
      SettlementUnavailable: () => Effect.succeed(fail(503))
    })
  )
})

const epayGet = HttpRouter.add("GET", "/api/pay/epay/notify", epayAnswer(undefined))

const epayPost = HttpRouter.add(
  "POST",
  "/api/pay/epay/notify",
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const body = yield* Effect.result(limited(request.text, EPAY_BODY_BYTES_MAX))
    return body._tag === "Failure" ? tooLarge : yield* epayAnswer(body.success)
  })
)

export const PaymentRoutes = Layer.mergeAll(stripe, epayGet, epayPost)
