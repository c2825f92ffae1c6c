/**
 * What is written by mail about accounts, in the language of who asked for it. A mail has no more in it than its reader needs: the address
 * of this site, a link, and what to do when they did not ask for it.
 */
import { MAIL_LINK_HOURS } from "../../../identity/EmailAddresses.ts"
import type { MailText } from "../../../identity/MailDispatch.ts"
import { MAILED_LINK_HOURS } from "../../../identity/PasswordLinks.ts"
import { type PageContext, sayOf } from "../PageContext.ts"

interface Site {
  readonly name: string
  readonly url: string
}

/** The mails that a visitor may ask for. */
export const mailsIn = (context: Pick<PageContext, "language">, site: Site) => {
  const say = sayOf(context, "mail")
  const named = { site: site.name }
  const signed = (text: string): string => `${text}\n\n${site.name}\n${site.url}\n`
  const withLink = (subject: string, text: (url: string) => string) => (url: string): MailText => ({
    subject,
    text: signed(text(url))
  })
  return {
    registration: withLink(
      say("registration.subject", named),
      (url) => say("registration.text", { ...named, url, count: MAIL_LINK_HOURS.registration })
    ),
    known: {
      subject: say("known.subject", named),
      text: signed(say("known.text", { ...named, login: `${site.url}/login`, forgot: `${site.url}/forgot` }))
    },
    verification: withLink(
      say("verification.subject", named),
      (url) => say("verification.text", { ...named, url, count: MAIL_LINK_HOURS.verification })
    ),
    password: withLink(
      say("password.subject", named),
      (url) => say("password.text", { ...named, url, count: MAILED_LINK_HOURS })
    ),
    change: withLink(
      say("change.subject", named),
      (url) => say("change.text", { ...named, url, count: MAIL_LINK_HOURS.change })
    )
  }
}
