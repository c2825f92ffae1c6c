/**
 * The `state` of a login at a provider, and what is derived from it: it carries its end and a MAC over the provider, its issuer and our
 * client there, the purpose and the visitor's cookie, so that an answer counts only in the browser that asked, for what it asked. The
 * verifier of PKCE and the nonce are MACs of the state: nothing is stored before it is used.
 */
import { Clock, Effect, Redacted } from "effect"
import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto"
import type { DerivedKey } from "../platform/SecretBox.ts"

/** A login at a provider takes no longer. */
export const SIGN_IN_MINUTES_MAX = 10

const NONCE_BYTES = 16
const END_BYTES = 6
const MAC_BYTES = 32
const STATE_BYTES = NONCE_BYTES + END_BYTES + MAC_BYTES

/** Whose answer is waited for, and what for. */
export interface SignInPurpose {
  readonly provider: string
  /** The provider's, and ours there: a state is worth nothing once either was changed. */
  readonly issuer: string
  readonly clientId: string
  /** `login`: the owner of the identity is signed in. `link`: the identity becomes one of the user who is signed in. */
  readonly purpose: "login" | "link"
  /** The secret of the visitor's cookie. */
  readonly visitor: string
}

const macOf = ({ bytes }: DerivedKey, said: ReadonlyArray<string>): Buffer =>
  createHmac("sha256", Redacted.value(bytes)).update(JSON.stringify(said)).digest()

const saidOf = (
  head: Uint8Array,
  { clientId, issuer, provider, purpose, visitor }: SignInPurpose
): ReadonlyArray<string> => [
  "state",
  provider,
  issuer,
  clientId,
  purpose,
  hash("sha256", visitor, "hex"),
  Buffer.from(head).toString("hex")
]

export const makeState = (key: DerivedKey, about: SignInPurpose): Effect.Effect<string> =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => {
    const end = Buffer.alloc(END_BYTES)
    end.writeUIntBE(nowMs + SIGN_IN_MINUTES_MAX * 60_000, 0, END_BYTES)
    const head = Buffer.concat([randomBytes(NONCE_BYTES), end])
    return Buffer.concat([head, macOf(key, saidOf(head, about))]).toString("base64url")
  })

/** The key that a state was made with, where it is for this and not over. */
export const keyOfState = (
  keys: ReadonlyArray<DerivedKey>,
  state: string,
  about: SignInPurpose
): Effect.Effect<DerivedKey | undefined> =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => {
    const bytes = Buffer.from(state, "base64url")
    // Another spelling of the same bytes would be good once more.
    if (bytes.length !== STATE_BYTES || bytes.toString("base64url") !== state) return undefined
    const head = bytes.subarray(0, NONCE_BYTES + END_BYTES)
    if (head.readUIntBE(NONCE_BYTES, END_BYTES) <= nowMs) return undefined
    const mac = bytes.subarray(NONCE_BYTES + END_BYTES)
    return keys.find((key) => timingSafeEqual(mac, macOf(key, saidOf(head, about))))
  })

/** What only this server and its visitor's request know of a state. */
export const derivedOf = (key: DerivedKey, state: string) => ({
  verifier: macOf(key, ["verifier", state]).toString("base64url"),
  nonce: macOf(key, ["nonce", state]).toString("base64url")
})
