/**
 * One mail over one connection to an SMTP server. Addresses are judged as those of upstreams are: this machine and private networks
 * are called, link-local and metadata addresses are not, by what a name resolves to at this moment. With `starttls` and `tls` the
 * server proves who it is by a certificate, else nothing is sent, credentials least of all.
 * @internal
 */
import { Effect, Redacted } from "effect"
import { connect, type Socket } from "node:net"
import type { NodemailerError } from "nodemailer"
import { OUTBOUND_REFUSED, type OutboundGuard, OutboundRefused } from "../config/OutboundUrl.ts"
import type { SmtpConfig } from "../config/RealmsConfig.ts"
import { MailRefused, MailUnavailable } from "./MailError.ts"
import type { Mail } from "./Mailer.ts"

/** A mail is handed over within so many milliseconds, from the connection to the server's last word. */
const SEND_MS_MAX = 30_000

/** Until there is a connection, until the server greets, and between two of its words, in milliseconds. */
const WAIT_MS_MAX = 10_000

/** Of what a server said, in characters. */
const REASON_CHARACTERS_MAX = 300

/** Longer subjects are cut, in characters. */
const SUBJECT_CHARACTERS_MAX = 200

export interface SmtpRoute {
  readonly smtp: SmtpConfig
  readonly senderName: string
  readonly guard: OutboundGuard
}

/** On one line, without what a page or a log could take for something else. */
const oneLine = (text: string, charactersMax: number): string =>
  text.replace(/\p{C}+/gu, " ").trim().slice(0, charactersMax).toWellFormed()

/** A connection to an address that may be called. */
const openSocket = (
  { guard, smtp: { host, port } }: SmtpRoute,
  opened: (error: Error | null, socket?: Socket) => void
): Socket | undefined => {
  // Of an address nothing is resolved, so that only this keeps it from being called.
  if (guard.isForbidden(host)) {
    opened(new OutboundRefused(`${host} is an address that this server does not call`))
    return undefined
  }
  const socket = connect({ host, port, lookup: guard.lookup, timeout: WAIT_MS_MAX })
  const failed = (error: Error) => {
    socket.destroy()
    opened(error)
  }
  const timedOut = () => failed(new Error(`no connection within ${WAIT_MS_MAX / 1_000} seconds`))
  socket.once("error", failed)
  socket.once("timeout", timedOut)
  socket.once("connect", () => {
    socket.off("error", failed)
    socket.off("timeout", timedOut)
    opened(null, socket)
  })
  return socket
}

/** Only what the server says of the recipient or of the mail is about this mail; all else is about the server or the settings. */
const isAboutMail = ({ command }: NodemailerError): boolean => command === "RCPT TO" || command === "DATA"

const mailErrorOf = (error: NodemailerError): MailRefused | MailUnavailable => {
  const reason = oneLine(error.message, REASON_CHARACTERS_MAX)
  if (error.code === OUTBOUND_REFUSED) return new MailUnavailable({ reason })
  return error.permanent === true && isAboutMail(error) ? new MailRefused({ reason }) : new MailUnavailable({ reason })
}

export const sendBySmtp = (
  route: SmtpRoute,
  mail: Mail
): Effect.Effect<void, MailRefused | MailUnavailable> =>
  Effect.promise(() => import("nodemailer")).pipe(
    Effect.flatMap(({ createTransport }) =>
      Effect.callback<void, MailRefused | MailUnavailable>((resume, signal) => {
        const { security, user, ...smtp } = route.smtp
        let socket: Socket | undefined
        const transport = createTransport({
          host: smtp.host,
          port: smtp.port,
          secure: security === "tls",
          requireTLS: security === "starttls",
          ignoreTLS: security === "none",
          ...(user === "" ? {} : { auth: { user, pass: Redacted.value(smtp.password) } }),
          connectionTimeout: WAIT_MS_MAX,
          greetingTimeout: WAIT_MS_MAX,
          socketTimeout: WAIT_MS_MAX,
          // A mail is made of texts alone: nothing is read from a file or fetched for it.
          disableFileAccess: true,
          disableUrlAccess: true,
          getSocket: (_, opened) => {
            socket = openSocket(
              route,
              (error, connection) =>
                error === null && connection !== undefined ? opened(null, { connection }) : opened(error, false)
            )
          }
        })
        transport.sendMail({
          from: { name: route.senderName, address: smtp.from },
          to: { name: "", address: mail.to },
          envelope: { from: smtp.from, to: [mail.to] },
          subject: oneLine(mail.subject, SUBJECT_CHARACTERS_MAX),
          text: mail.text,
          ...(mail.html === undefined ? {} : { html: mail.html }),
          ...(mail.messageId === undefined ? {} : { messageId: `<${mail.messageId}>` }),
          // Answers to it by machines, such as "out of office", are not wanted.
          headers: { "Auto-Submitted": "auto-generated" },
          signal
        }, (error) => {
          socket?.destroy()
          resume(error === null ? Effect.void : Effect.fail(mailErrorOf(error)))
        })
        return Effect.sync(() => socket?.destroy())
      })
    ),
    Effect.timeoutOrElse({
      duration: SEND_MS_MAX,
      orElse: () =>
        Effect.fail(new MailUnavailable({ reason: `the mail was not taken within ${SEND_MS_MAX / 1_000} seconds` }))
    })
  )
