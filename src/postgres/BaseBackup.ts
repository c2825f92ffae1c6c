/**
 * A base backup of a whole cluster by PostgreSQL's replication protocol: the files of its data folder as a tar archive, the log (WAL) that
 * makes them consistent, and PostgreSQL's manifest of them. It is read as it comes, so a slow writer slows it down.
 */
import { PgAuth, PgProtocol } from "@effect/sql-pg"
import { Redacted, Result } from "effect"
import { randomBytes } from "node:crypto"
import { connect, type Socket } from "node:net"
import { BaseBackupFailed } from "./BaseBackupFailed.ts"

export type BaseBackupEvent =
  /** What will come, roughly, in bytes: the log is not in it. */
  | { readonly _tag: "Size"; readonly bytes: number }
  /** A piece of the tar archive of the data folder. */
  | { readonly _tag: "Archive"; readonly bytes: Uint8Array }
  /** A piece of PostgreSQL's manifest; all of the archive has come before. */
  | { readonly _tag: "Manifest"; readonly bytes: Uint8Array }

/** The server is on this machine: it answers at once, or not at all. In milliseconds. */
const CONNECT_MS_MAX = 10_000
/** Without a byte for so long the backup is given up, in milliseconds. A checkpoint comes first, and may take its time. */
const SILENCE_MS_MAX = 600_000

const SLOT_BYTES = 6

const failed = (message: string): BaseBackupFailed => new BaseBackupFailed({ message })

type Message = PgProtocol.BackendMessage

/** The messages of a connection, one after the other, with back-pressure. */
async function* messagesOf(socket: Socket): AsyncGenerator<Message> {
  const parser = PgProtocol.makeParser()
  for await (const chunk of socket) {
    if (!(chunk instanceof Uint8Array)) throw failed("the connection gives text")
    for (const message of parser.push(chunk)) {
      if (message._tag === "ErrorResponse") {
        throw failed(`PostgreSQL refused: ${message.fields.message ?? message.fields.code ?? "no reason given"}`)
      }
      if (message._tag !== "NoticeResponse" && message._tag !== "ParameterStatus") yield message
    }
  }
  throw failed("PostgreSQL closed the connection")
}

class Session {
  /** What comes. Who stops reading it leaves the rest for others. */
  readonly rest: AsyncIterable<Message>
  private readonly socket: Socket
  private readonly messages: AsyncGenerator<Message>

  constructor(socket: Socket) {
    this.socket = socket
    this.messages = messagesOf(socket)
    this.rest = { [Symbol.asyncIterator]: () => ({ next: () => this.messages.next() }) }
  }

  /** The next message of a kind; another one is not what the protocol says. */
  async expect<Tag extends Message["_tag"]>(tag: Tag): Promise<Extract<Message, { readonly _tag: Tag }>> {
    const { done, value } = await this.messages.next()
    if (done === true) throw failed("PostgreSQL closed the connection")
    if (isTagged(value, tag)) return value
    throw failed(`PostgreSQL answered ${value._tag} where ${tag} was expected`)
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Sends a command in the simple protocol, the only one that a replication connection has for these. */
  command(text: string): void {
    const body = Buffer.from(`${text}\0`)
    const head = Buffer.alloc(5)
    head.write("Q")
    head.writeInt32BE(body.length + 4, 1)
    this.send(Buffer.concat([head, body]))
  }

  /** The fields of a result that has one row. */
  async row(): Promise<ReadonlyArray<string | null>> {
    await this.expect("RowDescription")
    const { values } = await this.expect("DataRow")
    const row = values.map((value) => value === null ? null : Buffer.from(value).toString("utf8"))
    await this.expect("CommandComplete")
    return row
  }

  async logIn({ password, username }: { readonly username: string; readonly password: Redacted.Redacted<string> }) {
    this.send(PgProtocol.encodeStartupMessage({
      user: username,
      replication: "true",
      application_name: "realms-backup"
    }))
    const { mechanisms } = await this.expect("AuthenticationSASL")
    if (!mechanisms.includes(PgAuth.SCRAM_SHA_256)) throw failed("PostgreSQL does not offer SCRAM-SHA-256")
    const first = Result.getOrThrow(PgAuth.scramInit({
      password: Redacted.value(password),
      nonce: randomBytes(18).toString("base64")
    }))
    this.send(
      PgProtocol.encodeSASLInitialResponse({ mechanism: PgAuth.SCRAM_SHA_256, initialResponse: first.response })
    )
    const challenge = await this.expect("AuthenticationSASLContinue")
    const last = Result.getOrThrow(PgAuth.scramContinue(first.state, challenge.data))
    this.send(PgProtocol.encodeSASLResponse({ data: last.response }))
    Result.getOrThrow(PgAuth.scramFinish(last.state, (await this.expect("AuthenticationSASLFinal")).data))
    await this.expect("AuthenticationOk")
    await this.expect("BackendKeyData")
    await this.expect("ReadyForQuery")
  }
}

const isTagged = <Tag extends Message["_tag"]>(
  message: Message,
  tag: Tag
): message is Extract<Message, { readonly _tag: Tag }> => message._tag === tag

const openSocket = (port: number, host: string, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const stop = () => socket.destroy(failed("the backup was interrupted"))
    signal.addEventListener("abort", stop, { once: true })
    socket.once("close", () => signal.removeEventListener("abort", stop))
    socket.setTimeout(CONNECT_MS_MAX, () => socket.destroy(failed("PostgreSQL does not answer")))
    socket.once("error", reject)
    socket.once("connect", () => resolve(socket.setTimeout(SILENCE_MS_MAX)))
  })

/** Kinds of `CopyData` of a backup, by their first byte. */
const NEW_ARCHIVE = 0x6e
const MANIFEST = 0x6d
const DATA = 0x64
const PROGRESS = 0x70

/** The first field of the message that begins an archive. */
const archiveName = (data: Uint8Array): string => Buffer.from(data.subarray(1, data.indexOf(0, 1))).toString("utf8")

async function* copied(session: Session): AsyncGenerator<BaseBackupEvent> {
  await session.expect("CopyOutResponse")
  let part: "Archive" | "Manifest" | undefined
  for await (const message of session.rest) {
    if (message._tag === "CopyDone") return
    if (message._tag !== "CopyData") throw failed(`PostgreSQL answered ${message._tag} in the middle of the backup`)
    const kind = message.data[0]
    if (kind === DATA) {
      if (part === undefined) throw failed("PostgreSQL sent data before it said of what")
      yield { _tag: part, bytes: message.data.subarray(1) }
    } else if (kind === NEW_ARCHIVE) {
      const name = archiveName(message.data)
      // A folder for tables elsewhere is an archive of its own.
      if (part !== undefined || name !== "base.tar") throw failed(`the cluster has the tablespace archive ${name}`)
      part = "Archive"
    } else if (kind === MANIFEST) {
      part = "Manifest"
    } else if (kind !== PROGRESS) {
      throw failed("PostgreSQL sent a part of a backup that this program does not know")
    }
  }
}

/**
 * Takes the backup of the server at a URL. It ends when everything has come, its log included; until then a slot, which goes with the
 * connection, keeps PostgreSQL from throwing that log away. Throws {@link BaseBackupFailed}.
 */
export async function* baseBackup(
  { signal, url }: { readonly url: Redacted.Redacted<string>; readonly signal: AbortSignal }
): AsyncGenerator<BaseBackupEvent> {
  const { hostname, password, port, username } = new URL(Redacted.value(url))
  const socket = await openSocket(Number(port), hostname, signal)
  try {
    const session = new Session(socket)
    await session.logIn({ username, password: Redacted.make(decodeURIComponent(password)) })
    const slot = `realms_backup_${randomBytes(SLOT_BYTES).toString("hex")}`
    session.command(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY PHYSICAL (RESERVE_WAL)`)
    await session.row()
    await session.expect("ReadyForQuery")
    session.command(
      "BASE_BACKUP (LABEL 'realms', PROGRESS, CHECKPOINT 'fast', WAL, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256')"
    )
    await session.row()
    const [tablespace, , kilobytes] = await session.row()
    if (tablespace !== null) throw failed("the cluster has tablespaces, which are not backed up")
    yield { _tag: "Size", bytes: Number(kilobytes ?? 0) * 1024 }
    yield* copied(session)
    await session.row()
    await session.expect("CommandComplete")
    await session.expect("ReadyForQuery")
    session.send(PgProtocol.encodeTerminate())
  } finally {
    socket.destroy()
  }
}
