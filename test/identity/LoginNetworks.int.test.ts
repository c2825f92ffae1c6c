/**
 * A sign-in from a network that a user has not come from is told; one from a known network, and the very first, are not. With the
 * password ends what is known.
 */
import { assert, describe } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { noteAccountChange } from "../../src/identity/AccountNotices.ts"
import { TOLD_MAX } from "../../src/notices/Notices.ts"
import { cleanIdentity } from "../../src/identity/IdentityCleaner.ts"
import { Login } from "../../src/identity/Login.ts"
import { PasswordLinks } from "../../src/identity/PasswordLinks.ts"
import { insertSession, knowsNetwork, NETWORKS_PER_SITE_MAX } from "../../src/identity/SessionStore.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import type { AccountChange } from "../../src/notices/NoticeKinds.ts"
import { rowsOf } from "../../src/postgres/Rows.ts"
import { changesTold, identityTest, PASSWORD, person, proofOf, registered } from "../support/TestIdentity.ts"

const Told = Row({ data: Schema.Record(Schema.String, Schema.Unknown) })

const addressesTold = (userId: UserId) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* rowsOf(
      Told,
      sql`SELECT data FROM notices WHERE user_id = ${userId} AND kind = 'new_network' ORDER BY id`
    )
    return rows.map(({ data }) => data["address"])
  })

describe("changes of how somebody signs in", () => {
  identityTest("are told in bounded numbers, each kind by itself, those of the address all", function*() {
    const sql = yield* SqlClient.SqlClient
    const { userId } = yield* registered("ada@example.com")
    const change = (kind: AccountChange) => noteAccountChange(sql, { userId, change: kind, address: "192.0.2.1" })
    // Two windows at most, if one ends meanwhile.
    yield* Effect.forEach(Array.from({ length: 4 * TOLD_MAX }), () => change("password"), { discard: true })
    yield* Effect.forEach(Array.from({ length: 2 * TOLD_MAX + 1 }), () => change("email"), { discard: true })
    yield* change("passkey_added")
    const told = yield* changesTold(userId)
    const countOf = (kind: AccountChange) => told.filter(([known]) => known === kind).length
    assert.include([TOLD_MAX, 2 * TOLD_MAX], countOf("password"))
    assert.strictEqual(countOf("email"), 2 * TOLD_MAX + 1)
    assert.strictEqual(countOf("passkey_added"), 1)
  })
})

describe("networks of sign-ins", () => {
  identityTest("are told when they are new, by address or by the /64 of IPv6", function*() {
    const { userId } = yield* registered("ada@example.com")
    const login = yield* Login
    const from = (address: string) => login.login(person("ada@example.com", { address }))
    yield* from("192.0.2.1")
    assert.deepStrictEqual(yield* addressesTold(userId), [])
    yield* from("198.51.100.7")
    yield* from("198.51.100.7")
    yield* from("::ffff:198.51.100.7")
    yield* from("2001:db8:1:2::1")
    yield* from("2001:db8:1:2:ffff::9")
    yield* from("2001:db8:1:3::1")
    // Of somebody whose address is not known.
    yield* from("")
    assert.deepStrictEqual(yield* addressesTold(userId), ["198.51.100.7", "2001:db8:1:2::1", "2001:db8:1:3::1"])
  })

  identityTest(
    "are known no longer when the password is changed, but for that of who changes it, and told again",
    function*() {
      const sql = yield* SqlClient.SqlClient
      const email = "ada@example.com"
      const ada = yield* registered(email)
      const login = yield* Login
      const [own, other] = ["198.51.100.7", "2001:db8:1:2::1"]
      const known = (address: string) => knowsNetwork(sql, { email, address })
      const knownOf = Effect.all([known(own), known(other)])
      const from = (address: string, password: string) => login.login(person(email, { address, password }))
      yield* from(own, PASSWORD)
      yield* from(other, PASSWORD)
      assert.deepStrictEqual(yield* knownOf, [true, true])
      const proof = { ...proofOf(ada, "", PASSWORD), address: own }
      yield* login.changePassword({ ...proof, next: Redacted.make("the second password") })
      assert.deepStrictEqual(yield* knownOf, [true, false])
      yield* from(other, "the second password")
      assert.deepStrictEqual(yield* knownOf, [true, true])
      assert.deepStrictEqual(yield* addressesTold(ada.userId), [own, other, other])

      yield* (yield* UserAdmin).setPassword(cliActor, ada.userId, Redacted.make("the third password"))
      assert.deepStrictEqual(yield* knownOf, [false, false])
      yield* from(own, "the third password")
      assert.deepStrictEqual(yield* knownOf, [true, false])

      const links = yield* PasswordLinks
      const { token } = yield* links.issue(cliActor, ada.userId)
      const reset = "203.0.113.9"
      yield* links.redeem(token, Redacted.make("the fourth password"), reset)
      assert.deepStrictEqual(yield* knownOf, [false, false])
      assert.isTrue(yield* known(reset), "strangers who guess keep nobody from signing in after a reset")
      assert.deepStrictEqual(yield* addressesTold(ada.userId), [own, other, other, own])
    }
  )

  identityTest("stay known where an operator sets a password that nobody else had", function*() {
    const sql = yield* SqlClient.SqlClient
    const email = "ada@example.com"
    const { userId } = yield* registered(email)
    const login = yield* Login
    const addresses = ["198.51.100.7", "2001:db8:1:2::1"]
    const from = (address: string, password: string) => login.login(person(email, { address, password }))
    yield* Effect.forEach(addresses, (address) => from(address, PASSWORD), { discard: true })
    const told = yield* addressesTold(userId)
    const next = "the second password"
    yield* (yield* UserAdmin).setPassword(cliActor, userId, Redacted.make(next), { keepNetworks: true })
    for (const address of addresses) {
      assert.isTrue(yield* knowsNetwork(sql, { email, address }))
      yield* from(address, next)
    }
    assert.deepStrictEqual(yield* addressesTold(userId), told)
  })

  identityTest("of one IPv6 /48 are known ten at a time, and keep no other from being known", function*() {
    const sql = yield* SqlClient.SqlClient
    const email = "ada@example.com"
    const { userId } = yield* registered(email)
    const addresses = Array.from({ length: 120 }, (_, at) => `2001:db8:1:${(at + 1).toString(16)}::1`)
    const from = (address: string) => insertSession(sql, userId, { address, userAgent: "" })
    yield* from("2001:db8:10:1::1")
    yield* Effect.forEach(addresses, from, { discard: true })
    const known = yield* Effect.filter(addresses, (address) => knowsNetwork(sql, { email, address }))
    assert.deepStrictEqual(known, addresses.slice(-NETWORKS_PER_SITE_MAX))
    const told = (yield* addressesTold(userId)).length
    assert.include([TOLD_MAX, 2 * TOLD_MAX], told, "a window may end in between")
    for (const address of ["192.0.2.1", "2001:db8:10:1::1"]) {
      assert.isTrue(yield* knowsNetwork(sql, { email, address }), address)
    }
  })

  identityTest("are forgotten when nobody has come from them for half a year", function*() {
    const { userId } = yield* registered("ada@example.com")
    const sql = yield* SqlClient.SqlClient
    const login = yield* Login
    yield* login.login(person("ada@example.com", { address: "198.51.100.7" }))
    yield* sql`UPDATE login_networks SET last_seen_at = now() - interval '181 days' WHERE network = '198.51.100.7'`
    yield* cleanIdentity
    yield* login.login(person("ada@example.com", { address: "198.51.100.7" }))
    assert.deepStrictEqual(yield* addressesTold(userId), ["198.51.100.7", "198.51.100.7"])
  })

  identityTest("are told with the device, and the session's language is that of the user from then on", function*() {
    const { userId } = yield* registered("ada@example.com")
    const sql = yield* SqlClient.SqlClient
    const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    const given = person("ada@example.com", { address: "198.51.100.7" })
    yield* (yield* Login).login({ ...given, userAgent, language: "zh" })
    const rows = yield* rowsOf(Told, sql`SELECT data FROM notices WHERE user_id = ${userId}`)
    assert.deepStrictEqual(rows.map(({ data }) => data["device"]), ["Firefox · Linux"])
    const [user] = yield* sql`SELECT language FROM users WHERE id = ${userId}`
    assert.deepStrictEqual(user, { language: "zh" })
  })
})
