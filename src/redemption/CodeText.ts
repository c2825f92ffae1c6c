/**
 * The text of a redemption code: 100 random bits in Crockford's base32, in groups that people can copy, and read again however it
 * was typed. The text is money for anyone who has it. What is stored is its SHA-256, and its last characters to tell it from
 * others.
 *
 * @see https://www.crockford.com/base32.html
 */
import { Redacted } from "effect"
import { hash, randomBytes } from "node:crypto"

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
const PREFIX = "RLM"

/** Of 5 bits each: 100 bits. */
const CHARACTERS = 20
const GROUP_CHARACTERS = 5
const HINT_CHARACTERS = 4

/** A longer text is no code, and is not looked at. */
const TYPED_LENGTH_MAX = 100

/** A new code, such as `RLM-7KQ2M-...`. */
export const makeCode = (): Redacted.Redacted<string> => {
  const body = Array.from(randomBytes(CHARACTERS), (byte) => ALPHABET[byte % ALPHABET.length]).join("")
  return Redacted.make([PREFIX, ...(body.match(new RegExp(`.{${GROUP_CHARACTERS}}`, "g")) ?? [])].join("-"))
}

/** The text without what people leave out or mistake: case, spaces, dashes, O for 0, I and L for 1, the prefix. */
const readDigits = (text: string): string | undefined => {
  const digits = text.normalize("NFKC").toUpperCase().replace(/[\s\p{Pd}_.]/gu, "").replaceAll("O", "0")
    .replace(/[IL]/g, "1")
  const prefix = PREFIX.replace("L", "1")
  const isPrefixed = digits.length === CHARACTERS + prefix.length && digits.startsWith(prefix)
  const body = isPrefixed ? digits.slice(prefix.length) : digits
  return body.length === CHARACTERS && Array.from(body).every((digit) => ALPHABET.includes(digit)) ? body : undefined
}

/** What a code is looked up by; undefined for any other text. */
export const hashOfCode = (typed: Redacted.Redacted<string>): Buffer | undefined => {
  const text = Redacted.value(typed)
  const digits = text.length > TYPED_LENGTH_MAX ? undefined : readDigits(text)
  return digits === undefined ? undefined : hash("sha256", `code ${digits}`, "buffer")
}

/** The last characters of a code. */
export const hintOfCode = (code: Redacted.Redacted<string>): string => Redacted.value(code).slice(-HINT_CHARACTERS)
