/**
 * Signatures of webhooks, in the form of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over the id, the time and
 * the body, by a secret that only this server and the receiver have. `verify` is what a receiver does. Pure.
 */
import { Redacted } from "effect"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"

/** Before the base64 of a secret. */
const SECRET_PREFIX = "whsec_"
const SECRET_BYTES = 32

/** A signature that is older or newer than this counts for nothing, in seconds: a copy of a request is of no use later. */
export const SIGNATURE_AGE_SECONDS_MAX = 300

export const makeWebhookSecret = (): Redacted.Redacted<string> =>
  Redacted.make(SECRET_PREFIX + randomBytes(SECRET_BYTES).toString("base64"))

export interface SignedMessage {
  /** The same at each try. */
  readonly id: string
  /** Of the try, in seconds since the epoch. */
  readonly timestamp: number
  readonly body: string
}

const macOf = (secret: Redacted.Redacted<string>, { body, id, timestamp }: SignedMessage): string => {
  const key = Buffer.from(Redacted.value(secret).slice(SECRET_PREFIX.length), "base64")
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`
}

/** The three headers. Several secrets sign side by side while one of them is being replaced. */
export const sign = (
  secrets: ReadonlyArray<Redacted.Redacted<string>>,
  message: SignedMessage
): Readonly<Record<string, string>> => ({
  "webhook-id": message.id,
  "webhook-timestamp": String(message.timestamp),
  "webhook-signature": secrets.map((secret) => macOf(secret, message)).join(" ")
})

const isSame = (a: string, b: string): boolean => {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** Whether the headers of a request prove that it is from who has the secret, and that it is not old. */
export const verify = (
  secret: Redacted.Redacted<string>,
  { body, headers, nowSeconds }: {
    readonly headers: Readonly<Record<string, string | undefined>>
    readonly body: string
    readonly nowSeconds: number
  }
): boolean => {
  const timestamp = Number(headers["webhook-timestamp"])
  const isFresh = Math.abs(nowSeconds - timestamp) <= SIGNATURE_AGE_SECONDS_MAX
  const expected = macOf(secret, { id: headers["webhook-id"] ?? "", timestamp, body })
  return isFresh && (headers["webhook-signature"] ?? "").split(" ").some((signature) => isSame(signature, expected))
}
