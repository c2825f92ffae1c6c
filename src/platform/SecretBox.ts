/**
 * Secrets at rest: sealed by AES-256-GCM, each bound to the place where it is stored, so that a row that is moved elsewhere does
 * not open. The key comes from `REALMS_MASTER_KEY`, or else from a file of mode 0600 in `data_dir` that is made when the first
 * secret is sealed. Older keys open what they have sealed, until `realms secrets rotate` has sealed it again with the first one.
 */
import { Context, Effect, FileSystem, Layer, Option, type PlatformError, Redacted, Schema } from "effect"
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto"
import { AppConfig } from "../config/Config.ts"
import { type KeyFile, KeysLost, makeKeyFile } from "./KeyFile.ts"

export { masterKeyPath } from "./KeyFile.ts"

/** A sealed secret as it is stored. */
export interface Sealed {
  readonly bytes: Uint8Array
  /** Names the key that opens it, and shows nothing of that key. */
  readonly keyId: string
}

/** A key of 32 bytes for one purpose, under the name of the master key that it was derived from. */
export interface DerivedKey {
  readonly id: string
  readonly bytes: Redacted.Redacted<Uint8Array>
}

/** No key at hand opens it, or it was tampered with. Nothing of it is told. */
export class SecretUnreadable extends Schema.TaggedError<SecretUnreadable>()("SecretUnreadable", {
  keyId: Schema.String,
  reason: Schema.String
}) {
  override readonly message = this.reason
}

/** The master key is missing, too short or cannot be read. The message says what to do. */
export class MasterKeyInvalid extends Schema.TaggedError<MasterKeyInvalid>()("MasterKeyInvalid", {
  message: Schema.String
}) {}

/** Stored secrets do not open with the master key at hand. */
export class MasterKeyWrong extends Schema.TaggedError<MasterKeyWrong>()("MasterKeyWrong", {
  message: Schema.String
}) {}

export class SecretBox extends Context.Service<SecretBox, {
  /** `place` is where it is stored, such as `setting:payment.epay.key`; it opens for the same place only. */
  seal(secret: Redacted.Redacted<string>, place: string): Effect.Effect<Sealed, MasterKeyInvalid>
  open(
    sealed: Sealed,
    place: string
  ): Effect.Effect<Redacted.Redacted<string>, SecretUnreadable | MasterKeyInvalid>
  /** Of the keys at hand, the one that seals first. Empty: there is none yet. */
  readonly keyIds: Effect.Effect<ReadonlyArray<string>, MasterKeyInvalid>
  /** Where the keys come from, for people. */
  readonly source: string
  /** Keys for another purpose, one of each key at hand, the newest first. A first key is made where there is none. */
  derived(purpose: string): Effect.Effect<ReadonlyArray<DerivedKey>, MasterKeyInvalid>
  /** Makes a new key the first in the key file; answers false when the keys are in the environment, where people put them. */
  readonly renew: Effect.Effect<boolean, MasterKeyInvalid>
}>()("realms/platform/SecretBox") {
  static readonly layer = Layer.effect(SecretBox)(Effect.gen(function*() {
    const config = yield* AppConfig
    const fs = yield* FileSystem.FileSystem
    const ring = Option.match(config.masterKey, {
      onSome: ringOfEnvironment,
      onNone: () => ringOfFile(makeKeyFile(fs, config.dataDir))
    })
    // A key that is too short, or a file that cannot be read, is said at the start.
    yield* ring.read

    const seal = Effect.fnUntraced(function*(secret: Redacted.Redacted<string>, place: string) {
      const [first] = yield* ring.readOrMake
      if (first === undefined) return yield* new MasterKeyInvalid({ message: `${ring.source} has no key` })
      return sealWith(first, { secret: Redacted.value(secret), place })
    })

    const open = Effect.fnUntraced(function*(sealed: Sealed, place: string) {
      const keys = yield* ring.read
      const key = keys.find(({ id }) => id === sealed.keyId)
      const unreadable = (reason: string) => new SecretUnreadable({ keyId: sealed.keyId, reason })
      if (key === undefined) {
        const why = keys.length === 0 ? yield* ring.absence : `which is not in ${ring.source}`
        return yield* unreadable(`sealed by key ${sealed.keyId}, ${why}`)
      }
      return yield* Effect.try({
        try: () => Redacted.make(openWith(key, sealed, place)),
        catch: () => unreadable(`does not open with key ${sealed.keyId}: it was changed, or is another place's`)
      })
    })

    return SecretBox.of({
      seal,
      open,
      keyIds: Effect.map(ring.read, (keys) => keys.map(({ id }) => id)),
      source: ring.source,
      derived: (purpose) =>
        Effect.map(ring.readOrMake, (keys) =>
          keys.map(({ id, text }) => ({
            id,
            bytes: Redacted.make(new Uint8Array(derive(text, { purpose, bytes: KEY_BYTES })))
          }))),
      renew: ring.renew
    })
  }))
}

/** A key given as text is at least so long, in characters: it is to be random, not a password. */
const KEY_TEXT_CHARACTERS_MIN = 32

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_ID_BYTES = 8

/** The ids of the keys in a text like that of the key file. */
export const keyIdsIn = (text: string): ReadonlyArray<string> =>
  text.split("\n").map((line) => line.trim()).filter((line) => line !== "").map((line) => keyOf(line).id)

interface MasterKey {
  readonly id: string
  readonly text: string
  readonly bytes: Buffer
}

const derive = (
  text: string,
  { bytes, purpose }: { readonly purpose: string; readonly bytes: number }
): Buffer => Buffer.from(hkdfSync("sha256", text, "", `realms ${purpose}`, bytes))

const keyOf = (text: string): MasterKey => ({
  text,
  id: derive(text, { purpose: "key id", bytes: KEY_ID_BYTES }).toString("hex"),
  bytes: derive(text, { purpose: "sealing", bytes: KEY_BYTES })
})

const sealWith = (
  key: MasterKey,
  { place, secret }: { readonly secret: string; readonly place: string }
): Sealed => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce)
  cipher.setAAD(Buffer.from(place))
  const body = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()])
  return { bytes: Buffer.concat([nonce, body, cipher.getAuthTag()]), keyId: key.id }
}

const openWith = (key: MasterKey, sealed: Sealed, place: string): string => {
  const bytes = Buffer.from(sealed.bytes)
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, NONCE_BYTES))
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  const body = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)
  return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8")
}

/** The texts of `REALMS_MASTER_KEY`: the key, and older ones after commas. */
const textsOf = (masterKey: Redacted.Redacted<string>): ReadonlyArray<string> =>
  Redacted.value(masterKey).split(",").map((text) => text.trim()).filter((text) => text !== "")

const checked = (texts: ReadonlyArray<string>, source: string) =>
  texts.some((text) => text.length < KEY_TEXT_CHARACTERS_MIN)
    ? Effect.fail(
      new MasterKeyInvalid({
        message: `${source} is too short: a master key has at least ${KEY_TEXT_CHARACTERS_MIN} characters, such as ` +
          "those that `openssl rand -hex 32` prints"
      })
    )
    : Effect.succeed(texts.map(keyOf))

interface KeyRing {
  readonly source: string
  /** Read each time, where that is cheap: a rotation by another process counts at once. */
  readonly read: Effect.Effect<ReadonlyArray<MasterKey>, MasterKeyInvalid>
  /** The same, with a first key made where there is none. */
  readonly readOrMake: Effect.Effect<ReadonlyArray<MasterKey>, MasterKeyInvalid>
  /** Where there is no key at all: why, as the end of a sentence. */
  readonly absence: Effect.Effect<string, MasterKeyInvalid>
  readonly renew: Effect.Effect<boolean, MasterKeyInvalid>
}

const ringOfEnvironment = (masterKey: Redacted.Redacted<string>): KeyRing => {
  const source = "REALMS_MASTER_KEY"
  const read = Effect.suspend(() => checked(textsOf(masterKey), source))
  return {
    source,
    read,
    readOrMake: read,
    absence: Effect.succeed(`and ${source} has no key`),
    renew: Effect.succeed(false)
  }
}

const ringOfFile = (file: KeyFile): KeyRing => {
  const { path } = file
  const asInvalid = (error: KeysLost | PlatformError.PlatformError) =>
    new MasterKeyInvalid({
      message: error instanceof KeysLost
        ? error.message
        : `the key file ${path} cannot be used (${error.message}): it has to be a file that the user of this process may read and ` +
          "write, with one key a line. Put that right, or set REALMS_MASTER_KEY"
    })
  const keys = (texts: Effect.Effect<ReadonlyArray<string>, KeysLost | PlatformError.PlatformError>) =>
    texts.pipe(
      Effect.mapError(asInvalid),
      Effect.flatMap((lines) => checked(lines, path))
    )
  return {
    source: path,
    read: keys(file.read),
    readOrMake: keys(file.readOrMake),
    absence: Effect.mapError(file.absence, asInvalid).pipe(
      Effect.map((absence) =>
        absence === "empty"
          ? `and the key file ${path} is empty, as a crash or a power loss may leave it`
          : `and there is no key file ${path}`
      )
    ),
    renew: Effect.as(keys(file.prepend), true)
  }
}
