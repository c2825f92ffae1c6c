/**
 * One billed call, from parsed request to settlement: price, hold, forward, relay, commit. Nothing is sent upstream
 * without a durable hold, and every hold ends here - committed at what was used, or returned - whatever happens to the
 * client, the upstream or the database in between.
 */
import { Clock, Context, Effect, Exit, Layer } from "effect"
import { type AccountUnavailable, type ReservationLost, stillSettling } from "../accounts/AccountError.ts"
import { Accounts } from "../accounts/Accounts.ts"
import type { CallOutcome, Reservation, Reserve } from "../accounts/AccountState.ts"
import { Catalog, type Model } from "../catalog/Catalog.ts"
import { type Channel, Channels } from "../channels/Channels.ts"
import { costMicros, costNumerator } from "../domain/Price.ts"
import { KeySpend } from "../identity/KeySpend.ts"
import type { BillingConfig } from "../platform/Config.ts"
import { Settings } from "../settings/Settings.ts"
import { CallRefused, refusalOf, unavailable, type UpstreamRefused } from "./CallError.ts"
import { type CallPlan, planCall, reserveOf } from "./CallPlan.ts"
import type { Call } from "./CallRequest.ts"
import { voided } from "./CallTally.ts"
import { Forwarder } from "./Forwarder.ts"
import { withinRoom } from "./KeyRoom.ts"
import type { CallContext, OpenCall } from "./OpenCall.ts"
import { loadTokenizer } from "./TextTokens.ts"

export class Gateway extends Context.Service<Gateway, {
  /**
   * Makes a call and answers its client. Fails before anything was sent to the client; once that has begun it ends the
   * answer itself. It minds the client by its own means; whatever ends it, the hold is settled.
   */
  run(context: CallContext): Effect.Effect<void, CallRefused | UpstreamRefused>
  /** Ends every open call now: what was delivered is settled, the clients are told. */
  stopCalls(): void
}>()("realms/gateway/Gateway") {
  static readonly layer = Layer.effect(Gateway, Effect.suspend(() => make)).pipe(Layer.provide(Forwarder.layer))
}

/** The tokenizer is loaded so long after the start. */
const TOKENIZER_DELAY_MS = 1_000

const make = Effect.gen(function*() {
  const accounts = yield* Accounts
  const catalog = yield* Catalog
  const channels = yield* Channels
  const keySpend = yield* KeySpend
  const settings = yield* Settings
  const forwarder = yield* Forwarder
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const open = new Set<OpenCall>()
  // Takes a third of a second at once; better now than when the first client leaves.
  yield* Effect.forkScoped(Effect.delay(Effect.sync(loadTokenizer), TOKENIZER_DELAY_MS))

  const modelOf = (context: CallContext): Effect.Effect<Model, CallRefused> => {
    const { call, key } = context
    if (key.allowedModels !== null && !key.allowedModels.includes(call.model)) {
      return Effect.fail(
        new CallRefused({
          code: "model_not_allowed",
          message: `This key may not call '${call.model}'.`,
          param: "model"
        })
      )
    }
    const cached = catalog.cached(call.model)
    if (cached !== undefined) return Effect.succeed(cached)
    return Effect.mapError(catalog.find(call.model), (error) =>
      error._tag === "ModelNotFound"
        ? new CallRefused({
          code: "model_not_found",
          message: `The model '${call.model}' does not exist or you do not have access to it.`,
          param: "model"
        })
        : unavailable("The catalog is unavailable at this moment. Please try again shortly."))
  }

  const channelsOf = (modelId: string): Effect.Effect<ReadonlyArray<Channel>, CallRefused> =>
    Effect.suspend(() => {
      const cached = channels.cachedCandidates(modelId)
      const found = cached === undefined
        ? Effect.mapError(
          channels.candidates(modelId),
          () => unavailable("The channels are unavailable at this moment.")
        )
        : Effect.succeed(cached)
      return Effect.flatMap(found, (candidates) =>
        candidates.length === 0
          ? Effect.fail(unavailable(`No upstream serves '${modelId}' at this moment.`))
          : Effect.succeed(candidates))
    })

  /** One reading for a whole call. */
  const billingOf = Effect.suspend(() => {
    const cached = settings.cached()
    return cached === undefined
      ? Effect.mapError(settings.get, () => unavailable("The settings are unavailable at this moment."))
      : Effect.succeed(cached)
  }).pipe(Effect.map(({ billing }) => billing))

  const planOf = (call: Call, model: Model, billing: BillingConfig): Effect.Effect<CallPlan, CallRefused> => {
    const plan = planCall(call, model, billing)
    return plan === undefined
      ? Effect.fail(
        new CallRefused({
          code: "invalid_request_error",
          message: `${call.outputLimitField} is too large: ${call.outputLimit}. ` +
            `This model supports at most ${model.maxOutputTokens} output tokens.`,
          param: call.outputLimitField ?? null
        })
      )
      : Effect.succeed(plan)
  }

  /** Settles once; a repeat does nothing. Answers when it is durable, or after `billing.commit_wait_ms`. */
  const settle = (openCall: OpenCall, kind: "Commit" | "Void", outcome: CallOutcome): Effect.Effect<void> => {
    if (openCall.settled) return Effect.void
    openCall.settled = true
    const { context, reservation } = openCall
    const { userId } = context.key
    const { id } = reservation
    const { commitWaitMs } = settings.current().billing
    const settlement: Effect.Effect<unknown, AccountUnavailable | ReservationLost> = kind === "Commit"
      ? accounts.commit(userId, { _tag: "Commit", id, outcome, atMs: now() }, commitWaitMs)
      : accounts.void(userId, { _tag: "Void", id, outcome }, commitWaitMs)
    return settlement.pipe(
      Effect.asVoid,
      Effect.catch((error) =>
        error === stillSettling
          ? Effect.void
          : Effect.logError("a call could not be settled", error).pipe(Effect.annotateLogs({ requestId: id }))
      )
    )
  }

  const run = Effect.fnUntraced(function*(context: CallContext) {
    const model = yield* modelOf(context)
    const billing = yield* billingOf
    const plan = yield* planOf(context.call, model, billing)
    const candidates = yield* channelsOf(model.id)
    const command = reserveOf(context.call, plan, model, billing, {
      id: context.requestId,
      keyId: context.key.keyId,
      atMs: now()
    })
    const openCall: OpenCall = {
      context,
      plan,
      reservation: emptyReservation,
      settled: false,
      sent: false,
      stopped: undefined,
      stop: (why) => {
        openCall.stopped = why
      },
      settle: (kind, outcome) => settle(openCall, kind, outcome),
      costOf: (outcome) =>
        costMicros(
          costNumerator(openCall.reservation.price, outcome.usage),
          openCall.reservation.billingMultiplier,
          openCall.reservation.planMultiplier
        )
    }
    const reserve = (asked: Reserve) =>
      Effect.mapError(
        accounts.reserve(context.key.userId, asked, () => openCall.stop("lease_lost")),
        (error) => refusalOf(error, now())
      )
    // Without billing nothing is spent.
    const reservation = yield* context.key.spendLimitMicros === null || !command.billingEnabled
      ? reserve(command)
      : keySpend.exclusively(
        context.key.keyId,
        (spending) => Effect.flatMap(withinRoom(command, spending), reserve)
      ).pipe(
        Effect.catchTag("KeySpendUnavailable", () =>
          Effect.fail(
            unavailable("This key's spend limit cannot be checked at this moment. Please try again shortly.")
          ))
      )
    openCall.reservation = reservation
    open.add(openCall)
    return yield* forwarder.forward(openCall, candidates).pipe(
      Effect.onExit((exit) => {
        open.delete(openCall)
        if (openCall.settled) return Effect.void
        const reason = Exit.isSuccess(exit) ? "not_settled" : "failed"
        const times = { startedMs: context.startedMs, firstByteMs: null, endedMs: now() }
        return settle(openCall, "Void", voided(reason, null, { channel: null, upstreamModel: null }, times))
      })
    )
  })

  return Gateway.of({
    run,
    stopCalls: () => {
      for (const openCall of open) openCall.stop("service_unavailable")
    }
  })
})

/** Stands until the reserve has answered; nothing reads it before. */
const emptyReservation: Reservation = {
  id: "",
  funding: "free",
  subscriptionId: null,
  price: { inputMicrosPer1m: 0n, cachedInputMicrosPer1m: 0n, cacheWriteMicrosPer1m: null, outputMicrosPer1m: 0n },
  billingMultiplier: 0n,
  planMultiplier: 0n,
  reservedMicros: 0n,
  outputTokens: 0,
  reservedAtMs: 0
}
