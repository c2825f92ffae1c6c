/**
 * Codes that stand in for a lost second factor, each once. They have 80 random bits, so that a hash without salt or delay is enough
 * should the table be stolen.
 */
import { Redacted } from "effect"
import { hash, randomBytes } from "node:crypto"
import type { UserId } from "../domain/Ids.ts"

/** Codes of one user, made together. */
export const RECOVERY_CODES = 10

const CHARACTERS = 16
const GROUP_CHARACTERS = 4

/** Crockford's base 32: no letter that is read as a digit. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const readPattern = new RegExp(`^[${alphabet}]{${CHARACTERS}}$`)

/** As a person types it, without what separates its groups; undefined for any other text. */
const plainOf = (text: string): string | undefined => {
  const plain = text.toLowerCase().replace(/[\s-]/g, "").replaceAll("o", "0").replace(/[il]/g, "1")
  return readPattern.test(plain) ? plain : undefined
}

/** What is stored of a code; undefined for any other text. */
export const recoveryCodeHash = (userId: UserId, text: string): Buffer | undefined => {
  const plain = plainOf(text)
  return plain === undefined ? undefined : hash("sha256", `${userId}:${plain}`, "buffer")
}

const makeOne = (): string => {
  const plain = Array.from(randomBytes(CHARACTERS), (byte) => alphabet[byte % alphabet.length]).join("")
  return (plain.match(new RegExp(`.{${GROUP_CHARACTERS}}`, "g")) ?? []).join("-")
}

/** New codes, as they are shown once. */
export const makeRecoveryCodes = (): Redacted.Redacted<ReadonlyArray<string>> =>
  Redacted.make(Array.from({ length: RECOVERY_CODES }, makeOne))
