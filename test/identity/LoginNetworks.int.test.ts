/**
 * A sign-in from a network that a user has not come from is told; one from a known network, and the very first, are not.
 */
import { assert, describe } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { cleanIdentity } from "../../src/identity/IdentityCleaner.ts"
import { Login } from "../../src/identity/Login.ts"
import { rowsOf } from "../../src/postgres/Rows.ts"
import { identityTest, person, registered } from "../support/TestIdentity.ts"

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
