/**
 * Where passwords are hashed and checked, a bounded number at a time: each takes 19 MiB and a thread of Node's pool, which files
 * and host names need too. The queue is bounded as well, and refuses at once when it is full.
 */
import { Context, Effect, Layer, type Redacted, Semaphore } from "effect"
import { TooBusy } from "./IdentityError.ts"
import { decoyHash, hashPassword, verifyPassword } from "./Passwords.ts"
import type { Credentials } from "./UserStore.ts"

/** Passwords worked on at once, of the four threads that Node has. */
const AT_ONCE_MAX = 2

/** Worked on and waiting together: at some 30 ms each, the last one waits about a second. */
export const QUEUED_MAX = 64

export class PasswordQueue extends Context.Service<PasswordQueue, {
  /** A new hash of the password, as PHC text. */
  hash(password: Redacted.Redacted<string>): Effect.Effect<string, TooBusy>
  /** Whether the password is the one hashed to `phc`. */
  verify(password: Redacted.Redacted<string>, phc: string): Effect.Effect<boolean, TooBusy>
}>()("realms/identity/PasswordQueue") {
  static readonly layer = Layer.effect(PasswordQueue)(Effect.gen(function*() {
    const threads = yield* Semaphore.make(AT_ONCE_MAX)
    let queued = 0
    const enter = Effect.suspend(() => {
      if (queued >= QUEUED_MAX) return Effect.fail(full)
      queued++
      return Effect.void
    })
    const leave = Effect.sync(() => {
      queued--
    })
    const inTurn = <A>(work: Effect.Effect<A>): Effect.Effect<A, TooBusy> =>
      // The thread goes on when nobody waits for it any more, so its turn is not over before it is.
      Effect.acquireUseRelease(enter, () => threads.withPermit(Effect.uninterruptible(work)), () => leave)

    return PasswordQueue.of({
      hash: (password) => inTurn(hashPassword(password)),
      verify: (password, phc) => inTurn(verifyPassword(password, phc))
    })
  }))
}

/** The hash that a password is right for; undefined when it is not. Takes as long without a user, or one without a password. */
export const matchPassword = (
  passwords: PasswordQueue["Service"],
  credentials: Credentials | undefined,
  password: Redacted.Redacted<string>
): Effect.Effect<string | undefined, TooBusy> => {
  const passwordHash = credentials?.passwordHash ?? undefined
  return Effect.map(
    passwords.verify(password, passwordHash ?? decoyHash),
    (matches) => matches ? passwordHash : undefined
  )
}

const full = new TooBusy({ reason: "too many passwords are being checked at this moment" })
