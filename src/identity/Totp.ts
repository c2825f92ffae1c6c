/**
 * Codes of an authenticator app: TOTP (RFC 6238) with what every app takes - SHA-1, six digits, thirty seconds. A code of the step
 * before or after is taken too, for clocks that differ. The store of the last step sees to it that each is taken once.
 */
import { Redacted } from "effect"
import { Secret, TOTP } from "otpauth"

/** RFC 4226 recommends 160 bits. */
const SECRET_BYTES = 20

const PERIOD_SECONDS = 30

/** Steps before and after this one whose codes are taken. */
const WINDOW_STEPS = 1

const codePattern = /^\d{6}$/

const totpOf = (secret: Redacted.Redacted<string>, more: { readonly issuer?: string; readonly label?: string } = {}) =>
  new TOTP({
    ...more,
    secret: Secret.fromBase32(Redacted.value(secret)),
    algorithm: "SHA1",
    digits: 6,
    period: PERIOD_SECONDS
  })

/** A new secret, in base 32 as apps take it. */
export const makeTotpSecret = (): Redacted.Redacted<string> => Redacted.make(new Secret({ size: SECRET_BYTES }).base32)

/** What an app reads from a QR code. */
export const totpUri = (
  secret: Redacted.Redacted<string>,
  named: { readonly issuer: string; readonly label: string }
): Redacted.Redacted<string> => Redacted.make(totpOf(secret, named).toString())

/** The step that a code is of, at this time; undefined for a code that is not right. */
export const totpStep = (secret: Redacted.Redacted<string>, code: string, nowMs: number): bigint | undefined => {
  if (!codePattern.test(code)) return undefined
  const delta = totpOf(secret).validate({ token: code, timestamp: nowMs, window: WINDOW_STEPS })
  return delta === null ? undefined : BigInt(Math.floor(nowMs / (PERIOD_SECONDS * 1_000)) + delta)
}

/** The code that an app shows at this time. */
export const totpCode = (secret: Redacted.Redacted<string>, nowMs: number): string =>
  totpOf(secret).generate({ timestamp: nowMs })
