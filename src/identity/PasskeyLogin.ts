/**
 * Signing in with a passkey alone. The authenticator has to have known its owner, so that it is what they have and what they are or know:
 * no second factor is asked for.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { LoginRefused, type TooManyAttempts } from "./IdentityError.ts"
import { type PasskeyAnswer, PasskeyCeremony } from "./PasskeyCeremony.ts"
import { findPasskey, takePasskey } from "./PasskeyStore.ts"
import { RateLimiter } from "./RateLimiter.ts"
import { insertSession, type SessionClient, type SessionToken } from "./SessionStore.ts"

export interface PasskeyLoginInput extends SessionClient {
  readonly answer: PasskeyAnswer
}

export class PasskeyLogin extends Context.Service<PasskeyLogin, {
  /** Opens a session. */
  login(input: PasskeyLoginInput): Effect.Effect<SessionToken, LoginRefused | TooManyAttempts | DatabaseUnavailable>
}>()("realms/identity/PasskeyLogin") {
  static readonly layerNoDeps = Layer.effect(PasskeyLogin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ceremony = yield* PasskeyCeremony
    const limits = yield* RateLimiter
    const refused = () => Effect.fail(new LoginRefused())

    const loginNow = Effect.fnUntraced(function*({ answer, ...client }: PasskeyLoginInput, credentialId: string) {
      const known = yield* findPasskey(sql, credentialId)
      if (known === undefined) return yield* new LoginRefused()
      const { userId } = known
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const locked = yield* sql`SELECT FROM users WHERE id = ${userId} AND disabled_at IS NULL FOR NO KEY UPDATE`
          if (locked.length === 0) return yield* new LoginRefused()
          yield* takePasskey(sql, ceremony, { userId, purpose: "login", answer }).pipe(
            Effect.catchTag("SecondFactorWrong", refused)
          )
          return yield* insertSession(sql, userId, client)
        })
      )
    }, orUnavailable)

    return PasskeyLogin.of({
      login: Effect.fn("PasskeyLogin.login")(function*(input) {
        const { id } = yield* ceremony.read(input.answer).pipe(Effect.catchTag("SecondFactorWrong", refused))
        return yield* limits.limit(
          { kind: "login", address: input.address, account: `passkey:${id}` },
          { countsSuccess: false, counted: ["LoginRefused"] },
          loginNow(input, id)
        )
      })
    })
  }))
  static readonly layer = PasskeyLogin.layerNoDeps.pipe(
    Layer.provide(Layer.merge(PasskeyCeremony.layer, RateLimiter.layer))
  )
}
