/**
 * How often a password may be tried, an account made, a second factor guessed, a password changed, a mail asked for, a redemption code
 * guessed, a payment started (GCRA). Limits are counted in the database, so that several servers and a restart make no difference. Rows
 * are hashes, and those that limit nothing any more are removed.
 *
 * An attempt is counted before its outcome is known, so that a thousand at once are no way around. A login that succeeds gives its
 * own place back, and no more: a user of one account cannot clear an address by logging in between two guesses. An account is
 * limited strictly for each network, so that guessing from one place ends soon, and generously over all networks. That limit does not
 * count on networks that the owner has signed in from, so that strangers cannot lock the owner out there. An e-mail address without an
 * account is counted like any other.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { hash } from "node:crypto"
import { Row } from "../domain/Row.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { makeSparingLog } from "../platform/SparingLog.ts"
import { networkOf } from "./ClientNetwork.ts"
import { TooManyAttempts } from "./IdentityError.ts"

/** So many attempts at once; then one more each `refillMs`. */
export interface RateLimit {
  readonly burst: number
  readonly refillMs: number
}

/** Of what needs a password. */
const passwordLimits = {
  network: { burst: 30, refillMs: 30_000 },
  accountFromNetwork: { burst: 10, refillMs: 60_000 }
} as const

export const rateLimits = {
  login: { ...passwordLimits, account: { burst: 100, refillMs: 36_000 } },
  registration: {
    network: { burst: 30, refillMs: 120_000 },
    accountFromNetwork: { burst: 10, refillMs: 360_000 },
    account: { burst: 30, refillMs: 120_000 }
  },
  // The password was right: a guess is one of a million, and three codes are right at a time.
  secondFactor: {
    network: { burst: 30, refillMs: 30_000 },
    accountFromNetwork: { burst: 10, refillMs: 300_000 },
    account: { burst: 20, refillMs: 300_000 }
  },
  passwordChange: { ...passwordLimits, account: { burst: 30, refillMs: 120_000 } },
  // Mails that somebody asks for: nobody's mailbox is filled.
  mail: {
    network: { burst: 30, refillMs: 60_000 },
    accountFromNetwork: { burst: 5, refillMs: 600_000 },
    account: { burst: 10, refillMs: 600_000 }
  },
  redemption: {
    network: { burst: 60, refillMs: 30_000 },
    accountFromNetwork: { burst: 20, refillMs: 60_000 },
    account: { burst: 30, refillMs: 60_000 }
  },
  // Each start asks the provider, which limits the requests of the whole installation. All users may seem to come from one network, where a
  // proxy does not say who calls; so the limit of a network is what a provider bears: one start a second.
  checkout: {
    network: { burst: 600, refillMs: 1_000 },
    accountFromNetwork: { burst: 30, refillMs: 20_000 },
    account: { burst: 30, refillMs: 20_000 }
  }
} as const satisfies Record<string, Record<string, RateLimit>>

/** Who tries what. */
export interface Attempt {
  readonly kind: keyof typeof rateLimits
  /** The client's IP address as text; empty where it is not known, and then limits of networks do not count. */
  readonly address: string
  /** A normalised e-mail address, or whatever stands for the account. */
  readonly account: string
  /** The account's owner has signed in from this network before: the limit over all networks does not count. */
  readonly isKnownNetwork?: boolean
}

const UsedLimit = Row({ fullAtMs: Schema.BigInt })

export class RateLimiter extends Context.Service<RateLimiter, {
  /**
   * Runs `work` as an attempt, unless a limit is reached. It stays counted when it succeeds where `countsSuccess` is true,
   * and when it fails with an error of a tag in `counted`; also when it is interrupted.
   */
  limit<A, E extends { readonly _tag: string }, R>(
    attempt: Attempt,
    outcomes: { readonly countsSuccess: boolean; readonly counted: ReadonlyArray<NoInfer<E>["_tag"]> },
    work: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | TooManyAttempts | DatabaseUnavailable, R>
}>()("realms/identity/RateLimiter") {
  static readonly layer = Layer.effect(RateLimiter)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const noteRefused = yield* makeSparingLog<Attempt["kind"]>("attempts are refused, there are too many")

    const take = Effect.fnUntraced(function*({ keyHash, limit }: Place) {
      const nowMs = BigInt(yield* Clock.currentTimeMillis)
      const [refillMs, spanMs] = [BigInt(limit.refillMs), BigInt(limit.refillMs * limit.burst)]
      const taken = yield* sql`
      INSERT INTO attempt_limits AS l (key_hash, full_at_ms) VALUES (${keyHash}, ${nowMs + refillMs}::bigint)
        ON CONFLICT (key_hash) DO UPDATE SET full_at_ms = greatest(l.full_at_ms, ${nowMs}::bigint) + ${refillMs}::bigint
          WHERE l.full_at_ms <= ${nowMs + spanMs - refillMs}::bigint
        RETURNING key_hash`
      if (taken.length > 0) return
      const used = yield* rowOf(UsedLimit, sql`SELECT full_at_ms FROM attempt_limits WHERE key_hash = ${keyHash}`)
      const waitMs = used === undefined ? 0n : used.fullAtMs - (nowMs + spanMs - refillMs)
      return yield* new TooManyAttempts({ retryAfterSeconds: Math.max(1, Math.ceil(Number(waitMs) / 1_000)) })
    })

    const giveBack = ({ keyHash, limit }: Place) =>
      sql`UPDATE attempt_limits SET full_at_ms = full_at_ms - ${
        BigInt(limit.refillMs)
      }::bigint WHERE key_hash = ${keyHash}`
        .pipe(Effect.ignore)

    return RateLimiter.of({
      limit: Effect.fnUntraced(function*(attempt, { counted, countsSuccess }, work) {
        const places = placesOf(attempt)
        const taken: Array<Place> = []
        const returned = Effect.suspend(() => Effect.forEach(taken, giveBack, { discard: true }))
        const takeAll = Effect.forEach(places, (place) =>
          Effect.tap(take(place), () =>
            Effect.sync(() => {
              taken.push(place)
            })), { discard: true })
        // Who is refused for an account has not used up the network of those beside them.
        yield* orUnavailable(takeAll).pipe(
          Effect.tapError(() => returned),
          Effect.tapError((error) =>
            error._tag === "TooManyAttempts" ? noteRefused(attempt.kind, { kind: attempt.kind }) : Effect.void
          )
        )
        return yield* work.pipe(
          Effect.tap(() => countsSuccess ? Effect.void : returned),
          Effect.tapError((error) => counted.includes(error._tag) ? Effect.void : returned)
        )
      })
    })
  }))
}

interface Place {
  readonly keyHash: Buffer
  readonly limit: RateLimit
}

/** The address comes first: one that has used up its own limit uses up nobody else's. */
const placesOf = ({ account, address, isKnownNetwork = false, kind }: Attempt): ReadonlyArray<Place> => {
  const limits = rateLimits[kind]
  const network = networkOf(address)
  const place = (limit: RateLimit, ...key: ReadonlyArray<string>): Place => ({
    keyHash: hash("sha256", JSON.stringify([kind, ...key]), "buffer"),
    limit
  })
  const ofAccount = place(limits.account, "account", account)
  if (network === "") return [ofAccount]
  return [
    place(limits.network, "network", network),
    place(limits.accountFromNetwork, "both", network, account),
    ...isKnownNetwork ? [] : [ofAccount]
  ]
}
