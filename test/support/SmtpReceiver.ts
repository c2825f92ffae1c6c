/**
 * A mail server for tests: it speaks SMTP on a free port of loopback, keeps what it took, and refuses what it is told to.
 */
import { Effect } from "effect"
import { SMTPServer, type SMTPServerSession } from "smtp-server"
import { testCertificate, testKey } from "./TestCertificate.ts"

export interface ReceivedMail {
  readonly from: string
  readonly to: ReadonlyArray<string>
  /** The connection was encrypted. */
  readonly isSecure: boolean
  /** Who logged in; empty: nobody. */
  readonly user: string
  readonly raw: string
  /** By lower-case name, unfolded and decoded. */
  readonly headers: ReadonlyMap<string, string>
  readonly subject: string
  /** The part of plain text, decoded. */
  readonly text: string
  /** The part of HTML, decoded; empty: there is none. */
  readonly html: string
}

/** What a server says instead of taking a mail. */
export interface SmtpRefusal {
  readonly at: "connect" | "auth" | "from" | "recipient" | "data"
  readonly code: number
  readonly message: string
  /** Of this recipient alone; absent: of all. */
  readonly to?: string
}

const decodeWords = (text: string): string =>
  text.replace(/\?=\s+=\?/g, "?==?").replace(
    /=\?utf-8\?([BQ])\?([^?]*)\?=/gi,
    (_, kind: string, word: string) =>
      kind.toUpperCase() === "B"
        ? Buffer.from(word, "base64").toString("utf8")
        : quotedPrintable(word.replaceAll("_", " "))
  )

const quotedPrintable = (text: string): string =>
  Buffer.from(
    text.replaceAll(/=\r?\n/g, "").replaceAll(
      /=([0-9A-F]{2})/g,
      (_, hex: string) => String.fromCharCode(parseInt(hex, 16))
    ),
    "latin1"
  ).toString("utf8")

const split = (raw: string): readonly [headers: Map<string, string>, body: string] => {
  const at = raw.indexOf("\r\n\r\n")
  const head = at === -1 ? raw : raw.slice(0, at)
  const headers = head.replaceAll(/\r\n[ \t]+/g, " ").split("\r\n").map((line): [string, string] => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon).toLowerCase(), decodeWords(line.slice(colon + 1).trim())]
  })
  return [new Map(headers), at === -1 ? "" : raw.slice(at + 4)]
}

/** The text of the first part of a type. */
const partOf = (raw: string, type: string): string => {
  const [headers, body] = split(raw)
  const contentType = headers.get("content-type") ?? "text/plain"
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (boundary !== undefined) {
    return body.split(`--${boundary}`).slice(1, -1).map((part) => partOf(part.replace(/^\r\n/, ""), type))
      .find((text) => text !== "") ?? ""
  }
  if (!contentType.startsWith(type)) return ""
  const encoding = headers.get("content-transfer-encoding")
  const text = encoding === "base64"
    ? Buffer.from(body, "base64").toString("utf8")
    : encoding === "quoted-printable"
    ? quotedPrintable(body)
    : body
  return text.replaceAll("\r\n", "\n").trimEnd()
}

const received = (session: SMTPServerSession, raw: string): ReceivedMail => {
  const [headers] = split(raw)
  const { mailFrom, rcptTo } = session.envelope
  return {
    from: mailFrom === false ? "" : mailFrom.address,
    to: rcptTo.map(({ address }) => address),
    isSecure: session.secure,
    user: typeof session.user === "string" ? session.user : "",
    raw,
    headers,
    subject: headers.get("subject") ?? "",
    text: partOf(raw, "text/plain"),
    html: partOf(raw, "text/html")
  }
}

export interface SmtpReceiverOptions {
  /** TLS from the first byte. */
  readonly tls?: boolean
  /** Offers no STARTTLS. */
  readonly isPlain?: boolean
  /** Asks for them. */
  readonly credentials?: { readonly user: string; readonly password: string }
  readonly port?: number
}

/** Runs one as long as the scope. */
export const makeSmtpReceiver = Effect.fnUntraced(function*(options: SmtpReceiverOptions = {}) {
  const mails: Array<ReceivedMail> = []
  const refusals: Array<SmtpRefusal> = []
  let isHanging = false
  let connections = 0
  /** The refusal of this step, where there is one. */
  const refusal = (at: SmtpRefusal["at"], to?: string): Error | undefined => {
    const found = refusals.find((refused) => refused.at === at && (refused.to === undefined || refused.to === to))
    return found === undefined
      ? undefined
      : Object.assign(new Error(found.message), { responseCode: found.code })
  }
  const server = new SMTPServer({
    secure: options.tls === true,
    key: testKey,
    cert: testCertificate,
    authOptional: options.credentials === undefined,
    disabledCommands: [
      ...(options.isPlain === true ? ["STARTTLS"] : []),
      ...(options.credentials === undefined ? ["AUTH"] : [])
    ],
    disableReverseLookup: true,
    onConnect: (_, callback) => {
      connections++
      if (!isHanging) callback(refusal("connect") ?? null)
    },
    onAuth: ({ password, username }, _, callback) => {
      const { credentials } = options
      const refused = refusal("auth")
      if (refused !== undefined) return callback(refused)
      return credentials !== undefined && username === credentials.user && password === credentials.password
        ? callback(null, { user: username })
        : callback(Object.assign(new Error("Authentication credentials invalid"), { responseCode: 535 }))
    },
    onMailFrom: (_, __, callback) => callback(refusal("from") ?? null),
    onRcptTo: ({ address }, _, callback) => callback(refusal("recipient", address) ?? null),
    onData: (stream, session, callback) => {
      const chunks: Array<Buffer> = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        const refused = refusal("data", session.envelope.rcptTo[0]?.address)
        if (refused !== undefined) return callback(refused)
        mails.push(received(session, Buffer.concat(chunks).toString("utf8")))
        return callback(null)
      })
    }
  })
  // A client that goes away is not the server's trouble.
  server.on("error", () => undefined)
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      const listening = server.listen(options.port ?? 0, "127.0.0.1", () => {
        const address = listening.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        for (const connection of server.connections) connection.close()
        server.close(() => resume(Effect.void))
      })
  )
  return {
    port,
    /** In the order in which they were taken. */
    mails: mails as ReadonlyArray<ReceivedMail>,
    /** Those to one address. */
    to: (address: string): ReadonlyArray<ReceivedMail> => mails.filter(({ to }) => to.includes(address)),
    connections: () => connections,
    refuse: (refusal: SmtpRefusal) => void refusals.push(refusal),
    /** Takes everything again. */
    accept: () => {
      refusals.length = 0
      isHanging = false
    },
    /** Does not greet from now on. */
    hang: () => {
      isHanging = true
    },
    /** For `smtp` of config.yaml: without encryption, which goes with this machine. */
    document: {
      host: "127.0.0.1",
      port,
      security: options.tls === true ? "tls" : options.isPlain === true ? "none" : "starttls",
      from: "no-reply@realms.example",
      ...options.credentials
    }
  }
})
