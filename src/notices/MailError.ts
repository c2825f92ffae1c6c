/**
 * Why a mail was not handed over. What the server said is kept for root: one line, of a bounded length.
 */
import { Schema } from "effect"

/** No SMTP server is set: see the settings `smtp.*`. */
export class MailNotConfigured extends Schema.TaggedError<MailNotConfigured>()("MailNotConfigured", {}) {
  override readonly message = "no mail server is set"
}

/** The server refuses this mail or its recipient for good: sending it again is of no use. */
export class MailRefused extends Schema.TaggedError<MailRefused>()("MailRefused", { reason: Schema.String }) {
  override readonly message = this.reason
}

/**
 * Not handed over now: the server was not reached, could not prove who it is, refused the credentials or the sender, or said that
 * it cannot take the mail yet. It may go well later, or once the settings are right.
 */
export class MailUnavailable extends Schema.TaggedError<MailUnavailable>()("MailUnavailable", {
  reason: Schema.String
}) {
  override readonly message = this.reason
}

export type MailError = MailNotConfigured | MailRefused | MailUnavailable
