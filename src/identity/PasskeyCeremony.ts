/**
 * What WebAuthn asks of a server: challenges that are fresh, for one purpose and one browser, and the verification of what an
 * authenticator has signed (https://www.w3.org/TR/webauthn-3/#sctn-rp-operations). A challenge is not stored: it carries its end and a MAC
 * by a key of the master key. That each is used once is for the transaction that uses it.
 */
import type { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server"
import { Clock, Context, Effect, Layer, Redacted, Schema } from "effect"
import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { SecondFactorWrong } from "./IdentityError.ts"
import { type RelyingParty, relyingPartyOf } from "./RelyingParty.ts"

/** A challenge has to be answered within this. */
export const CHALLENGE_MINUTES_MAX = 10

const NONCE_BYTES = 16
const END_BYTES = 6
const MAC_BYTES = 32
const CHALLENGE_BYTES = NONCE_BYTES + END_BYTES + MAC_BYTES

/** Of what a browser sends, in characters. A certificate of an attestation has some thousand; none is asked for. */
const ANSWER_CHARACTERS_MAX = 20_000

/** What a challenge is for: a new passkey, signing in with one alone, or a second factor. */
export type PasskeyPurpose = "create" | "login" | "factor"

/** What a browser sends, and the secret of its cookie: a challenge is good in the browser that it was made for. */
export interface PasskeyAnswer {
  readonly json: string
  readonly visitor: string
}

const Encoded = Schema.String.check(Schema.isPattern(/^[\w-]{1,16384}$/))

const common = {
  id: Encoded,
  rawId: Encoded,
  type: Schema.Literal("public-key"),
  clientExtensionResults: Schema.Struct({})
}

const Created = Schema.Struct({
  ...common,
  response: Schema.Struct({
    clientDataJSON: Encoded,
    attestationObject: Encoded,
    transports: Schema.optionalKey(Schema.Array(Schema.String.check(Schema.isPattern(/^[a-z-]{1,20}$/))))
  })
})

const Signed = Schema.Struct({
  ...common,
  response: Schema.Struct({
    clientDataJSON: Encoded,
    authenticatorData: Encoded,
    signature: Encoded,
    userHandle: Schema.optionalKey(Encoded)
  })
})
export interface Signed extends Schema.Schema.Type<typeof Signed> {}

const readCreated = Schema.decodeUnknownEffect(Schema.fromJsonString(Created))
const readSigned = Schema.decodeUnknownEffect(Schema.fromJsonString(Signed))

/** A new passkey, as it is stored. */
export interface VerifiedPasskey {
  readonly credentialId: string
  readonly publicKey: Uint8Array
  readonly signCount: number
  readonly transports: ReadonlyArray<string>
  readonly rpId: string
  /** The authenticator has known its owner. */
  readonly userVerified: boolean
  /** As it was used up. */
  readonly challenge: string
}

export interface VerifiedAnswer {
  readonly userVerified: boolean
  readonly signCount: number
  readonly challenge: string
}

export class PasskeyCeremony extends Context.Service<PasskeyCeremony, {
  /** By the public address of this moment. */
  party(): RelyingParty
  challenge(purpose: PasskeyPurpose, visitor: string): Effect.Effect<string, DatabaseUnavailable>
  /** Fails for what is not an answer to a challenge of ours, or is no passkey. */
  verifyCreated(answer: PasskeyAnswer): Effect.Effect<VerifiedPasskey, SecondFactorWrong | DatabaseUnavailable>
  /** What a browser says that it has signed with; nothing of it is verified. */
  read(answer: PasskeyAnswer): Effect.Effect<Signed, SecondFactorWrong>
  /** Verifies it with the key that is stored. For `login` the authenticator has to know its owner. */
  verifySigned(
    signed: Signed,
    known: {
      readonly purpose: "login" | "factor"
      readonly visitor: string
      readonly publicKey: Uint8Array
      readonly rpId: string
    }
  ): Effect.Effect<VerifiedAnswer, SecondFactorWrong | DatabaseUnavailable>
}>()("realms/identity/PasskeyCeremony") {
  static readonly layer = Layer.effect(PasskeyCeremony)(Effect.gen(function*() {
    const address = yield* PublicAddress
    const box = yield* SecretBox
    const party = () => relyingPartyOf(address.url())
    const keys = box.derived("passkey challenges").pipe(Effect.mapError(databaseUnavailable))

    const challenge = Effect.fnUntraced(function*(purpose: PasskeyPurpose, visitor: string) {
      const [key] = yield* keys
      if (key === undefined) return yield* Effect.die(new Error("there is no master key"))
      const end = Buffer.alloc(END_BYTES)
      end.writeUIntBE((yield* Clock.currentTimeMillis) + CHALLENGE_MINUTES_MAX * 60_000, 0, END_BYTES)
      const head = Buffer.concat([randomBytes(NONCE_BYTES), end])
      return Buffer.concat([head, macOf(key.bytes, head, { purpose, visitor })]).toString("base64url")
    })

    /** Whether a challenge is one of ours, for this, and not over. */
    const judge = Effect.gen(function*() {
      const nowMs = yield* Clock.currentTimeMillis
      const all = yield* keys
      return (text: string, about: About): boolean => {
        const bytes = Buffer.from(text, "base64url")
        // Another spelling of the same bytes would be good once more.
        if (bytes.length !== CHALLENGE_BYTES || bytes.toString("base64url") !== text) return false
        const head = bytes.subarray(0, NONCE_BYTES + END_BYTES)
        const mac = bytes.subarray(NONCE_BYTES + END_BYTES)
        return head.readUIntBE(NONCE_BYTES, END_BYTES) > nowMs &&
          all.some((key) => timingSafeEqual(mac, macOf(key.bytes, head, about)))
      }
    })

    /** Runs a verification of the library, which throws for whatever is wrong. */
    const verifying = <A>(verify: (library: Verifiers) => Promise<A>) =>
      Effect.promise(() => import("@simplewebauthn/server")).pipe(
        Effect.flatMap((library) =>
          Effect.tryPromise({ try: () => verify(library), catch: () => new SecondFactorWrong() })
        )
      )

    return PasskeyCeremony.of({
      party,
      challenge,
      read: ({ json }) =>
        json.length > ANSWER_CHARACTERS_MAX
          ? Effect.fail(new SecondFactorWrong())
          : Effect.mapError(readSigned(json), () => new SecondFactorWrong()),
      verifyCreated: Effect.fn("PasskeyCeremony.verifyCreated")(function*({ json, visitor }) {
        const ours = party()
        if (ours._tag === "NoParty" || json.length > ANSWER_CHARACTERS_MAX) return yield* new SecondFactorWrong()
        const created = yield* Effect.mapError(readCreated(json), () => new SecondFactorWrong())
        const isOurs = yield* judge
        let used = ""
        const { registrationInfo, verified } = yield* verifying((library) =>
          library.verifyRegistrationResponse({
            response: {
              ...created,
              response: { ...created.response, transports: [...created.response.transports ?? []] }
            },
            expectedChallenge: (text) => {
              used = text
              return isOurs(text, { purpose: "create", visitor })
            },
            expectedOrigin: ours.origin,
            expectedRPID: ours.id,
            requireUserVerification: false
          })
        )
        if (!verified) return yield* new SecondFactorWrong()
        return {
          credentialId: registrationInfo.credential.id,
          publicKey: registrationInfo.credential.publicKey,
          signCount: registrationInfo.credential.counter,
          transports: created.response.transports ?? [],
          rpId: ours.id,
          userVerified: registrationInfo.userVerified,
          challenge: used
        }
      }),
      verifySigned: Effect.fn("PasskeyCeremony.verifySigned")(function*(signed, { publicKey, purpose, rpId, visitor }) {
        const ours = party()
        if (ours._tag === "NoParty" || ours.id !== rpId) return yield* new SecondFactorWrong()
        const isOurs = yield* judge
        let used = ""
        const { authenticationInfo, verified } = yield* verifying((library) =>
          library.verifyAuthenticationResponse({
            response: signed,
            expectedChallenge: (text) => {
              used = text
              return isOurs(text, { purpose, visitor })
            },
            expectedOrigin: ours.origin,
            expectedRPID: rpId,
            requireUserVerification: purpose === "login",
            // Its count is compared by the statement that raises it.
            credential: { id: signed.id, publicKey: new Uint8Array(publicKey), counter: 0 }
          })
        )
        return verified
          ? {
            signCount: authenticationInfo.newCounter,
            userVerified: authenticationInfo.userVerified,
            challenge: used
          }
          : yield* new SecondFactorWrong()
      })
    })
  }))
}

interface Verifiers {
  readonly verifyRegistrationResponse: typeof verifyRegistrationResponse
  readonly verifyAuthenticationResponse: typeof verifyAuthenticationResponse
}

interface About {
  readonly purpose: PasskeyPurpose
  readonly visitor: string
}

const macOf = (key: Redacted.Redacted<Uint8Array>, head: Uint8Array, { purpose, visitor }: About): Buffer =>
  createHmac("sha256", Redacted.value(key))
    .update(JSON.stringify([purpose, hash("sha256", visitor, "hex"), Buffer.from(head).toString("hex")]))
    .digest()
