/**
 * Mail that a page asks for and does not wait for: whether there is anything to send, and how long that takes, says nothing to who asked.
 * What is lost - by a server that is away, a stop - can be asked for again. A bounded number is under way.
 */
import { Context, Effect, Layer, Semaphore } from "effect"
import type { MailError } from "../notices/MailError.ts"
import { Mailer } from "../notices/Mailer.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"

/** Mails handed over at once. */
const AT_ONCE_MAX = 4

/** Under way and waiting, together; each takes 30 seconds at most. */
const WAITING_MAX = 256

/** What a mail says, in its reader's language. */
export interface MailText {
  readonly subject: string
  readonly text: string
}

export class MailDispatch extends Context.Service<MailDispatch, {
  /** Whether a mail server is set. */
  readonly configured: Effect.Effect<boolean>
  /** Does the work, and sends what it answers, soon. Undefined: there is nothing to send. */
  send(
    work: Effect.Effect<(MailText & { readonly to: string }) | undefined, DatabaseUnavailable>
  ): Effect.Effect<void>
}>()("realms/identity/MailDispatch") {
  static readonly layer = Layer.effect(MailDispatch)(Effect.gen(function*() {
    const mailer = yield* Mailer
    const scope = yield* Effect.scope
    const turns = yield* Semaphore.make(AT_ONCE_MAX)
    let waiting = 0

    const failed = (error: MailError | DatabaseUnavailable) =>
      Effect.logWarning("a mail that was asked for was not sent", { reason: error.message })

    return MailDispatch.of({
      configured: mailer.configured,
      send: (work) =>
        Effect.suspend(() => {
          if (waiting >= WAITING_MAX) return Effect.logWarning("a mail that was asked for was not sent: too many wait")
          waiting++
          const sent = Effect.flatMap(work, (mail) => mail === undefined ? Effect.void : mailer.send(mail))
          return turns.withPermit(sent).pipe(
            Effect.catch(failed),
            Effect.ensuring(Effect.sync(() => {
              waiting--
            })),
            Effect.forkIn(scope),
            Effect.asVoid
          )
        })
    })
  }))
}
