/**
 * Passwords as argon2id hashes in PHC text (https://github.com/P-H-C/phc-string-format), with the parameters of OWASP's
 * Password Storage Cheat Sheet. A stored hash names its own parameters, so raising them leaves older hashes valid.
 */
import { Effect, Redacted } from "effect"
import { argon2, randomBytes, timingSafeEqual } from "node:crypto"
import { PasswordRefused } from "./IdentityError.ts"

const MEMORY_KIB = 19_456
const PASSES = 2
const PARALLELISM = 1
const SALT_BYTES = 16
const TAG_BYTES = 32

/** The bounds of a new password, in characters (code points). */
const CHARACTERS_MIN = 8
const CHARACTERS_MAX = 256

/** UTF-16 units of a password that is given to be checked: more were never hashed. Four bytes of UTF-8 each, at most. */
const GIVEN_LENGTH_MAX = 1_024

/** Bounds of what a stored hash may ask for, against a damaged row that would take all memory. */
const MEMORY_KIB_MAX = 1_048_576
const PASSES_MAX = 64
const PARALLELISM_MAX = 64
const TAG_BYTES_MIN = 16

interface Parameters {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly nonce: Buffer
  readonly tagLength: number
}

const derive = (password: Redacted.Redacted<string>, parameters: Parameters): Effect.Effect<Buffer> =>
  Effect.callback<Buffer>((resume) => {
    argon2(
      "argon2id",
      { message: Redacted.value(password), ...parameters },
      (error, tag) => resume(error === null ? Effect.succeed(tag) : Effect.die(error))
    )
  })

/** Whether a new password may be: 8 to 256 characters, hence at most 1024 bytes of UTF-8. */
export const checkNewPassword = (password: Redacted.Redacted<string>): Effect.Effect<void, PasswordRefused> =>
  Effect.suspend(() => {
    const text = Redacted.value(password)
    // A character has at most two units, so a text that is far too long is not even counted.
    if (text.length > 2 * CHARACTERS_MAX) return Effect.fail(new PasswordRefused({ reason: "long" }))
    const characters = Array.from(text).length
    if (characters < CHARACTERS_MIN) return Effect.fail(new PasswordRefused({ reason: "short" }))
    return characters > CHARACTERS_MAX ? Effect.fail(new PasswordRefused({ reason: "long" })) : Effect.void
  })

const encode = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "")

/** The PHC text of a password under a fresh salt. */
export const hashPassword = (password: Redacted.Redacted<string>): Effect.Effect<string> =>
  Effect.suspend(() => {
    const nonce = randomBytes(SALT_BYTES)
    const parameters = { memory: MEMORY_KIB, passes: PASSES, parallelism: PARALLELISM, nonce, tagLength: TAG_BYTES }
    return Effect.map(derive(password, parameters), (tag) =>
      `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${PARALLELISM}$${encode(nonce)}$${encode(tag)}`)
  })

/** A hash that no password has, and that takes as long to be compared with as a real one. */
export const decoyHash: string = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${PARALLELISM}$${
  encode(randomBytes(SALT_BYTES))
}$${encode(randomBytes(TAG_BYTES))}`

const phcPattern = /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

const parse = (phc: string): { readonly parameters: Parameters; readonly tag: Buffer } | undefined => {
  const match = phcPattern.exec(phc)
  if (match === null) return undefined
  const [memory, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const nonce = Buffer.from(match[4] ?? "", "base64")
  const tag = Buffer.from(match[5] ?? "", "base64")
  const usable = parallelism >= 1 && parallelism <= PARALLELISM_MAX && passes >= 1 && passes <= PASSES_MAX &&
    memory >= 8 * parallelism && memory <= MEMORY_KIB_MAX && nonce.length >= 8 && tag.length >= TAG_BYTES_MIN
  return usable ? { parameters: { memory, passes, parallelism, nonce, tagLength: tag.length }, tag } : undefined
}

/**
 * Whether the password is the one hashed to `phc`, in constant time; a text of another form matches nothing, nor does a
 * password longer than 1024 characters.
 */
export const verifyPassword = (password: Redacted.Redacted<string>, phc: string): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const stored = parse(phc)
    if (stored === undefined || Redacted.value(password).length > GIVEN_LENGTH_MAX) return Effect.succeed(false)
    return Effect.map(derive(password, stored.parameters), (tag) => timingSafeEqual(tag, stored.tag))
  })
