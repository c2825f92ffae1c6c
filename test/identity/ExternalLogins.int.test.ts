/**
 * Identities at providers where what happens meanwhile matters: sessions that end while the provider is asked.
 */
import { assert, describe } from "@effect/vitest"
import { ExternalLogins } from "../../src/identity/ExternalLogins.ts"
import { LoginSessions } from "../../src/identity/LoginSessions.ts"
import { areLive, changesTold, identityTest, opened, outcome, proofOf, registered } from "../support/TestIdentity.ts"

const ADDRESS = "192.0.2.1"

const identityOf = (subject: string, state: string) => ({
  issuer: "https://id.example",
  subject,
  email: undefined,
  state
})

describe("ExternalLogins", () => {
  identityTest("connect an identity only while the session that asked is there", function*() {
    const { token, userId } = yield* registered("ada@example.com")
    const logins = yield* ExternalLogins
    const connecting = (state: string) =>
      outcome(logins.connect({ userId, token, address: ADDRESS }, identityOf("ada", state)))
    yield* (yield* LoginSessions).closeAll(userId)
    assert.strictEqual(yield* connecting("one"), "ProviderLoginFailed")
    assert.deepStrictEqual(yield* logins.list(userId), [])
  })

  identityTest("are removed with a new token for the session that goes on, and none for the others", function*() {
    const ada = yield* registered("ada@example.com")
    const { token, userId } = ada
    const logins = yield* ExternalLogins
    yield* logins.connect({ userId, token, address: ADDRESS }, identityOf("ada", "one"))
    const other = yield* opened(userId)
    const [identity] = yield* logins.list(userId)
    const kept = yield* logins.remove(proofOf(ada), identity?.id ?? assert.fail("no identity"))
    assert.deepStrictEqual(yield* areLive(kept, token, other), [true, false, false])
    assert.deepStrictEqual(yield* changesTold(userId), [
      ["identity_added", identityOf("ada", "one").issuer, ADDRESS],
      ["identity_removed", identityOf("ada", "one").issuer, "192.0.2.1"]
    ])
  })
})
