/**
 * One billed call, from parsed request to settlement: admit, bound, hold, forward, relay, commit. Nothing is sent upstream
 * without a durable hold, and every hold ends here - committed at what was used, or returned - whatever happens to the
 * client, the upstream or the database in between.
 */
import { Clock, Context, Effect, Exit, Layer } from "effect"
import { Accounts } from "../accounts/Accounts.ts"
import { ResponseReferences } from "../accounts/ResponseReferences.ts"
import { Catalog, type Model } from "../catalog/Catalog.ts"
import { ChannelAdmin } from "../channels/ChannelAdmin.ts"
import { ChannelHealth } from "../channels/ChannelHealth.ts"
import { type Channel, Channels } from "../channels/Channels.ts"
import { ChannelShares } from "../channels/ChannelShares.ts"
import { KeyRing } from "../channels/KeyRing.ts"
import type { BillingConfig } from "../config/Config.ts"
import type { UserId } from "../domain/Ids.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { makeBoundedLog } from "../platform/SparingLog.ts"
import { Settings } from "../settings/Settings.ts"
import { runAttempts } from "./Attempts.ts"
import { CallRefused, unavailable, type UpstreamRefused } from "./CallError.ts"
import { Drains } from "./Drains.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import { HiddenOutput } from "./HiddenOutput.ts"
import { type Counting, hold } from "./Holds.ts"
import { KeyProbes } from "./KeyProbes.ts"
import { limitDefaultsOf } from "./Limits.ts"
import { AnswerReader } from "./meter/AnswerReader.ts"
import { boundsOf, type BoundTerms } from "./meter/Bounds.ts"
import { TokenCounter } from "./meter/TokenCounter.ts"
import type { CallBasics, CallContext, OpenCall } from "./OpenCall.ts"
import { pinned, resolveReferences } from "./References.ts"
import { KEEP_ALIVE_MS, Reply } from "./Reply.ts"
import { admit } from "./request/Admit.ts"
import type { Admitted } from "./request/Call.ts"
import { settleReturned } from "./Settling.ts"
import { StopSignal } from "./StopSignal.ts"
import { UpstreamClient } from "./upstream/UpstreamClient.ts"

/** How long a stream's client hears nothing, in milliseconds. Replaced in tests. */
export const KeepAliveMs = Context.Reference<number>("realms/gateway/KeepAliveMs", {
  defaultValue: () => KEEP_ALIVE_MS
})

/** Lines of the log about channels that failed calls, in one second, at most. */
const FAILURE_LINES_PER_SECOND_MAX = 20

export class Gateway extends Context.Service<Gateway, {
  /**
   * Makes a call and answers its client. Fails before anything was sent to the client; once that has begun it ends the
   * answer itself. It minds the client by its own means; whatever ends it, the hold is settled.
   */
  run(context: CallContext): Effect.Effect<void, CallRefused | UpstreamRefused>
  /** Ends every open call now: what was delivered is settled, the clients get an error. */
  stopCalls(): void
}>()("realms/gateway/Gateway") {
  static readonly layer = Layer.effect(Gateway)(Effect.gen(function*() {
    const services = yield* gatewayServices
    const catalog = yield* Catalog
    const settings = yield* Settings
    const references = yield* ResponseReferences
    const keepAliveMs = yield* KeepAliveMs
    const open = new Set<StopSignal>()
    const counting: Counting = new Set()

    const modelOf = ({ call, key }: CallContext): Effect.Effect<Model, CallRefused> => {
      if (key.allowedModels !== null && !key.allowedModels.includes(call.model)) {
        return Effect.fail(notAllowed(call.model))
      }
      const cached = catalog.cached(call.model)
      if (cached !== undefined) return Effect.succeed(cached)
      return Effect.mapError(catalog.find(call.model), (error) =>
        error._tag === "ModelNotFound"
          ? notFound(call.model)
          : unavailable("The catalog is unavailable at this moment. Please try again shortly."))
    }

    const channelsOf = (modelId: string, userId: UserId): Effect.Effect<ReadonlyArray<Channel>, CallRefused> =>
      Effect.suspend(() => {
        const cached = services.channels.cachedCandidates(modelId, userId)
        const found = cached === undefined
          ? Effect.mapError(
            services.channels.candidates(modelId, userId),
            () => unavailable("The channels are unavailable at this moment. Please try again shortly.")
          )
          : Effect.succeed(cached)
        return Effect.flatMap(
          found,
          (candidates) => candidates.length === 0 ? Effect.fail(notFound(modelId)) : Effect.succeed(candidates)
        )
      })

    /** One reading for a whole call. */
    const billingOf = Effect.suspend(() => {
      const cached = settings.cached()
      return cached === undefined
        ? Effect.mapError(settings.get, () => unavailable("The settings are unavailable at this moment."))
        : Effect.succeed(cached)
    }).pipe(Effect.map(({ billing }) => billing))

    /** What of a call's surroundings is asked for before it is judged. */
    const surroundingsOf = Effect.fnUntraced(function*(context: CallContext) {
      const model = yield* modelOf(context)
      const billing: BillingConfig = yield* billingOf
      const channels = yield* channelsOf(model.id, context.key.userId)
      return { model, billing, channels }
    })

    /** The same from memory, at once, which most calls by far find there; undefined says only that it must be asked for. */
    const knownSurroundings = ({ call, key }: CallContext): Surroundings | undefined => {
      if (key.allowedModels !== null && !key.allowedModels.includes(call.model)) return undefined
      const model = catalog.cached(call.model)
      const billing = settings.cached()?.billing
      // Channels are asked for last, and once: a call may be made the probe of one.
      if (model === undefined || billing === undefined) return undefined
      const channels = services.channels.cachedCandidates(model.id, key.userId)
      return channels === undefined || channels.length === 0 ? undefined : { model, billing, channels }
    }

    const basicsOf = (
      context: CallContext,
      signal: StopSignal,
      admitted: Admitted,
      { billing, model }: Surroundings,
      channels: ReadonlyArray<Channel>,
      referenceTokens: number
    ): CallBasics => {
      let channelOverheadTokens = 0
      for (const channel of channels) {
        channelOverheadTokens = Math.max(channelOverheadTokens, channel.inputOverheadTokens)
      }
      const terms: BoundTerms = { model, channelOverheadTokens, referenceTokens }
      return {
        context,
        admitted,
        model,
        billing,
        terms,
        bounds: boundsOf(admitted, terms),
        signal,
        reply: new Reply({
          client: context.client,
          requestId: context.requestId,
          dialect: context.call.dialect,
          stream: context.call.stream,
          model: model.id,
          startedMs: context.startedMs,
          keepAliveMs,
          every: services.every
        })
      }
    }

    const prepare = (context: CallContext, signal: StopSignal): Effect.Effect<Prepared, CallRefused> => {
      const known = knownSurroundings(context)
      return Effect.flatMap(known === undefined ? surroundingsOf(context) : Effect.succeed(known), (found) => {
        context.notes.model = found.model.id
        const admitted = admittedBy(context, found.model)
        if (admitted._tag === "CallRefused") return Effect.fail(admitted)
        const { call, key } = context
        if (call.references.length === 0) {
          const { channels } = found
          return Effect.succeed({ basics: basicsOf(context, signal, admitted, found, channels, 0), channels })
        }
        return Effect.flatMap(
          resolveReferences(references, key.userId, call),
          (referred) =>
            Effect.map(pinned(found.channels, referred, call), (channels) => ({
              basics: basicsOf(context, signal, admitted, found, channels, referred.tokens),
              channels
            }))
        )
      })
    }

    /** A call that got no hold asked for channels and used none: a breaker that waits for its outcome need not. */
    const releaseProbes = ({ call, key }: CallContext): void =>
      services.health.report(
        { userId: key.userId, modelId: call.model, failures: [], succeededOn: null },
        services.now()
      )

    const closeHeld = (openCall: OpenCall, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
      services.drains.ended(openCall)
      openCall.basics.reply.quiet()
      if (openCall.isSettling) return Effect.void
      const reason = Exit.isSuccess(exit) ? "not_settled" : "failed"
      return settleReturned(services, openCall, undefined, { status: 503, reason })
    }

    const run = (context: CallContext): Effect.Effect<void, CallRefused | UpstreamRefused> =>
      Effect.suspend(() => {
        const signal = new StopSignal()
        context.client.onGone = () => signal.stop("client_gone")
        if (context.client.isGone) return Effect.void
        open.add(signal)
        let prepared: Prepared | undefined
        let held: OpenCall | undefined
        return Effect.onExit(
          Effect.flatMap(Effect.suspend(() => prepare(context, signal)), (ready) => {
            prepared = ready
            context.notes.enter("hold")
            return Effect.flatMap(hold(services, counting, ready.basics), (openCall) => {
              held = openCall
              return runAttempts(services, openCall, ready.channels)
            })
          }),
          (exit) => {
            open.delete(signal)
            if (held !== undefined) return closeHeld(held, exit)
            prepared?.basics.reply.quiet()
            releaseProbes(context)
            return Effect.void
          }
        )
      })

    return Gateway.of({
      run,
      stopCalls: () => {
        for (const signal of open) signal.stop("service_unavailable")
      }
    })
  })).pipe(
    Layer.provide(Layer.mergeAll(UpstreamClient.layer, TokenCounter.layer, AnswerReader.layer))
  )
}

/** What a call finds in place. */
interface Surroundings {
  readonly model: Model
  readonly billing: BillingConfig
  /** In the order in which they are tried. */
  readonly channels: ReadonlyArray<Channel>
}

/** A call that may be made. */
interface Prepared {
  readonly basics: CallBasics
  readonly channels: ReadonlyArray<Channel>
}

const gatewayServices = Effect.gen(function*() {
  const settings = yield* Settings
  const address = yield* PublicAddress
  const clock = yield* Clock.Clock
  const admin = yield* ChannelAdmin
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const services: GatewayServices = {
    accounts: yield* Accounts,
    limits: () => limitDefaultsOf(settings.current().limits),
    counter: yield* TokenCounter,
    reader: yield* AnswerReader,
    channels: yield* Channels,
    health: yield* ChannelHealth,
    keys: yield* KeyRing,
    keyProbes: yield* KeyProbes,
    shares: yield* ChannelShares,
    upstream: yield* UpstreamClient,
    drains: new Drains(),
    hidden: new HiddenOutput((channelId, modelId) =>
      void run(Effect.ignore(admin.markHiddenOutput(channelId, modelId)))
    ),
    billing: () => settings.current().billing,
    topUpUrl: () => `${address.url()}/topup`,
    now: () => clock.currentTimeMillisUnsafe(),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs).unref()
      return () => clearTimeout(timer)
    },
    every: (intervalMs, callback) => {
      const timer = setInterval(callback, intervalMs).unref()
      return () => clearInterval(timer)
    },
    noteFailure: yield* makeBoundedLog((message, facts) => Effect.logWarning(message, facts), {
      linesPerSecondMax: FAILURE_LINES_PER_SECOND_MAX
    }),
    fork: (effect) => void run(effect)
  }
  return services
})

const admittedBy = ({ call }: CallContext, model: Model): Admitted | CallRefused => {
  const admitted = admit(call, {
    hostedTools: model.hostedTools,
    toolCallsMax: model.toolCallsMax,
    contextTokens: model.contextTokens,
    maxOutputTokens: model.maxOutputTokens,
    toolPrices: model.price.tools,
    // No model has a price for longer lifetimes yet.
    cacheTtlPriced: false
  })
  return admitted._tag === "Admitted" ? admitted : new CallRefused(admitted)
}

const notAllowed = (model: string): CallRefused =>
  new CallRefused({ code: "model_not_allowed", message: `This key may not call '${model}'.`, param: "model" })

const notFound = (model: string): CallRefused =>
  new CallRefused({
    code: "model_not_found",
    message: `The model '${model}' does not exist or you do not have access to it.`,
    param: "model"
  })
