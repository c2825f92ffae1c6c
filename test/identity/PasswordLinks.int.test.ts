import { assert, describe } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { UserId } from "../../src/domain/Ids.ts"
import { cleanIdentity } from "../../src/identity/IdentityCleaner.ts"
import { Login } from "../../src/identity/Login.ts"
import { PasswordLinks, type PasswordToken } from "../../src/identity/PasswordLinks.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import {
  areLive,
  assertUnsaid,
  count,
  identityTest,
  outcome,
  person,
  proofOf,
  recordedOf,
  registered
} from "../support/TestIdentity.ts"

const issue = (userId: UserId) =>
  Effect.flatMap(PasswordLinks, (links) => Effect.map(links.issue(cliActor, userId), ({ token }) => token))

const NEXT = "another horse entirely"

const redeem = (token: PasswordToken, password = NEXT) =>
  Effect.flatMap(PasswordLinks, (links) => links.redeem(token, Redacted.make(password), "192.0.2.7"))

const isGood = (token: PasswordToken) =>
  Effect.flatMap(PasswordLinks, (links) => Effect.map(links.find(token), Option.isSome))

describe("PasswordLinks", () => {
  identityTest("set a password once, end every session, and are not written down", function*(world) {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* registered("ada@example.com")
    const token = yield* issue(ada.userId)
    assert.deepStrictEqual(yield* (yield* PasswordLinks).find(token), Option.some("ada@example.com"))
    const ends = yield* Effect.forEach([1, 2, 3], () => outcome(redeem(token)), { concurrency: "unbounded" })
    assert.sameMembers([...ends], ["ok", "PasswordLinkInvalid", "PasswordLinkInvalid"])
    assert.deepStrictEqual(yield* areLive(ada.token), [false])
    const login = yield* Login
    assert.strictEqual(yield* outcome(login.login(person("ada@example.com"))), "LoginRefused")
    assert.strictEqual(yield* outcome(login.login(person("ada@example.com", { password: NEXT }))), "ok")
    assert.deepStrictEqual(yield* recordedOf(ada.userId), [
      "cli password_link.created",
      `user:${ada.userId} password_link.used`
    ])
    const [all] = yield* sql<{ text: string }>`SELECT string_agg(a::text, ' ') AS text FROM audit_log a`
    assert.notInclude(all?.text, Redacted.value(token))
    assert.notInclude(all?.text, NEXT)
    assertUnsaid(world, [Redacted.value(token), NEXT])
  })

  identityTest("are stored as a hash, end after a day, and are cleaned away", function*() {
    const sql = yield* SqlClient.SqlClient
    const { userId } = yield* registered("ada@example.com")
    const token = yield* issue(userId)
    const [row] = yield* sql<{ text: string }>`SELECT l::text AS text FROM password_links l`
    assert.notInclude(row?.text, Redacted.value(token))
    yield* sql`UPDATE password_links SET expires_at = expires_at - interval '23 hours 59 minutes'`
    assert.isTrue(yield* isGood(token))
    yield* sql`UPDATE password_links SET expires_at = expires_at - interval '1 minute'`
    assert.isFalse(yield* isGood(token))
    assert.strictEqual(yield* outcome(redeem(token)), "PasswordLinkInvalid")
    yield* cleanIdentity
    assert.strictEqual(yield* count("password_links"), 0)
  })

  identityTest("replace earlier ones of the same user, and no other's", function*() {
    const ada = yield* registered("ada@example.com")
    const bob = yield* registered("bob@example.com")
    const [first, others, second] = [yield* issue(ada.userId), yield* issue(bob.userId), yield* issue(ada.userId)]
    assert.deepStrictEqual([yield* isGood(first), yield* isGood(others), yield* isGood(second)], [false, true, true])
    assert.strictEqual(yield* outcome(redeem(first)), "PasswordLinkInvalid")
    assert.strictEqual(yield* outcome(redeem(others)), "ok")
    assert.deepStrictEqual(yield* areLive(ada.token, bob.token), [true, false])
  })

  identityTest("are void when the password was changed, or the user disabled", function*() {
    const ada = yield* registered("ada@example.com")
    const admin = yield* UserAdmin
    const token = yield* issue(ada.userId)
    yield* (yield* Login).changePassword({ ...proofOf(ada), next: Redacted.make(NEXT) })
    assert.isFalse(yield* isGood(token))
    const later = yield* issue(ada.userId)
    yield* admin.disable(cliActor, ada.userId)
    assert.strictEqual(yield* outcome(issue(ada.userId)), "UserDisabled")
    yield* admin.enable(cliActor, ada.userId)
    assert.isFalse(yield* isGood(later))
    assert.strictEqual(yield* outcome(issue(UserId.make(999n))), "UserNotFound")
  })

  identityTest("stay good when the password is refused, and cost nothing to somebody without one", function*() {
    const { userId } = yield* registered("ada@example.com")
    const token = yield* issue(userId)
    assert.strictEqual(yield* outcome(redeem(token, "short")), "PasswordRefused")
    for (const text of ["", "x", "A".repeat(43), "x".repeat(100_000)]) {
      assert.strictEqual(yield* outcome(redeem(Redacted.make(text), "short")), "PasswordLinkInvalid")
    }
    assert.isTrue(yield* isGood(token))
  })
})
