import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { UserId } from "../../src/domain/Ids.ts"
import { makeRecoveryCodes, RECOVERY_CODES, recoveryCodeHash } from "../../src/identity/RecoveryCodes.ts"
import { makeTotpSecret, totpCode, totpStep, totpUri } from "../../src/identity/Totp.ts"

/** "12345678901234567890" of RFC 6238, appendix B, in base 32. */
const SECRET = Redacted.make("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

/** The last six digits of the table there. */
const vectors = [
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"]
] as const

describe("codes of an app", () => {
  for (const [seconds, code] of vectors) {
    it(`are those of RFC 6238 at ${seconds}`, () => {
      assert.strictEqual(totpCode(SECRET, seconds * 1_000), code)
      assert.strictEqual(totpStep(SECRET, code, seconds * 1_000), BigInt(Math.floor(seconds / 30)))
    })
  }

  it("are taken one step early and one step late, and name their own step", () => {
    const nowMs = 1_000_000_000_000
    const step = BigInt(Math.floor(nowMs / 30_000))
    for (
      const [by, expected] of [[-2, undefined], [-1, step - 1n], [0, step], [1, step + 1n], [2, undefined]] as const
    ) {
      assert.strictEqual(totpStep(SECRET, totpCode(SECRET, nowMs + by * 30_000), nowMs), expected, `${by} steps`)
    }
  })

  it("are six digits and nothing else", () => {
    for (const code of ["", "28708", "2870822", "28708a", " 287082", "287082\n", "２８７０８２"]) {
      assert.isUndefined(totpStep(SECRET, code, 59_000), JSON.stringify(code))
    }
  })

  it("have secrets of 160 bits that differ, and an address that apps read", () => {
    const [a, b] = [makeTotpSecret(), makeTotpSecret()]
    assert.match(Redacted.value(a), /^[A-Z2-7]{32}$/)
    assert.notStrictEqual(Redacted.value(a), Redacted.value(b))
    const uri = new URL(Redacted.value(totpUri(a, { issuer: "Reich & Söhne", label: "ada+x@example.com" })))
    assert.strictEqual(uri.protocol, "otpauth:")
    assert.strictEqual(uri.searchParams.get("issuer"), "Reich & Söhne")
    assert.strictEqual(uri.searchParams.get("secret"), Redacted.value(a))
    assert.strictEqual(
      decodeURIComponent(uri.pathname).replace(/^\/*(?:totp\/)?/, ""),
      "Reich & Söhne:ada+x@example.com"
    )
  })
})

describe("recovery codes", () => {
  const userId = UserId.make(7n)

  it("are ten that differ, in groups that can be read out", () => {
    const codes = Redacted.value(makeRecoveryCodes())
    assert.strictEqual(new Set(codes).size, RECOVERY_CODES)
    for (const code of codes) assert.match(code, /^(?:[0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/)
  })

  it("are read in any case, with any spaces, and with letters for the digits they look like", () => {
    const hash = recoveryCodeHash(userId, "0123-4567-89ab-1000")
    assert.isDefined(hash)
    for (const same of ["0123456789ab1000", " 0123 4567 89AB 1000 ", "O123-4567-89ab-lOoO", "o123-4567-89ab-iooo"]) {
      assert.deepStrictEqual(recoveryCodeHash(userId, same), hash, same)
    }
  })

  it("are of one user", () => {
    const code = "0123-4567-89ab-1000"
    assert.notDeepEqual(recoveryCodeHash(userId, code), recoveryCodeHash(UserId.make(8n), code))
  })

  it("are nothing shorter, longer or other", () => {
    for (const text of ["", "287082", "0123-4567-89ab-100", "0123-4567-89ab-10000", "0123-4567-89ab-100u"]) {
      assert.isUndefined(recoveryCodeHash(userId, text), text)
    }
  })
})
