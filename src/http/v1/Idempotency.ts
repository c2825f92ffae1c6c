/**
 * Calls with an `Idempotency-Key`: one upstream call and one charge for a user's key, however often and at once it is sent. The first one
 * makes the call; the others wait for it and are answered with what it was. A key whose call came to nothing may be used again.
 *
 * @internal
 */
import { Clock, Context, Deferred, Duration, Effect, Layer } from "effect"
import { hash } from "node:crypto"
import type { IncomingMessage } from "node:http"
import type { CallClaim } from "../../accounts/AccountState.ts"
import { ANSWER_BYTES_MAX, CallClaims, type ClaimedCall, type KeptAnswer } from "../../accounts/CallClaims.ts"
import { AppConfig } from "../../config/Config.ts"
import type { UserId } from "../../domain/Ids.ts"
import { CallRefused, claimTaken, unavailable, type UpstreamRefused } from "../../gateway/CallError.ts"
import { type CallClient, holdUntilTaken } from "../../gateway/CallClient.ts"
import type { CallNotes } from "../../gateway/CallNotes.ts"
import { ByteBudget, shareOf } from "../../platform/ByteBudget.ts"
import { ClientLimits } from "../ClientLimits.ts"
import { stopping } from "./EdgeRefusals.ts"
import { KeptClient } from "./KeptClient.ts"

const HEADER = "idempotency-key"

/** So many characters may a key have. */
const KEY_CHARACTERS_MAX = 255

/** A repeat waits for the first call for so long, in milliseconds; and looks so often where another process makes it. */
const WAIT_MS_MAX = 600_000
const LOOK_MS_MIN = 50
const LOOK_MS_MAX = 1_000

const STATUS_OK = 200

/** The key that a request names; undefined: none. */
export const idempotencyKeyOf = (request: IncomingMessage): string | CallRefused | undefined => {
  const text = request.headers[HEADER]
  if (text === undefined) return undefined
  return typeof text === "string" && text.length <= KEY_CHARACTERS_MAX && /^[\x21-\x7e]+$/.test(text)
    ? text
    : malformed
}

const malformed = new CallRefused({
  code: "invalid_request_error",
  message: `Idempotency-Key has to be 1 to ${KEY_CHARACTERS_MAX} visible ASCII characters.`
})

const sha256 = (...parts: ReadonlyArray<string | Uint8Array>): string =>
  hash("sha256", Buffer.concat(parts.flatMap((part) => [Buffer.from(part), Buffer.from([0])])), "hex")

/** A key with what is sent with it. */
export const claimOf = (key: string, route: string, body: Uint8Array): CallClaim => ({
  keyHash: sha256(key),
  bodyHash: sha256(route, body)
})

interface KeyedCall {
  readonly userId: UserId
  readonly requestId: string
  readonly claim: CallClaim
  readonly client: CallClient
  readonly notes: CallNotes
}

type Refusal = CallRefused | UpstreamRefused

/** Makes the call, which answers this client. */
type Make = (client: CallClient, claim: CallClaim) => Effect.Effect<void, Refusal>

/** A call of this process that has a key. */
interface RunningCall {
  readonly bodyHash: string
  readonly done: Deferred.Deferred<void>
}

export class Idempotency extends Context.Service<Idempotency, {
  /** Makes the call with `make`, or answers its client with what an earlier one was answered. */
  run(call: KeyedCall, make: Make): Effect.Effect<void, Refusal>
  /** Whether a call of the user was made with the key, or is being made, so that one that names it may need no funds. */
  isTaken(userId: UserId, key: string): Effect.Effect<boolean, CallRefused>
  /** Nobody waits any more for what another process makes. */
  close(): void
}>()("realms/http/v1/Idempotency") {
  static readonly layer = Layer.effect(Idempotency)(Effect.gen(function*() {
    const claims = yield* CallClaims
    const config = yield* AppConfig
    const { keptBudget } = yield* ClientLimits
    const budget = new ByteBudget(shareOf(keptBudget, config.server.runners, ANSWER_BYTES_MAX))
    const clock = yield* Clock.Clock
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    const now = () => clock.currentTimeMillisUnsafe()
    let closed = false
    /** By user and key. */
    const running = new Map<string, RunningCall>()

    const claimedOf = ({ claim, requestId, userId }: KeyedCall): ClaimedCall => ({ userId, callId: requestId, claim })

    const keep = (call: KeyedCall, answer: KeptAnswer | undefined, done: () => void): void => {
      if (!isWhole(call.notes)) return done()
      fork(
        claims.keep(claimedOf(call), answer).pipe(
          Effect.catch((error) => Effect.logWarning("an answer with an idempotency key could not be kept", error)),
          Effect.ensuring(Effect.sync(done))
        )
      )
    }

    /** Makes the call. What it came to is kept before its client has all of it, or its key is given up. */
    const makeNow = (call: KeyedCall, make: Make): Effect.Effect<void, Refusal> => {
      const { claim, client, notes } = call
      const kept = Deferred.makeUnsafe<void>()
      let isEnding = false
      const share = budget.open(call.userId)
      const keptClient = new KeptClient(client, {
        bytesMax: ANSWER_BYTES_MAX,
        share,
        keep: (answer, done) => {
          isEnding = true
          keep(call, answer, () => {
            done()
            Deferred.doneUnsafe(kept, Effect.void)
          })
        }
      })
      const giveUp = Effect.suspend(() =>
        notes.reservation === undefined || isWhole(notes)
          ? Effect.void
          : Effect.ignore(claims.release(claimedOf(call)))
      )
      return Effect.suspend(() => make(keptClient, claim)).pipe(
        Effect.ensuring(Effect.suspend(() => isEnding ? Deferred.await(kept) : Effect.void)),
        Effect.ensuring(Effect.sync(share.release)),
        Effect.ensuring(giveUp)
      )
    }

    /** It is in memory until the client has taken it. */
    const replay = ({ client, notes, userId }: KeyedCall, answer: KeptAnswer): Effect.Effect<void, CallRefused> =>
      Effect.suspend(() => {
        const body = Buffer.from(answer.body, "base64")
        const share = budget.open(userId)
        const refusal = share.add(body.length)
        if (refusal !== undefined) return Effect.fail(refusal === "user" ? tooManyAnswers : noRoom)
        notes.isReplay = true
        client.start(STATUS_OK, {
          ...answer.headers,
          "content-length": String(body.length),
          "x-realms-idempotent-replay": "true"
        })
        holdUntilTaken(client, share)
        client.end(body)
        return Effect.void
      })

    const left = (client: CallClient): Effect.Effect<void> =>
      Effect.callback((resume) => {
        if (client.isGone) return resume(Effect.void)
        client.onGone = () => resume(Effect.void)
      })

    const find = (userId: UserId, claim: CallClaim) =>
      Effect.mapError(
        claims.find(userId, claim),
        () => unavailable("Idempotency keys cannot be checked at this moment. Please try again shortly.")
      )

    const look = Effect.fnUntraced(function*(call: KeyedCall, make: Make, untilMs: number) {
      let lookMs = LOOK_MS_MIN
      while (!call.client.isGone) {
        if (closed) return yield* stopping
        const standing = yield* find(call.userId, call.claim)
        switch (standing._tag) {
          case "answered":
            return yield* replay(call, standing.answer)
          case "other":
            return yield* mismatch
          case "unkept":
            return yield* notKept
          case "unknown":
            return yield* unknown
          case "free": {
            const made = yield* Effect.result(makeNow(call, make))
            if (made._tag === "Success") return
            if (made.failure !== claimTaken) return yield* made.failure
            break
          }
          case "running":
            break
        }
        // Another process makes it.
        if (now() > untilMs) return yield* unknown
        yield* Effect.sleep(Duration.millis(lookMs))
        lookMs = Math.min(lookMs * 2, LOOK_MS_MAX)
      }
    })

    const run: Idempotency["Service"]["run"] = Effect.fnUntraced(function*(call, make) {
      const untilMs = now() + WAIT_MS_MAX
      const place = `${call.userId} ${call.claim.keyHash}`
      while (!call.client.isGone) {
        const first = running.get(place)
        if (first === undefined) {
          const done = Deferred.makeUnsafe<void>()
          running.set(place, { bodyHash: call.claim.bodyHash, done })
          return yield* Effect.ensuring(
            look(call, make, untilMs),
            Effect.suspend(() => {
              running.delete(place)
              return Deferred.succeed(done, undefined)
            })
          )
        }
        if (first.bodyHash !== call.claim.bodyHash) return yield* mismatch
        const waited = yield* Deferred.await(first.done).pipe(
          Effect.raceFirst(left(call.client)),
          Effect.timeoutOption(Duration.millis(Math.max(0, untilMs - now())))
        )
        if (waited._tag === "None") return yield* unknown
      }
    })

    return Idempotency.of({
      run,
      isTaken: (userId, key) =>
        // With no body that anybody sends, an answer is found and not opened.
        Effect.map(find(userId, { keyHash: sha256(key), bodyHash: "" }), ({ _tag }) => _tag !== "free"),
      close: () => {
        closed = true
      }
    })
  }))
}

/** What failed or was cut off is not what the client asked for. */
const isWhole = ({ outcome }: CallNotes): boolean =>
  outcome !== undefined && outcome.reason === null && outcome.status === STATUS_OK

const mismatch = new CallRefused({
  code: "idempotency_mismatch",
  message: "This idempotency key was sent with another request. Use another key for another request."
})

const tooManyAnswers = new CallRefused({
  code: "rate_limit_exceeded",
  message: "Too many kept answers are given to this user at once. Please try again shortly.",
  retryAfterSeconds: 1
})

const noRoom = unavailable("Too many kept answers are given at once. Please try again shortly.")

const unknown = new CallRefused({
  code: "idempotency_unknown",
  message: "Whether a call was made with this idempotency key is not known yet. Please try again shortly.",
  retryAfterSeconds: 5
})

const notKept = new CallRefused({
  code: "idempotency_not_kept",
  message: "A call was made and charged with this idempotency key, and its answer could not be kept."
})
