/**
 * Who may register: by an invitation, by the domain of the address, or not at all; and that an invitation is used as often as it says,
 * however many come at once.
 */
import { assert, describe } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { InviteId } from "../../src/domain/Ids.ts"
import { Invites, type NewInvite } from "../../src/identity/Invites.ts"
import { Login } from "../../src/identity/Login.ts"
import { Users } from "../../src/identity/Users.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { assertUnsaid, count, identityTest, outcome, person } from "../support/TestIdentity.ts"

const invite = (more: Partial<NewInvite> = {}) =>
  Effect.flatMap(
    Invites,
    (invites) => invites.create(cliActor, { note: "", email: null, usesMax: 1, validDays: 7, ...more })
  )

const register = (email: string, token?: Redacted.Redacted<string>) =>
  Effect.flatMap(Login, (login) => outcome(login.register(person(email, token === undefined ? {} : { invite: token }))))

describe("registration", () => {
  identityTest("by invitation needs one, which is used up", function*(world) {
    world.registration = "invite"
    const { id, token } = yield* invite()
    assert.strictEqual(yield* register("ada@example.com"), "InviteNeeded")
    assert.strictEqual(yield* register("ada@example.com", Redacted.make("x".repeat(43))), "InviteInvalid")
    assert.strictEqual(yield* register("ada@example.com", Redacted.make("")), "InviteInvalid")
    assert.strictEqual(yield* count("users"), 0)
    assert.strictEqual(yield* register("ada@example.com", token), "ok")
    assert.strictEqual(yield* register("bob@example.com", token), "InviteInvalid")
    const sql = yield* SqlClient.SqlClient
    assert.deepStrictEqual(yield* sql`SELECT invite_id FROM users`, [{ invite_id: id }])
  })

  identityTest("by an invitation for several takes as many, also when all come at once", function*(world) {
    world.registration = "invite"
    const { token } = yield* invite({ usesMax: 3 })
    const emails = [1, 2, 3, 4, 5].map((index) => `user${index}@example.com`)
    const ends = yield* Effect.forEach(emails, (email) => register(email, token), { concurrency: 5 })
    assert.strictEqual(ends.filter((end) => end === "ok").length, 3)
    assert.strictEqual(ends.filter((end) => end === "InviteInvalid").length, 2)
    assert.strictEqual(yield* count("users"), 3)
  })

  identityTest("leaves an invitation as it is when no account comes of it", function*(world) {
    const { token } = yield* invite()
    assert.strictEqual(yield* register("ada@example.com"), "ok")
    world.registration = "invite"
    assert.strictEqual(yield* register("Ada@example.com", token), "EmailTaken")
    assert.strictEqual(yield* register("nobody", token), "InvalidEmail")
    const [row] = yield* (yield* Invites).list({ limit: 1 })
    assert.strictEqual(row?.uses, 0)
    assert.strictEqual(yield* register("bob@example.com", token), "ok")
  })

  identityTest("by an invitation for one address takes that address alone, whatever its domain", function*(world) {
    world.registration = "invite"
    world.emailDomains = ["company.example"]
    const { token } = yield* invite({ email: "Ada@Example.com" })
    assert.deepStrictEqual(yield* (yield* Invites).open(token), Option.some("ada@example.com"))
    assert.strictEqual(yield* register("eve@example.com", token), "InviteInvalid")
    assert.strictEqual(yield* register("eve@company.example", token), "InviteInvalid")
    assert.strictEqual(yield* register("ADA@example.com", token), "ok")
  })

  identityTest("takes addresses of the domains that are named, and of no other", function*(world) {
    world.emailDomains = ["company.example", "other.example"]
    const { token } = yield* invite({ usesMax: 5 })
    const table = [
      ["ada@company.example", "ok"],
      ["bob@Other.Example", "ok"],
      ["eve@evil.example", "EmailDomainRefused"],
      ["eve@sub.company.example", "EmailDomainRefused"],
      ["eve@notcompany.example", "EmailDomainRefused"],
      ["company.example@evil.example", "EmailDomainRefused"]
    ] as const
    for (const [email, end] of table) assert.strictEqual(yield* register(email), end, email)
    assert.strictEqual(
      yield* register("eve@evil.example", token),
      "EmailDomainRefused",
      "invited by a link for anybody"
    )
    // An administrator is not held to it.
    assert.strictEqual(yield* outcome((yield* Users).create({ email: "eve@evil.example", role: "user" })), "ok")
  })

  identityTest("takes no invitation that is revoked or over, nor any while it is closed", function*(world) {
    const invites = yield* Invites
    const sql = yield* SqlClient.SqlClient
    world.registration = "invite"
    const [revoked, late] = [yield* invite(), yield* invite()]
    yield* invites.revoke(cliActor, revoked.id)
    yield* invites.revoke(cliActor, revoked.id)
    assert.strictEqual(yield* outcome(invites.revoke(cliActor, InviteId.make(999n))), "InviteNotFound")
    assert.strictEqual(yield* register("ada@example.com", revoked.token), "InviteInvalid")
    yield* sql`UPDATE invites SET expires_at = now() WHERE id = ${late.id}`
    assert.strictEqual(yield* register("ada@example.com", late.token), "InviteInvalid")
    const good = yield* invite()
    world.registration = "closed"
    assert.strictEqual(yield* register("ada@example.com", good.token), "RegistrationClosed")
    world.registration = "open"
    assert.strictEqual(yield* register("ada@example.com", good.token), "ok")
    const rows = yield* sql<{ action: string }>`SELECT action FROM audit_log WHERE target LIKE 'invite:%' ORDER BY id`
    const made = "invite.created"
    assert.deepStrictEqual(rows.map(({ action }) => action), [made, made, "invite.revoked", made])
  })

  identityTest("knows what an invitation may be, and keeps its link nowhere", function*(world) {
    const wrong: ReadonlyArray<readonly [Partial<NewInvite>, string]> = [
      [{ note: "x".repeat(101) }, "note"],
      [{ note: "a\nb" }, "note"],
      [{ email: "nobody" }, "email"],
      [{ usesMax: 0 }, "uses"],
      [{ usesMax: 1_001 }, "uses"],
      [{ usesMax: 1.5 }, "uses"],
      [{ usesMax: 2, email: "ada@example.com" }, "uses"],
      [{ validDays: 0 }, "days"],
      [{ validDays: 366 }, "days"]
    ]
    for (const [more, reason] of wrong) {
      const error = yield* Effect.flip(invite(more))
      assert.strictEqual(error._tag === "InviteRefused" ? error.reason : error._tag, reason)
    }
    const { token } = yield* invite({ note: " for Ada " })
    const sql = yield* SqlClient.SqlClient
    const stored = JSON.stringify(
      yield* sql`SELECT row_to_json(i)::text FROM invites i
      UNION ALL SELECT row_to_json(a)::text FROM audit_log a`
    )
    assert.include(stored, "for Ada")
    assert.notInclude(stored, Redacted.value(token))
    assertUnsaid(world, [Redacted.value(token)])
    yield* sql`INSERT INTO invites (token_hash, uses_max, expires_at)
      SELECT sha256(n::text::bytea), 1, now() + interval '1 day' FROM generate_series(1, 999) n`
    const error = yield* Effect.flip(invite())
    assert.strictEqual(error._tag === "InviteRefused" ? error.reason : error._tag, "many")
  })
})
