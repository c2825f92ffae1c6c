/**
 * Hands mail over to the SMTP server that root has set. Nothing is queued here and nothing is repeated: what has to arrive after a
 * failure or a restart goes through the queue of notices. A server that was set counts from the next mail on.
 */
import { Context, Effect, Layer } from "effect"
import type { SmtpConfig } from "../config/RealmsConfig.ts"
import { makeOutboundGuard } from "../config/OutboundGuard.ts"
import { Settings } from "../settings/Settings.ts"
import { type MailError, MailNotConfigured } from "./MailError.ts"
import { sendBySmtp } from "./SmtpSending.ts"

export interface Mail {
  /** One address. */
  readonly to: string
  /** On one line. */
  readonly subject: string
  readonly text: string
  /** The same for readers that show HTML. */
  readonly html?: string
  /** Without brackets: the same at each try, so that a receiver can drop a repeat. Absent: one is made. */
  readonly messageId?: string
}

export class Mailer extends Context.Service<Mailer, {
  /** Whether a mail server is set. That it can be reached is known only when something is sent. */
  readonly configured: Effect.Effect<boolean>
  /** Succeeds when the server has taken the mail, within 30 seconds. */
  send(mail: Mail): Effect.Effect<void, MailError>
}>()("realms/notices/Mailer") {
  static readonly layer = Layer.effect(Mailer)(Effect.gen(function*() {
    const settings = yield* Settings
    const guard = yield* makeOutboundGuard
    // While the database is away, what was read last counts.
    const values = settings.get.pipe(Effect.catch(() => Effect.sync(() => settings.current())))
    const isSet = (smtp: SmtpConfig): boolean => smtp.host !== "" && smtp.from !== ""

    const send = Effect.fn("Mailer.send")(function*(mail: Mail) {
      const { site, smtp } = yield* values
      if (!isSet(smtp)) return yield* new MailNotConfigured()
      yield* sendBySmtp({ smtp, senderName: site.name, guard }, mail)
    })

    return Mailer.of({ configured: Effect.map(values, ({ smtp }) => isSet(smtp)), send })
  }))
}
