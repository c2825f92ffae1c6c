/**
 * The proof that is asked of a signed-in user before they change how they sign in, or who may use the administration: the password, and a
 * code if they have a second factor. A session alone, which may be stolen, changes none of it. Guesses share the limits of a change of
 * password.
 */
import { Context, Effect, Layer, type Redacted } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { type SecondFactorWrong, type TooBusy, type TooManyAttempts, WrongPassword } from "./IdentityError.ts"
import { type PasskeyAnswer, PasskeyCeremony } from "./PasskeyCeremony.ts"
import { matchPassword, PasswordQueue } from "./PasswordQueue.ts"
import { RateLimiter } from "./RateLimiter.ts"
import { hasSecondFactor, takeFactor } from "./SecondFactorStore.ts"
import type { SessionToken } from "./SessionStore.ts"
import { credentialsById, lockCredentials } from "./UserStore.ts"

export interface Proof {
  readonly userId: UserId
  readonly password: Redacted.Redacted<string>
  /** Of the second factor, or a recovery code; not looked at where there is none. */
  readonly code: string
  /** What a passkey has signed, in place of the code. */
  readonly passkey?: PasskeyAnswer | undefined
  readonly address: string
}

/** A proof, and the session of who gives it, which goes on. */
export interface ProvenChange extends Proof {
  readonly keepToken: SessionToken
}

export type ProofError = WrongPassword | SecondFactorWrong | TooManyAttempts | TooBusy | DatabaseUnavailable

/**
 * The first step of the transaction that makes the change: locks the user, finds the proof still good, and uses the code up.
 */
export type ProofLock = Effect.Effect<
  void,
  WrongPassword | SecondFactorWrong | DatabaseUnavailable | SqlError.SqlError
>

export class Reauthentication extends Context.Service<Reauthentication, {
  /** Runs `change` when the password is right; `change` opens the transaction, and begins it with the lock. */
  proven<A, E extends { readonly _tag: string }, R>(
    proof: Proof,
    change: (lock: ProofLock) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | ProofError, R>
  /** Finds the proof good, and uses the code up, for what is done next. */
  prove(proof: Proof): Effect.Effect<void, ProofError>
}>()("realms/identity/Reauthentication") {
  static readonly layerNoDeps = Layer.effect(Reauthentication)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const box = yield* SecretBox
    const ceremony = yield* PasskeyCeremony
    const limits = yield* RateLimiter
    const passwords = yield* PasswordQueue

    const lockOf = Effect.fnUntraced(function*({ code, passkey, userId }: Proof, passwordHash: string) {
      // Changed, or disabled, while the password was being checked.
      if (!(yield* lockCredentials(sql, userId, passwordHash))) return yield* new WrongPassword()
      if (yield* hasSecondFactor(sql, userId)) yield* takeFactor(sql, { box, ceremony }, { userId, code, passkey })
    })

    const attempted = <A, E, R>(
      proof: Proof,
      change: (lock: ProofLock) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | WrongPassword | SecondFactorWrong | TooBusy | DatabaseUnavailable, R> =>
      Effect.gen(function*() {
        const credentials = yield* orUnavailable(credentialsById(sql, proof.userId))
        const passwordHash = yield* matchPassword(passwords, credentials, proof.password)
        if (passwordHash === undefined) return yield* new WrongPassword()
        return yield* change(lockOf(proof, passwordHash))
      })

    const proven: Reauthentication["Service"]["proven"] = (proof, change) =>
      limits.limit(
        { kind: "passwordChange", address: proof.address, account: proof.userId.toString() },
        { countsSuccess: false, counted: ["WrongPassword", "SecondFactorWrong"] },
        attempted(proof, change)
      )

    return Reauthentication.of({
      proven,
      prove: (proof) => proven(proof, (lock) => inTransaction(sql, lock).pipe(orUnavailable))
    })
  }))
  static readonly layer = Reauthentication.layerNoDeps.pipe(
    Layer.provide(Layer.mergeAll(PasswordQueue.layer, RateLimiter.layer, PasskeyCeremony.layer))
  )
}
