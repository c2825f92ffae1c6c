/**
 * Password hashes: argon2id with OWASP's parameters, as PHC text. `verify` reads the parameters from the text, so they can be
 * raised without a migration.
 */
import { Effect, Redacted } from "effect"
import { argon2, randomBytes, timingSafeEqual } from "node:crypto"

const MEMORY_KIB = 19_456
const PASSES = 2
const LANES = 1
const TAG_BYTES = 32
const SALT_BYTES = 16

const derive = (password: string, salt: Buffer, memory: number, passes: number, lanes: number, bytes: number) =>
  Effect.callback<Buffer>((resume) => {
    argon2(
      "argon2id",
      { message: password, nonce: salt, memory, passes, parallelism: lanes, tagLength: bytes },
      (error, tag) => resume(error === null ? Effect.succeed(tag) : Effect.die(error))
    )
  })

const plain = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "")

/** The hash of a password, as PHC text. */
export const hashPassword = Effect.fn("Passwords.hash")(function*(password: Redacted.Redacted<string>) {
  const salt = randomBytes(SALT_BYTES)
  const tag = yield* derive(Redacted.value(password), salt, MEMORY_KIB, PASSES, LANES, TAG_BYTES)
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${plain(salt)}$${plain(tag)}`
})

const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** True when the password is the one that was hashed. Takes the same time for any wrong one. */
export const verifyPassword = Effect.fn("Passwords.verify")(function*(password: Redacted.Redacted<string>, hash: string) {
  const match = phc.exec(hash)
  if (match === null) return false
  const [, memory = "", passes = "", lanes = "", salt = "", tag = ""] = match
  const expected = Buffer.from(tag, "base64")
  const derived = yield* derive(
    Redacted.value(password),
    Buffer.from(salt, "base64"),
    Number(memory),
    Number(passes),
    Number(lanes),
    expected.length
  )
  return timingSafeEqual(derived, expected)
})
