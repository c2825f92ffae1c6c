/**
 * Second factors: what a login needs with one, that each code is good once, however many send it at the same moment, what ends when one
 * changes, and who may remove one.
 */
import { assert, describe } from "@effect/vitest"
import { Clock, Effect, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { UserId } from "../../src/domain/Ids.ts"
import { Login } from "../../src/identity/Login.ts"
import { LoginSessions } from "../../src/identity/LoginSessions.ts"
import { PasswordLinks } from "../../src/identity/PasswordLinks.ts"
import { rateLimits } from "../../src/identity/RateLimiter.ts"
import { SecondFactors } from "../../src/identity/SecondFactors.ts"
import { totpCode } from "../../src/identity/Totp.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { type Actor, cliActor } from "../../src/platform/AuditLog.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { checkSealedRows, resealAll } from "../../src/settings/SealedRows.ts"
import type { Steps } from "../support/Steps.ts"
import {
  areLive,
  assertUnsaid,
  changesTold,
  count,
  type IdentityServices,
  identityTest as liveTest,
  type IdentityWorld,
  opened,
  outcome,
  PASSWORD,
  pendingOf,
  type Person,
  person,
  proofOf,
  recordedOf,
  registered
} from "../support/TestIdentity.ts"

const ADA = "ada@example.com"
const STEP_MS = 30_000

/** The code that the app shows `steps` after this moment. */
const codeIn = (secret: Redacted.Redacted<string>, steps: number) =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => totpCode(secret, nowMs + steps * STEP_MS))

/** The middle of a step, at which the clock stands still: no code becomes another one while a test runs. */
const NOW_MS = 1_800_000_015_000

const standingClock: Clock.Clock = {
  currentTimeMillisUnsafe: () => NOW_MS,
  currentTimeMillis: Effect.succeed(NOW_MS),
  currentTimeNanosUnsafe: () => BigInt(NOW_MS) * 1_000_000n,
  currentTimeNanos: Effect.succeed(BigInt(NOW_MS) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => process.hrtime.bigint(),
  monotonicTimeNanos: Effect.sync(() => process.hrtime.bigint()),
  sleep: () => Effect.never
}

const identityTest = (title: string, steps: Steps<IdentityWorld, IdentityServices>) =>
  liveTest(title, function*(world) {
    yield* Effect.gen(() => steps(world)).pipe(Effect.provideService(Clock.Clock, standingClock))
  })

const enroller = ({ userId }: Person) => ({ userId, email: ADA, issuer: "Realms" })

/** Somebody with an app, set up with the code of the step before this one, so that those of this step and the next are left. */
const protectedPerson = Effect.fnUntraced(function*(email: string) {
  const person = yield* registered(email)
  const factors = yield* SecondFactors
  const { sealed, secret } = yield* factors.begin(enroller(person))
  const { codes, session } = yield* factors.setUp({ ...proofOf(person), appCode: yield* codeIn(secret, -1), sealed })
  return { ...person, token: session, secret, codes: Redacted.value(codes ?? assert.fail("no codes")) }
})

const answer = (pending: Redacted.Redacted<string>, code: string, address = "192.0.2.1") =>
  Effect.flatMap(Login, (login) => login.answer({ pending, code, address, userAgent: "Test/1" }))

describe("SecondFactors", () => {
  identityTest("asks for a code after the password, and opens nothing before it", function*() {
    const ada = yield* protectedPerson(ADA)
    const pending = yield* pendingOf(ADA)
    assert.deepStrictEqual(yield* areLive(pending), [false], "it is no session")
    assert.strictEqual(yield* outcome(answer(pending, "000000")), "SecondFactorWrong")
    assert.strictEqual(yield* outcome(answer(pending, "")), "SecondFactorWrong")
    const session = yield* answer(pending, ` ${(yield* codeIn(ada.secret, 0)).replace(/^(...)/, "$1 ")}`)
    const found = Option.getOrThrow(yield* (yield* LoginSessions).find(session))
    assert.deepStrictEqual([found.user.email, found.secondFactor], [ADA, true])
    assert.strictEqual(yield* outcome(answer(pending, yield* codeIn(ada.secret, 1))), "PendingLoginOver", "used up")
  })

  identityTest("takes a code once, and none of a step before it", function*() {
    const ada = yield* protectedPerson(ADA)
    const used = yield* codeIn(ada.secret, -1)
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), used)), "SecondFactorWrong", "proved the app")
    const [now, next] = [yield* codeIn(ada.secret, 0), yield* codeIn(ada.secret, 1)]
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), next)), "ok")
    for (const code of [next, now]) {
      assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), code)), "SecondFactorWrong")
    }
  })

  identityTest("of many logins with one code at once opens one session", function*() {
    const ada = yield* protectedPerson(ADA)
    for (const code of [yield* codeIn(ada.secret, 0), ada.codes[0] ?? ""]) {
      const before = yield* count("sessions")
      const pending = yield* Effect.forEach([1, 2, 3, 4], () => pendingOf(ADA))
      const ends = yield* Effect.forEach(pending, (token) => outcome(answer(token, code)), { concurrency: 4 })
      assert.sameMembers([...ends], ["ok", "SecondFactorWrong", "SecondFactorWrong", "SecondFactorWrong"])
      assert.strictEqual(yield* count("sessions"), before + 1)
    }
  })

  identityTest("of two answers of one login opens one session", function*() {
    const ada = yield* protectedPerson(ADA)
    const before = yield* count("sessions")
    const pending = yield* pendingOf(ADA)
    const ends = yield* Effect.forEach(
      [yield* codeIn(ada.secret, 1), ada.codes[0] ?? ""],
      (code) => outcome(answer(pending, code)),
      { concurrency: 2 }
    )
    assert.sameMembers([...ends], ["ok", "PendingLoginOver"])
    assert.strictEqual(yield* count("sessions"), before + 1)
    // What the refused one gave is not used up.
    assert.strictEqual(
      yield* count("recovery_codes"),
      ends[1] === "ok" ? 9 : 10
    )
  })

  identityTest("takes each recovery code once, and records that", function*() {
    const ada = yield* protectedPerson(ADA)
    const eve = yield* protectedPerson("eve@example.com")
    const [code = ""] = ada.codes
    assert.strictEqual(yield* outcome(answer(yield* pendingOf("eve@example.com"), code)), "SecondFactorWrong")
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), code.toUpperCase())), "ok")
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), code)), "SecondFactorWrong")
    const view = yield* (yield* SecondFactors).view(ada.userId)
    assert.strictEqual(view.recoveryCodes, 9)
    assert.strictEqual((yield* (yield* SecondFactors).view(eve.userId)).recoveryCodes, 10)
    assert.deepStrictEqual(yield* recordedOf(ada.userId), [
      `user:${ada.userId} second_factor.set_up`,
      `user:${ada.userId} second_factor.recovery_code_used`
    ])
  })

  identityTest("is guessed at a few times, from one place and from all", function*() {
    const ada = yield* protectedPerson(ADA)
    const pending = yield* pendingOf(ADA)
    const guess = (address: string) => outcome(answer(pending, "000000", address))
    const { account, accountFromNetwork } = rateLimits.secondFactor
    const here = yield* Effect.forEach(Array.from({ length: accountFromNetwork.burst + 1 }), () => guess("192.0.2.1"))
    assert.deepStrictEqual(here.slice(-2), ["SecondFactorWrong", "TooManyAttempts"])
    const right = yield* codeIn(ada.secret, 1)
    assert.strictEqual(yield* outcome(answer(pending, right)), "TooManyAttempts", "even the right one")
    const elsewhere = yield* Effect.forEach(
      Array.from({ length: account.burst - accountFromNetwork.burst + 1 }, (_, index) => index),
      (index) => guess(`198.51.100.${index}`)
    )
    assert.deepStrictEqual(elsewhere.slice(-2), ["SecondFactorWrong", "TooManyAttempts"])
    // A login begun again is no way around.
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), right, "203.0.113.1")), "TooManyAttempts")
  })

  identityTest("is set up with the password and a right code only, once", function*() {
    const ada = yield* registered(ADA)
    const eve = yield* registered("eve@example.com")
    const factors = yield* SecondFactors
    const { sealed, secret, uri } = yield* factors.begin(enroller(ada))
    assert.include(Redacted.value(uri), Redacted.value(secret))
    assert.deepStrictEqual(yield* factors.resume(enroller(ada), sealed), { sealed, secret, uri })
    const code = yield* codeIn(secret, 0)
    const setUp = (who: Person, appCode: string, password?: string, form = sealed, proof = "") =>
      outcome(factors.setUp({ ...proofOf(who, proof, password), appCode, sealed: form }))
    assert.strictEqual(yield* setUp(ada, code, "wrong password"), "WrongPassword")
    assert.strictEqual(yield* setUp(ada, "123"), "AppCodeWrong")
    assert.strictEqual(yield* setUp(eve, code), "EnrolmentInvalid", "the form of somebody else")
    for (const form of ["", "x", sealed.slice(0, -2), sealed.replace(/^./, "g")]) {
      assert.strictEqual(yield* setUp(ada, code, PASSWORD, form), "EnrolmentInvalid")
    }
    assert.deepStrictEqual([yield* count("totp_factors"), yield* count("recovery_codes")], [0, 0])
    const ends = yield* Effect.forEach([1, 2, 3], () => setUp(ada, code), { concurrency: 3 })
    assert.strictEqual(ends.filter((end) => end === "ok").length, 1)
    assert.deepStrictEqual([yield* count("totp_factors"), yield* count("recovery_codes")], [1, 10])
    assert.strictEqual(yield* setUp(ada, code), "SecondFactorWrong", "the one that there is now is asked for")
    const proof = yield* codeIn(secret, 1)
    assert.strictEqual(yield* setUp(ada, code, PASSWORD, sealed, proof), "SecondFactorExists")
  })

  identityTest(
    "ends every other session when it is set up and when it is turned off, and logins under way",
    function*() {
      const ada = yield* registered(ADA)
      const other = yield* opened(ada.userId)
      const factors = yield* SecondFactors
      const { sealed, secret } = yield* factors.begin(enroller(ada))
      const appCode = yield* codeIn(secret, -1)
      const { codes, session: kept } = yield* factors.setUp({ ...proofOf(ada), appCode, sealed })
      assert.deepStrictEqual(yield* areLive(kept, other), [true, false])
      assert.deepStrictEqual(yield* areLive(ada.token), [false], "a copy of the old token is worth nothing")
      const pending = yield* pendingOf(ADA)
      const later = yield* opened(ada.userId)
      assert.strictEqual(yield* outcome(factors.remove(proofOf(ada, "000000"))), "SecondFactorWrong")
      assert.strictEqual(yield* outcome(factors.remove(proofOf(ada, "", "wrong password"))), "WrongPassword")
      assert.deepStrictEqual(yield* areLive(later), [true])
      const proof = proofOf({ ...ada, token: kept }, Redacted.value(codes ?? assert.fail("no codes"))[3])
      const left = yield* factors.remove(proof)
      assert.deepStrictEqual(yield* areLive(left, kept, later), [true, false, false])
      assert.strictEqual(yield* outcome(answer(pending, yield* codeIn(secret, 0))), "PendingLoginOver")
      assert.deepStrictEqual([yield* count("totp_factors"), yield* count("recovery_codes")], [0, 0])
      assert.deepStrictEqual((yield* changesTold(ada.userId)).at(-1), ["second_factor_removed", null, "192.0.2.1"])
      assert.strictEqual((yield* (yield* Login).login(person(ADA)))._tag, "LoggedIn")
      assert.strictEqual(yield* outcome(factors.remove(proofOf(ada, ""))), "SecondFactorMissing")
      assert.strictEqual(yield* outcome(factors.renewCodes(proofOf(ada, ""))), "SecondFactorMissing")
    }
  )

  identityTest("replaces recovery codes", function*() {
    const ada = yield* protectedPerson(ADA)
    const factors = yield* SecondFactors
    const renewed = Redacted.value(yield* factors.renewCodes(proofOf(ada, yield* codeIn(ada.secret, 0))))
    assert.strictEqual(renewed.filter((code) => ada.codes.includes(code)).length, 0)
    assert.deepStrictEqual(yield* changesTold(ada.userId), [
      ["second_factor_added", null, "192.0.2.1"],
      ["recovery_codes", null, "192.0.2.1"]
    ])
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), ada.codes[0] ?? "")), "SecondFactorWrong")
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), renewed[0] ?? "")), "ok")
  })

  identityTest("is asked for before the password changes, and ends logins under way when it has changed", function*() {
    const ada = yield* protectedPerson(ADA)
    const pending = yield* pendingOf(ADA)
    const login = yield* Login
    const change = (code: string) =>
      login.changePassword({ ...proofOf(ada, code), next: Redacted.make("another horse battery") })
    assert.strictEqual(yield* outcome(change("")), "SecondFactorWrong")
    assert.strictEqual(yield* outcome(change(yield* codeIn(ada.secret, 0))), "ok")
    assert.strictEqual(yield* outcome(answer(pending, yield* codeIn(ada.secret, 1))), "PendingLoginOver")
    const told = [["second_factor_added", null, "192.0.2.1"], ["password", null, "192.0.2.1"]]
    assert.deepStrictEqual(yield* changesTold(ada.userId), told, "and not for the change that was refused")
  })

  identityTest("stays when a link sets a new password", function*() {
    const ada = yield* protectedPerson(ADA)
    const links = yield* PasswordLinks
    const { token } = yield* links.issue(cliActor, ada.userId)
    const pending = yield* pendingOf(ADA)
    yield* links.redeem(token, Redacted.make(PASSWORD), "192.0.2.1")
    assert.strictEqual(yield* outcome(answer(pending, yield* codeIn(ada.secret, 0))), "PendingLoginOver")
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), yield* codeIn(ada.secret, 0))), "ok")
  })

  identityTest("is removed by somebody else for one who has lost it, which ends all sessions", function*() {
    const ada = yield* protectedPerson(ADA)
    const factors = yield* SecondFactors
    const pending = yield* pendingOf(ADA)
    const self: Actor = { name: `user:${ada.userId}`, userId: ada.userId, address: "" }
    assert.strictEqual(yield* outcome(factors.reset(self, ada.userId)), "OwnUser")
    assert.strictEqual(yield* outcome(factors.reset(cliActor, UserId.make(999_999n))), "UserNotFound")
    yield* factors.reset(cliActor, ada.userId)
    assert.deepStrictEqual(yield* areLive(ada.token), [false])
    assert.strictEqual(yield* outcome(answer(pending, yield* codeIn(ada.secret, 0))), "PendingLoginOver")
    assert.strictEqual((yield* (yield* Login).login(person(ADA)))._tag, "LoggedIn")
    assert.strictEqual(yield* outcome(factors.reset(cliActor, ada.userId)), "SecondFactorMissing")
    assert.include(yield* recordedOf(ada.userId), "cli second_factor.reset")
    assert.deepStrictEqual((yield* changesTold(ada.userId)).at(-1), ["second_factor_removed", null, null])
    assert.isFalse(Option.getOrThrow(yield* (yield* UserAdmin).view(ada.userId)).hasSecondFactor)
  })

  identityTest("is over for a user who is disabled, and after ten minutes", function*() {
    const ada = yield* protectedPerson(ADA)
    const sql = yield* SqlClient.SqlClient
    const pending = yield* pendingOf(ADA)
    yield* (yield* UserAdmin).disable(cliActor, ada.userId)
    assert.strictEqual(yield* outcome(answer(pending, yield* codeIn(ada.secret, 0))), "PendingLoginOver")
    yield* (yield* UserAdmin).enable(cliActor, ada.userId)
    const late = yield* pendingOf(ADA)
    yield* sql`UPDATE pending_logins SET expires_at = now()`
    assert.strictEqual(yield* outcome(answer(late, yield* codeIn(ada.secret, 0))), "PendingLoginOver")
    assert.isUndefined(yield* (yield* Login).pendingUser(late))
    for (let index = 0; index < 12; index++) yield* pendingOf(ADA)
    assert.strictEqual(yield* count("pending_logins"), 10)
  })

  identityTest("is sealed where it is stored, and said nowhere", function*(world) {
    const ada = yield* protectedPerson(ADA)
    const sql = yield* SqlClient.SqlClient
    const box = yield* SecretBox
    const rows = yield* sql`SELECT row_to_json(t)::text AS text FROM totp_factors t
      UNION ALL SELECT row_to_json(r)::text FROM recovery_codes r UNION ALL SELECT row_to_json(a)::text FROM audit_log a`
    const stored = JSON.stringify(rows)
    const hex = Buffer.from(Redacted.value(ada.secret)).toString("hex")
    for (
      const secret of [
        Redacted.value(ada.secret),
        hex,
        ...ada.codes,
        ...ada.codes.map((code) => code.replaceAll("-", ""))
      ]
    ) {
      assert.isFalse(stored.includes(secret))
    }
    yield* checkSealedRows(sql, box)
    assert.strictEqual(yield* resealAll(sql, box, cliActor), 1)
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), yield* codeIn(ada.secret, 0))), "ok")
    assertUnsaid(world, [Redacted.value(ada.secret), ...ada.codes])
  })
})
