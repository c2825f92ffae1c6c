/**
 * An authenticator in software that does what it is told, also what a real one would not: another origin, a count that does not go up, a
 * signature over what is not there. ES256, no attestation.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

/** Asked of it, as a page has it. */
interface Asked {
  readonly challenge: string
  readonly rpId: string
  readonly origin: string
}

interface Signing extends Asked {
  /** It has known its owner. */
  readonly isVerified?: boolean
  readonly count?: number
  readonly type?: string
}

const sha256 = (data: string | Uint8Array): Buffer => createHash("sha256").update(data).digest()

/** The head of a CBOR value: its kind, and its length or number. */
const head = (major: number, value: number): Buffer =>
  value < 24
    ? Buffer.from([major << 5 | value])
    : value < 256
    ? Buffer.from([major << 5 | 24, value])
    : Buffer.from([major << 5 | 25, value >> 8, value & 255])

const whole = (value: number): Buffer => value >= 0 ? head(0, value) : head(1, -1 - value)
const bytes = (value: Uint8Array): Buffer => Buffer.concat([head(2, value.length), value])
const text = (value: string): Buffer => Buffer.concat([head(3, value.length), Buffer.from(value)])

export class SoftAuthenticator {
  readonly id = randomBytes(32)
  private readonly privateKey: KeyObject
  private readonly publicKey: Buffer
  count = 0

  constructor() {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" })
    const { x = "", y = "" } = pair.publicKey.export({ format: "jwk" })
    this.privateKey = pair.privateKey
    this.publicKey = Buffer.concat([
      head(5, 5),
      whole(1),
      whole(2),
      whole(3),
      whole(-7),
      whole(-1),
      whole(1),
      whole(-2),
      bytes(Buffer.from(x, "base64url")),
      whole(-3),
      bytes(Buffer.from(y, "base64url"))
    ])
  }

  private data({ rpId }: Asked, flags: number, count: number): Buffer {
    const tail = Buffer.alloc(5)
    tail.writeUInt8(flags, 0)
    tail.writeUInt32BE(count, 1)
    return Buffer.concat([sha256(rpId), tail])
  }

  /** A new passkey, as the page's script sends it. */
  create({ isVerified = true, ...asked }: Asked & Pick<Signing, "isVerified">): string {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(this.id.length)
    const authData = Buffer.concat([
      this.data(asked, isVerified ? 0x45 : 0x41, this.count),
      Buffer.alloc(16),
      length,
      this.id,
      this.publicKey
    ])
    const attestation = Buffer.concat([
      head(5, 3),
      text("fmt"),
      text("none"),
      text("attStmt"),
      head(5, 0),
      text("authData"),
      bytes(authData)
    ])
    return this.answer({
      clientDataJSON: this.said(asked, "webauthn.create"),
      attestationObject: attestation.toString("base64url"),
      transports: ["internal"]
    })
  }

  /** An answer to a challenge. */
  get({ isVerified = true, type = "webauthn.get", ...asked }: Signing): string {
    const count = asked.count ?? ++this.count
    const authenticatorData = this.data(asked, isVerified ? 0x05 : 0x01, count)
    const clientDataJSON = this.said(asked, type)
    const signed = Buffer.concat([authenticatorData, sha256(Buffer.from(clientDataJSON, "base64url"))])
    return this.answer({
      clientDataJSON,
      authenticatorData: authenticatorData.toString("base64url"),
      signature: sign("sha256", signed, this.privateKey).toString("base64url")
    })
  }

  private said({ challenge, origin }: Asked, type: string): string {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })).toString("base64url")
  }

  private answer(response: object): string {
    const id = this.id.toString("base64url")
    return JSON.stringify({ id, rawId: id, type: "public-key", response, clientExtensionResults: {} })
  }
}
