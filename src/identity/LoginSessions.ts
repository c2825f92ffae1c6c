/**
 * Placeholder until the real one is merged, for the types that the console stands on.
 */
import { Context, Effect, Layer, Option, type Redacted } from "effect"
import type { IdentityUnavailable } from "./IdentityError.ts"
import type { User } from "./Users.ts"
export const SESSION_DAYS_MAX = 30
export class LoginSessions extends Context.Service<LoginSessions, {
  find(
    token: Redacted.Redacted<string>
  ): Effect.Effect<
    Option.Option<{ readonly user: User; readonly sessionId: bigint; readonly createdAt: Date }>,
    IdentityUnavailable
  >
}>()("realms/identity/LoginSessions") {
  static readonly layer = Layer.succeed(LoginSessions, { find: () => Effect.succeed(Option.none()) })
}
